"""Aside: one thread for a call that may hang: neither the event loop nor the end of the program waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Runs `call` in a thread of its own, one at a time; who asks meanwhile shares the answer. `end` runs last there.

    The thread begins with the first call. It is a daemon thread, unlike those of an executor: a driver that hangs
    does not keep the program from ending.
    """

    def __init__(self, call: Callable[[], T], end: Callable[[], None], name: str) -> None:
        self._call = call
        self._end = end
        self._name = name
        self._asked: queue.SimpleQueue[asyncio.Future[T] | None] = queue.SimpleQueue()
        self._flight: asyncio.Future[T] | None = None
        self._thread: threading.Thread | None = None

    @property
    def used(self) -> bool:
        """Whether it was ever called."""
        return self._thread is not None

    @property
    def behind(self) -> bool:
        """Whether a call is still running."""
        return self._flight is not None and not self._flight.done()

    async def __call__(self, limit_s: float) -> T:
        """The call's result.

        Raises:
            TimeoutError: it takes longer than `limit_s`; it goes on, and the next one who asks waits for it.
        """
        flight = self._flight
        if flight is None or flight.done():
            flight = self._flight = asyncio.get_running_loop().create_future()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._asked.put(flight)
        async with asyncio.timeout(limit_s):
            return await asyncio.shield(flight)

    def close(self) -> None:
        """No call follows; the thread ends when it is free."""
        if self._thread is not None:
            self._asked.put(None)
            self._thread = None

    def _work(self) -> None:
        while (flight := self._asked.get()) is not None:
            # The loop may have ended while the call was on its way.
            with contextlib.suppress(RuntimeError):
                try:
                    result = self._call()
                except Exception as error:  # noqa: BLE001 - whoever asked gets it
                    flight.get_loop().call_soon_threadsafe(_fail, flight, error)
                else:
                    flight.get_loop().call_soon_threadsafe(flight.set_result, result)
        self._end()


def _fail(flight: asyncio.Future[T], error: Exception) -> None:
    flight.set_exception(error)
    flight.exception()  # seen, even if nobody waits any more
