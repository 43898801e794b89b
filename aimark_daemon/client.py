"""Client: how programs talk to the daemon - the command line, the desktop, tests.

async with connect(address.port, read_token(path)) as client:
    reply = await client.request(Submit(id=0, text="안녕하세요"), TurnStarted)
    async for event in client.events(): ...
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator
from typing import Final, Literal, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from aimark_daemon.errors import AimarkError
from aimark_daemon.protocol.audio import AudioFrame, decode_frame, encode_frame
from aimark_daemon.protocol.faults import BAD_MESSAGE
from aimark_daemon.protocol.messages import (
    Event,
    Hello,
    PullProgress,
    Refused,
    Reply,
    Request,
    ServerMessage,
    TurnStarted,
    Welcome,
    decode_server,
    encode,
)
from aimark_daemon.server.faults import (
    DAEMON_LOST,
    DAEMON_SLOW,
    DAEMON_UNREACHABLE,
    MESSAGE_TOO_BIG,
    NOT_ALLOWED,
)
from aimark_daemon.server.limits import MAX_MESSAGE_BYTES

Answer = TypeVar("Answer", bound=Event)

MAX_ANSWER_BYTES: Final = 512 * 1024 * 1024
"""Longest message taken from the daemon: an export of everything."""
_REFUSALS: Final = frozenset({400, 401, 403, 421, 429})
_TOO_BIG: Final = 1009

# At DEBUG the library writes the request, the token included.
_wire_log = logging.getLogger("aimark_daemon.client.wire")
_wire_log.setLevel(logging.WARNING)

Arrival = ServerMessage | AudioFrame


class DaemonClient:
    """One connection. Made by `connect`; not for use by several event loops."""

    def __init__(self, websocket: ClientConnection, timeout_s: float) -> None:
        self._websocket = websocket
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Event]] = {}
        self._patience: dict[int, asyncio.Timeout] = {}
        self._arrivals: asyncio.Queue[Arrival | None] = asyncio.Queue()
        self._ended: AimarkError | None = None
        self._leaving = False
        self._reader = asyncio.create_task(self._read())
        self.welcome: Welcome
        """The daemon's answer to the hello: its version and status."""

    @property
    def lost(self) -> AimarkError | None:
        """Why the connection ended; None while it lives."""
        return self._ended

    def next_id(self) -> int:
        """A number for a request of this connection."""
        return next(self._ids)

    async def request(self, message: Request, expect: type[Answer], timeout_s: float | None = None) -> Answer:
        """Ask and wait for the answer. An `id` of 0 is replaced by a fresh one.

        The answer to `submit` is `turn_started`, which `events` brings too; `pull_progress` goes to `events` only,
        and makes the patience begin anew.

        Raises:
            AimarkError: the fault of `refused`; `daemon_slow`, `daemon_lost`, `message_too_big`; `bad_message` if
                the answer is not the expected one.
        """
        if message.id == 0:
            message = msgspec.structs.replace(message, id=self.next_id())
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._pending[message.id] = answer
        patience = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(patience) as limit:
                self._patience[message.id] = limit
                await self.send(message)
                reply = await answer
        except TimeoutError as error:
            raise DAEMON_SLOW(seconds=f"{patience:g}") from error
        finally:
            self._pending.pop(message.id, None)
            self._patience.pop(message.id, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, even if the time-out came first
        if not isinstance(reply, expect):
            raise BAD_MESSAGE(detail=f"{type(reply).__name__} came instead of {expect.__name__}")
        return reply

    async def send(self, message: Request) -> None:
        """Send without waiting for an answer.

        Raises:
            AimarkError: `message_too_big`, `daemon_lost`.
        """
        text = encode(message)
        if len(text) > MAX_MESSAGE_BYTES or len(text.encode()) > MAX_MESSAGE_BYTES:
            raise MESSAGE_TOO_BIG()
        await self._write(text)

    async def send_audio(self, frame: AudioFrame) -> None:
        """Send one microphone frame; waits when the daemon reads slower.

        Raises:
            AimarkError: `daemon_lost`.
        """
        await self._write(encode_frame(frame))

    async def events(self) -> AsyncIterator[Arrival]:
        """Everything that is not the answer to a request in flight, in order, from the connection's beginning.

        Ends when this side closes the connection. For one consumer at a time.

        Raises:
            AimarkError: `daemon_lost`; a message of the daemon that cannot be understood.
        """
        while True:
            arrival = await self._arrivals.get()
            if arrival is None:
                self._arrivals.put_nowait(None)  # for whoever asks again
                if self._ended is not None and not self._leaving:
                    raise self._ended
                return
            yield arrival

    async def close(self) -> None:
        """Leave. Idempotent."""
        self._leaving = True
        await self._websocket.close()
        await self._reader

    async def _write(self, data: str | bytes) -> None:
        try:
            await self._websocket.send(data)
        except ConnectionClosed as error:
            raise _lost(error) from error

    async def _read(self) -> None:
        """Hand out what arrives until the connection ends, then fail everything that waits."""
        ended: AimarkError
        try:
            while True:
                data = await self._websocket.recv()
                self._take(decode_server(data) if isinstance(data, str) else decode_frame(data))
        except ConnectionClosed as error:
            ended = _lost(error)
        except AimarkError as error:
            ended = error
            await self._websocket.close(1002, "not understood")
        self._ended = ended
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(ended)
        self._arrivals.put_nowait(None)

    def _take(self, arrival: Arrival) -> None:
        if isinstance(arrival, PullProgress):
            self._prolong(arrival.id)
        number = arrival.id if isinstance(arrival, Reply | TurnStarted) else None
        answer = None if number is None or isinstance(arrival, PullProgress) else self._pending.pop(number, None)
        if answer is None or answer.done() or isinstance(arrival, AudioFrame):
            self._arrivals.put_nowait(arrival)
        elif isinstance(arrival, Refused):
            answer.set_exception(AimarkError(arrival.fault))
        else:
            answer.set_result(arrival)
            if isinstance(arrival, TurnStarted):
                self._arrivals.put_nowait(arrival)

    def _prolong(self, number: int) -> None:
        """A request that makes progress is not late: its patience begins anew."""
        limit = self._patience.get(number)
        deadline = limit.when() if limit is not None and not limit.expired() else None
        if limit is not None and deadline is not None:
            limit.reschedule(max(deadline, asyncio.get_running_loop().time() + self._timeout_s))


@contextlib.asynccontextmanager
async def connect(
    port: int,
    token: str,
    *,
    name: str = "",
    language: Literal["en", "ko"] = "en",
    timeout_s: float = 30.0,
) -> AsyncIterator[DaemonClient]:
    """A greeted connection to the daemon on this machine's `port`. `timeout_s` is the patience of every request.

    Raises:
        AimarkError: `daemon_unreachable`, `not_allowed`, `daemon_slow`, `wrong_version`.
    """
    websocket = await _opened(port, token, timeout_s)
    client = DaemonClient(websocket, timeout_s)
    try:
        client.welcome = await client.request(Hello(id=0, client=name, language=language), Welcome)
        yield client
    finally:
        await client.close()


async def _opened(port: int, token: str, timeout_s: float) -> ClientConnection:
    try:
        return await open_websocket(
            f"ws://127.0.0.1:{port}/socket",
            additional_headers={"Authorization": f"Bearer {token}"},
            proxy=None,  # the token stays on this machine, whatever HTTP_PROXY says
            compression=None,
            user_agent_header=None,
            max_size=MAX_ANSWER_BYTES,
            open_timeout=timeout_s,
            close_timeout=2.0,
            logger=_wire_log,
        )
    except InvalidStatus as error:
        status, body = error.response.status_code, bytes(error.response.body)
        words = body.decode("utf-8", "replace").strip()
        kind = NOT_ALLOWED if status in _REFUSALS else DAEMON_UNREACHABLE
        raise kind(detail=f"{status}: {words}", port=port) from error
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise DAEMON_UNREACHABLE(detail=f"{type(error).__name__}: {error}", port=port) from error


def _lost(error: ConnectionClosed) -> AimarkError:
    """The fault of a connection that ended."""
    if error.rcvd is None:
        return DAEMON_LOST()
    if error.rcvd.code == _TOO_BIG:
        return MESSAGE_TOO_BIG()
    return DAEMON_LOST(detail=f"{error.rcvd.code} {error.rcvd.reason}".strip())
