"""One connected client: what it asked for, and the only way to reach it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final, Literal

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from aimark_daemon.protocol.audio import AudioFrame, encode_frame
from aimark_daemon.protocol.messages import Event, Topic, encode
from aimark_daemon.server.outbox import Outbox

GOING_AWAY: Final = 1001
POLICY: Final = 1008
"""Close code of every refusal to go on; the reason says which."""
TOO_SLOW: Final = "too slow: it does not read what it is sent"

_log = logging.getLogger(__name__)


class SocketClient:
    """Implements `base.ClientHandle` over one WebSocket. More than `outbound_bytes` waiting for it is too slow."""

    def __init__(self, number: int, kind: str, websocket: ServerConnection, outbound_bytes: int) -> None:
        self.id = number
        self.kind = kind
        self.name = ""
        self.language: Literal["en", "ko"] = "en"
        self.topics: frozenset[Topic] = frozenset()
        self._websocket = websocket
        self._outbox = Outbox(self._write, outbound_bytes)
        self._closing: asyncio.Task[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing reaches it any more."""
        return self._closing is not None

    def send(self, event: Event) -> None:
        """Queue one message; never waits, never raises."""
        self._put(encode(event))

    def send_audio(self, frame: AudioFrame) -> None:
        """Queue one audio frame."""
        self._put(encode_frame(frame))

    def _put(self, data: str | bytes) -> None:
        if not self.closed and not self._outbox.put(data):
            _log.warning("client %d (%s) does not read: closed", self.id, self.kind)
            self._outbox.drop()
            self.close(POLICY, TOO_SLOW)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what is queued, then close. Idempotent: the first code and reason count."""
        if self._closing is None:
            self._outbox.close()
            self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))

    async def write(self) -> None:
        """Send what is queued until the client is closed."""
        with contextlib.suppress(ConnectionClosed):
            await self._outbox.run()

    async def wait_closed(self) -> None:
        """Wait for the end of a `close`."""
        if self._closing is not None:
            await asyncio.shield(self._closing)

    async def _write(self, data: str | bytes) -> None:
        await self._websocket.send(data)

    async def _close(self, code: int, reason: str) -> None:
        # What is queued, a refusal above all, goes first; but a client that reads nothing is not waited for. The
        # library's own close time-out does not cover a full write buffer.
        patience = self._websocket.close_timeout
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(patience):
                await self._outbox.emptied()
        try:
            async with asyncio.timeout(patience):
                await self._websocket.close(code, reason)
        except TimeoutError:
            self._websocket.transport.abort()
            await self._websocket.wait_closed()
