"""The caller's side of requests in flight: event streams with back-pressure, results, and their failing together."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, cast

import msgspec

from aimark_daemon.engines.base import Method
from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.names import named
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import Ev, Req, Res
from aimark_daemon.workers.messages import (
    OVERHEAD,
    WINDOW,
    Begin,
    Cancel,
    Consumed,
    EndInput,
    Event,
    Failed,
    Feed,
    Result,
    Taken,
    ToChild,
    pack,
)

MAX_CALLS = 64
"""Requests that one worker holds at a time, running and waiting."""

Post = Callable[[ToChild], None]


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


class PendingCall(Generic[Ev, Res]):
    """One request (the `Call` contract). Lives in the event loop; `post` sends to the engine once it is there."""

    def __init__(self, method: Method[Req, Ev, Res], begin: Begin, forget: Callable[[int], None]) -> None:
        self.id = begin.id
        self._event_decoder = _decoder(cast(Any, method.event))
        self._result_decoder = _decoder(cast(Any, method.result))
        self._forget = forget
        self._backlog: list[ToChild] | None = [begin]
        self._post: Post | None = None
        self._events: deque[msgspec.Raw] = deque()
        self._wake = asyncio.Event()
        self._taken = 0
        self._iterated = False
        self._awaited = False
        self._fed = 0
        self._cancelled = False
        self._result: Res | None = None
        self._fault: Fault | None = None
        self._done = asyncio.Event()

    # The caller's side

    def __aiter__(self) -> PendingCall[Ev, Res]:
        self._iterated = True
        return self

    async def __anext__(self) -> Ev:
        while not self._events:
            if self._done.is_set():
                if self._fault is not None:
                    raise AimarkError(self._fault)
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        payload = self._events.popleft()
        self._take(payload)
        try:
            event: Ev = self._event_decoder.decode(payload)
        except (msgspec.MsgspecError, ValueError) as error:
            self.cancel()
            self.fail(faults.PROTOCOL.fault(f"event: {error}"))
            raise AimarkError(self._fault or faults.PROTOCOL.fault()) from error
        return event

    async def result(self) -> Res:
        """Wait for the end. Nobody has to read the events for that.

        Unread ones stop counting against the window, and those of a call that was never iterated are dropped.
        """
        self._awaited = True
        if not self._iterated:
            self._drop_events()
        elif self._post is not None and not self._done.is_set():
            for payload in self._events:
                self._count_taken(payload)
            self._acknowledge()
        await self._done.wait()
        if self._fault is not None:
            raise AimarkError(self._fault)
        return self._result  # type: ignore[return-value]

    async def feed(self, data: bytes) -> None:
        """Stream bytes to the engine; waits while it is behind. Does nothing once the call has ended."""
        for start in range(0, len(data), WINDOW // 4):
            chunk = bytes(data[start : start + WINDOW // 4])
            while self._fed > 0 and self._fed + len(chunk) > WINDOW and not self._done.is_set():
                self._wake.clear()
                await self._wake.wait()
            if self._done.is_set():
                return
            self._fed += len(chunk)
            self._send(Feed(self.id, chunk))

    async def end_input(self) -> None:
        """No more bytes follow."""
        self._send(EndInput(self.id))

    def cancel(self) -> None:
        """Ask the engine to return early; a call that never reached it ends at once. Idempotent."""
        if self._cancelled or self._done.is_set():
            return
        self._cancelled = True
        if self._post is None:
            self.fail(faults.CALL_CANCELLED.fault())
        else:
            self._send(Cancel(self.id))

    # The worker's side

    @property
    def attached(self) -> bool:
        """Whether the request was sent to an engine."""
        return self._post is not None

    def attach(self, post: Post) -> None:
        """An engine is there: send what has gathered."""
        backlog, self._backlog = self._backlog or [], None
        self._post = post
        for message in backlog:
            post(message)

    def deliver(self, message: Event | Result | Failed | Consumed) -> None:
        """A message of the engine for this call."""
        match message:
            case Event(payload=payload):
                if self._awaited:
                    self._count_taken(payload)
                    self._acknowledge()
                if self._iterated or not self._awaited:
                    self._events.append(payload)
                    self._wake.set()
            case Consumed(size=size):
                self._fed -= size
                self._wake.set()
            case Failed(fault=fault):
                self.fail(fault)
            case Result(payload=payload):
                try:
                    self._result = self._result_decoder.decode(payload)
                except (msgspec.MsgspecError, ValueError) as error:
                    self._fault = faults.PROTOCOL.fault(f"result: {error}")
                self._end()

    def fail(self, fault: Fault) -> None:
        """End the call with a fault, at once."""
        if not self._done.is_set():
            self._fault = fault
            self._end()

    def _end(self) -> None:
        self._done.set()
        self._wake.set()
        self._backlog = None
        self._post = None
        self._forget(self.id)

    def _send(self, message: ToChild) -> None:
        if self._post is not None:
            self._post(message)
        elif self._backlog is not None:
            self._backlog.append(message)

    def _take(self, payload: msgspec.Raw) -> None:
        if not self._awaited:
            self._count_taken(payload)
            self._acknowledge()

    def _count_taken(self, payload: msgspec.Raw) -> None:
        self._taken += len(bytes(payload)) + OVERHEAD

    def _acknowledge(self) -> None:
        if self._taken >= WINDOW // 4 and not self._done.is_set():
            self._send(Taken(self.id, self._taken))
            self._taken = 0

    def _drop_events(self) -> None:
        for payload in self._events:
            self._count_taken(payload)
        self._events.clear()
        self._acknowledge()


class CallTable:
    """Every request of one worker that has not ended."""

    def __init__(self) -> None:
        self._calls: dict[int, PendingCall[Any, Any]] = {}
        self._ids = itertools.count(1)
        self.changed: Callable[[], None] = lambda: None
        """Called when the number of requests changes."""

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def waiting(self) -> int:
        """How many of them no engine has yet."""
        return sum(not call.attached for call in self._calls.values())

    def begin(self, name: str, method: Method[Req, Ev, Res], request: Req) -> PendingCall[Ev, Res]:
        """A new request, not yet sent; it fails at once when it is too large, or too many wait already."""
        refused = faults.QUEUE_FULL.fault(name=named(name)) if len(self._calls) >= MAX_CALLS else None
        try:
            payload = pack(request)
        except AimarkError as error:
            payload, refused = msgspec.Raw(), error.fault
        begin = Begin(next(self._ids), method.name, payload)
        call: PendingCall[Ev, Res] = PendingCall(method, begin, self._forget)
        if refused is not None:
            call.fail(refused)
        else:
            self._calls[call.id] = call
            self.changed()
        return call

    def attach_all(self, post: Post) -> None:
        """Send every waiting request to an engine that is ready, in the order they came."""
        for call in list(self._calls.values()):
            if not call.attached:
                call.attach(post)

    def deliver(self, message: Event | Result | Failed | Consumed) -> None:
        """Hand a message of the engine to its call; one for an ended call is dropped."""
        if call := self._calls.get(message.id):
            call.deliver(message)

    def fail(self, fault: Fault, *, only_attached: bool = False) -> None:
        """End every request (or every one that an engine has) with a fault."""
        for call in list(self._calls.values()):
            if call.attached or not only_attached:
                call.fail(fault)

    def _forget(self, number: int) -> None:
        if self._calls.pop(number, None) is not None:
            self.changed()
