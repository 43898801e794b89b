"""A client's session: its messages read, paced, checked, and handed to the dispatcher in the promised order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from aimark_daemon.errors import AimarkError, as_fault
from aimark_daemon.protocol.audio import HEADER, AudioFrame, FrameKind, decode_frame
from aimark_daemon.protocol.faults import BAD_FRAME, WRONG_VERSION
from aimark_daemon.protocol.messages import (
    PROTOCOL_VERSION,
    ClientMessage,
    EndListen,
    Hello,
    Listen,
    Refused,
    Subscribe,
    decode_client,
)
from aimark_daemon.server.base import Dispatcher
from aimark_daemon.server.client import POLICY, SocketClient
from aimark_daemon.server.faults import HELLO_FIRST, TOO_MANY_REQUESTS
from aimark_daemon.server.limits import Limits, TokenBucket

_log = logging.getLogger(__name__)

MAX_ID = 2**53
"""Ids are numbers that JavaScript can hold."""


class _OnlyId(msgspec.Struct):
    id: int


_id_decoder = msgspec.json.Decoder(_OnlyId)


def id_in(data: str | bytes) -> int:
    """The id in a message that is wrong otherwise; 0 if it cannot be read."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        number = _id_decoder.decode(data).id
        if abs(number) <= MAX_ID:
            return number
    return 0


def stream_in(data: bytes) -> int:
    """The stream in an audio frame that is wrong otherwise; 0 if it cannot be read."""
    return int(HEADER.unpack_from(data)[3]) if len(data) >= HEADER.size else 0


class Lane:
    """What has to happen in order: a queue of calls, bounded in bytes, worked off one by one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: deque[tuple[int, Callable[[], Awaitable[None]]]] = deque()
        self._bytes = 0
        self._changed = asyncio.Condition()

    async def put(self, cost: int, call: Callable[[], Awaitable[None]]) -> None:
        """Queue a call; waits while more than the limit is queued."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._calls or self._bytes + cost <= self._limit)
            self._calls.append((cost, call))
            self._bytes += cost
            self._changed.notify_all()

    async def run(self) -> None:
        """Work the queue off, until cancelled."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._calls))
                cost, call = self._calls.popleft()
                self._bytes -= cost
                self._changed.notify_all()
            await call()


class Session:
    """Reads one client until it is gone. `spawn` starts a task that outlives the session; `clock` is steady seconds."""

    def __init__(
        self,
        client: SocketClient,
        websocket: ServerConnection,
        dispatcher: Dispatcher,
        *,
        limits: Limits,
        clock: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._client = client
        self._websocket = websocket
        self._dispatcher = dispatcher
        self._limits = limits
        self._clock = clock
        self._spawn = spawn
        self._messages = TokenBucket(limits.messages_per_s, limits.messages_burst)
        self._bytes = TokenBucket(limits.bytes_per_s, limits.bytes_burst)
        self._lane = Lane(limits.ordered_bytes)
        self._in_flight = 0

    async def run(self) -> None:
        """Serve the client until its connection ends."""
        try:
            hello = await self._greeted()
        except ConnectionClosed:
            return
        if hello is None:
            return
        lane = asyncio.create_task(self._lane.run())
        reader = asyncio.create_task(self._read(hello))
        closed = asyncio.create_task(self._websocket.wait_closed())
        try:
            await asyncio.wait([reader, closed], return_when=asyncio.FIRST_COMPLETED)
            # It may have sent something and left; but it may also be slowed down, or stuck behind a full lane.
            await asyncio.wait([reader], timeout=self._limits.close_timeout_s)
            if reader.done():
                reader.result()
        finally:
            for task in (reader, closed, lane):
                task.cancel()
            await asyncio.gather(reader, closed, lane, return_exceptions=True)
            await self._guarded(0, self._dispatcher.disconnected(self._client))

    async def _read(self, hello: Hello) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._guarded(0, self._dispatcher.connected(self._client))
            await self._take(hello)
            while True:
                await self._take_any(await self._receive())

    async def _receive(self) -> str | bytes:
        """The next message, not faster than the client's pace: beyond it, reading pauses and TCP slows it down."""
        data = await self._websocket.recv()
        now = self._clock()
        wait = max(self._messages.take(1.0, now), self._bytes.take(float(len(data)), now))
        if wait > 0.0:
            await asyncio.sleep(wait)
        return data

    async def _greeted(self) -> Hello | None:
        """The client's hello; without a good one the connection is closed."""
        try:
            async with asyncio.timeout(self._limits.hello_timeout_s):
                data = await self._websocket.recv()
        except TimeoutError:
            self._client.close(POLICY, "no hello in time")
            return None
        try:
            message = decode_client(data) if isinstance(data, str) else None
        except AimarkError as error:
            self._turn_away(id_in(data), error, "bad hello")
            return None
        if not isinstance(message, Hello):
            self._turn_away(message.id if message else 0, HELLO_FIRST(), "hello first")
            return None
        if message.version != PROTOCOL_VERSION:
            wrong = WRONG_VERSION(client=message.version, daemon=PROTOCOL_VERSION)
            self._turn_away(message.id, wrong, "wrong protocol version")
            return None
        return message

    def _turn_away(self, number: int, error: AimarkError, reason: str) -> None:
        self._client.send(Refused(id=number, fault=error.fault))
        self._client.close(POLICY, reason)

    async def _take_any(self, data: str | bytes) -> None:
        try:
            if isinstance(data, str):
                await self._take(decode_client(data))
            else:
                await self._take_frame(decode_frame(data))
        except AimarkError as error:
            number = id_in(data) if isinstance(data, str) else stream_in(data)
            self._client.send(Refused(id=number, fault=error.fault))

    async def _take_frame(self, frame: AudioFrame) -> None:
        if frame.kind is not FrameKind.MICROPHONE:
            raise BAD_FRAME(detail="clients send microphone frames only")
        await self._lane.put(
            len(frame.pcm) + HEADER.size,
            lambda: self._guarded(frame.stream, self._dispatcher.audio(self._client, frame)),
        )

    async def _take(self, message: ClientMessage) -> None:
        match message:
            case Hello(language=language, client=name):
                self._client.language, self._client.name = language, name[:200]
            case Subscribe(topics=topics):
                self._client.topics = frozenset(topics)
            case _:
                pass
        if isinstance(message, Listen):
            self._dispatcher.coming(self._client, message.id)
        if isinstance(message, Hello | Subscribe | Listen | EndListen):
            await self._lane.put(
                HEADER.size, lambda: self._guarded(message.id, self._dispatcher.request(self._client, message))
            )
            return
        if self._in_flight >= self._limits.requests_in_flight:
            raise TOO_MANY_REQUESTS()
        self._in_flight += 1
        self._spawn(self._request(message))

    async def _request(self, message: ClientMessage) -> None:
        try:
            await self._guarded(message.id, self._dispatcher.request(self._client, message))
        finally:
            self._in_flight -= 1

    async def _guarded(self, number: int, call: Awaitable[None]) -> None:
        """Await a call of the dispatcher; its failure is an answer, never the end of the connection."""
        try:
            await call
        except AimarkError as error:
            _log.info("client %d, request %d: %s", self._client.id, number, error.fault.code)
            self._client.send(Refused(id=number, fault=error.fault))
        except Exception as error:  # noqa: BLE001 - whatever fails in there, the daemon and the connection go on
            _log.exception("client %d, request %d failed", self._client.id, number)
            self._client.send(Refused(id=number, fault=as_fault(error)))
