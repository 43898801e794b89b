"""Leasing: the async side of the leases. Measures what is free, ends holders, and wakes who waits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aimark_daemon.errors import AimarkError
from aimark_daemon.gpu.leases import Arbiter, Evict, Granted, Lease, Refused, Wait

log = logging.getLogger("aimark.leases")

POLL_S: Final = 0.25
"""Between two looks at what is free, while somebody waits."""
MEASURE_S: Final = 2.0
"""A driver that takes longer is asked again."""
EVICT_S: Final = 5.0
"""A holder that has not ended by then stays."""


class Leasing:
    """Belongs to one event loop.

    `free` asks the driver for the bytes that are free on the card now; an answer kept from before would grant memory
    twice. None: it does not tell.
    """

    def __init__(
        self,
        free: Callable[[], Awaitable[int | None]],
        *,
        clock: Callable[[], float] = time.monotonic,
        poll_s: float = POLL_S,
        evict_s: float = EVICT_S,
    ) -> None:
        self._free = free
        self._clock = clock
        self._poll_s = poll_s
        self._evict_s = evict_s
        self._arbiter = Arbiter()
        self._evictors: dict[str, Callable[[], Awaitable[None]]] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._changed = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None
        self._evictions: set[asyncio.Task[None]] = set()

    @property
    def leases(self) -> tuple[Lease, ...]:
        """What is held now."""
        return self._arbiter.leases

    def register(self, holder: str, evict: Callable[[], Awaitable[None]]) -> None:
        """`evict()` ends the holder's process, and returns when it is gone. A holder without it is never evicted."""
        self._evictors[holder] = evict

    async def acquire(self, holder: str, size: int, *, priority: int = 0, patience_s: float = 30.0) -> None:
        """Wait for the right to allocate `size` bytes. Then tell `loaded`, or `release` if it failed.

        What the holder held before counts as given up: its process must have ended.

        Raises:
            AimarkError: `gpu_memory_short`, `gpu_memory_held`; they name who holds what.
            ValueError: the size is not positive, or the holder waits already.
        """
        ticket = self._arbiter.ask(holder, size, self._clock(), priority=priority, patience_s=patience_s)
        granted = asyncio.get_running_loop().create_future()
        self._waiting[ticket.number] = granted
        self._wake()
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self.release(holder)
            raise
        finally:
            del self._waiting[ticket.number]
            self._arbiter.withdraw(ticket)
            self._wake()

    def loaded(self, holder: str) -> None:
        """The holder has allocated what it was granted, and is idle."""
        self._arbiter.loaded(holder, self._clock())
        self._wake()

    def begin(self, holder: str) -> bool:
        """The holder is about to work and cannot be evicted. False: it must `acquire` first."""
        return self._arbiter.begin(holder, self._clock())

    def rest(self, holder: str) -> None:
        """The holder has nothing to do."""
        self._arbiter.rest(holder, self._clock())
        self._wake()

    def release(self, holder: str) -> None:
        """The holder's process has ended. Idempotent."""
        self._arbiter.release(holder, self._clock())
        self._wake()

    async def close(self) -> None:
        """Nobody is served any more; those who wait are cancelled."""
        tasks = [task for task in (self._driver, *self._evictions) if task is not None]
        for future in [*tasks, *self._waiting.values()]:
            future.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wake(self) -> None:
        self._changed.set()
        if self._arbiter.waiting and (self._driver is None or self._driver.done()):
            self._driver = asyncio.create_task(self._drive(), name="leases")

    async def _drive(self) -> None:
        while self._arbiter.waiting:
            self._changed.clear()
            measured = self._clock()
            free = await self._measure()
            match self._arbiter.step(free, measured, self._clock()):
                case Granted(ticket):
                    waiting = self._waiting.get(ticket.number)
                    if waiting is None or waiting.done():
                        self._arbiter.release(ticket.holder, self._clock())
                    else:
                        waiting.set_result(None)
                case Refused(ticket, fault):
                    waiting = self._waiting.get(ticket.number)
                    if waiting is not None and not waiting.done():
                        waiting.set_exception(AimarkError(fault))
                case Evict(holders):
                    for holder in holders:
                        task = asyncio.create_task(self._evict(holder), name=f"evict-{holder}")
                        self._evictions.add(task)
                        task.add_done_callback(self._evictions.discard)
                case Wait():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._poll_s):
                            await self._changed.wait()

    async def _measure(self) -> int | None:
        try:
            async with asyncio.timeout(MEASURE_S):
                return await self._free()
        except Exception as error:  # noqa: BLE001 - whoever waits does so until its patience ends
            log.warning("free memory cannot be measured: %s: %s", type(error).__name__, error)
            return None

    async def _evict(self, holder: str) -> None:
        evict = self._evictors.get(holder)
        try:
            if evict is None:
                raise LookupError(f"nobody said how to end {holder}")
            async with asyncio.timeout(self._evict_s):
                await evict()
        except Exception as error:  # noqa: BLE001 - the holder stays, and others are looked for
            log.warning("%s did not give its memory back: %s: %s", holder, type(error).__name__, error)
            self._arbiter.stays(holder, self._clock())
        else:
            self._arbiter.left(holder, self._clock())
        self._wake()
