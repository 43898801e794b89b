"""Outbox: what waits for one client, bounded in bytes, and the task that sends it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable


class Outbox:
    """A queue of encoded messages. `put` never waits; beyond `limit` bytes it refuses, and the client is too slow.

    One large answer (an export) is not a slow client: a message counts at most a quarter of the limit.
    """

    def __init__(self, send: Callable[[str | bytes], Awaitable[None]], limit: int) -> None:
        self._send = send
        self._limit = limit
        self._queue: deque[str | bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closed = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def bytes_waiting(self) -> int:
        """How much waits, as it counts against the limit."""
        return self._bytes

    def put(self, data: str | bytes) -> bool:
        """Queue one message; False if it would exceed the limit, or after `close`."""
        cost = self._cost(data)
        if self._closed or self._bytes + cost > self._limit:
            return False
        self._queue.append(data)
        self._bytes += cost
        self._empty.clear()
        self._wake.set()
        return True

    def close(self) -> None:
        """Take no more messages; `run` returns when the queued ones are sent."""
        self._closed = True
        self._wake.set()

    def drop(self) -> None:
        """Forget what is queued, and take no more."""
        self._queue.clear()
        self._bytes = 0
        self._empty.set()
        self.close()

    async def emptied(self) -> None:
        """Wait until everything queued was handed over, or dropped."""
        await self._empty.wait()

    async def run(self) -> None:
        """Send, in order, until closed. Raises what `send` raises."""
        while True:
            while self._queue:
                data = self._queue.popleft()
                self._bytes -= self._cost(data)
                await self._send(data)
            self._empty.set()
            if self._closed:
                return
            self._wake.clear()
            await self._wake.wait()

    def _cost(self, data: str | bytes) -> int:
        # Characters stand for bytes: close enough for a limit, and free.
        return min(len(data), self._limit // 4)
