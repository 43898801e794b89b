"""Watchdog and restart backoff of a worker as pure logic: time is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from aimark_daemon.workers.base import WorkerSpec


class Overdue(StrEnum):
    """What a child failed to do in time."""

    HELLO = "hello"
    HEARTBEAT = "heartbeat"
    LOAD = "load"
    PROGRESS = "progress"


class Watch:
    """Decides from signs of life whether a child is overdue. Times in seconds of any monotonic clock.

    A check that itself comes late (a suspended computer, a stalled daemon) proves nothing about the child, so the
    clock starts again from it.
    """

    def __init__(self, spec: WorkerSpec, now: float) -> None:
        self._spec = spec
        self._last_sign = now
        self._last_check = now
        self._stalled_s = 0.0
        self._said_hello = False
        self._loaded = False
        shortest = min(spec.hello_timeout_s, spec.load_timeout_s, spec.heartbeat_timeout_s, spec.progress_timeout_s)
        self.interval_s = max(0.02, min(1.0, shortest / 4))
        """How often the child should beat and `overdue` should be asked."""

    def hello(self, now: float) -> None:
        """The child said hello."""
        self._said_hello = True
        self._last_sign = now

    def loaded(self, now: float) -> None:
        """The engine takes calls."""
        self._loaded = True
        self._stalled_s = 0.0
        self._last_sign = now

    def beat(self, now: float, stalled_s: float) -> None:
        """A heartbeat came."""
        self._last_sign = now
        self._stalled_s = stalled_s

    def sign(self, now: float) -> None:
        """Any other message came."""
        self._last_sign = now

    def overdue(self, now: float) -> Overdue | None:
        """What the child should have done by now, or None while all is well."""
        late = now - self._last_check > self.interval_s + max(1.0, self._spec.heartbeat_timeout_s / 2)
        self._last_check = now
        if late:
            self._last_sign = now
            return None
        silent_s = now - self._last_sign
        if not self._said_hello:
            return Overdue.HELLO if silent_s > self._spec.hello_timeout_s else None
        if silent_s > self._spec.heartbeat_timeout_s:
            return Overdue.HEARTBEAT
        if not self._loaded:
            return Overdue.LOAD if self._stalled_s > self._spec.load_timeout_s else None
        return Overdue.PROGRESS if self._stalled_s > self._spec.progress_timeout_s else None


DELAYS_S: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
HEALTHY_S: Final = 60.0
MAX_FAILED_STARTS: Final = 5


class Backoff:
    """How long to wait before the next child; grows with every death and resets after work or a minute of health.

    A child that dies before it ever took a call, `max_failed_starts` times in a row, is given up: loading the same
    model for ever would only make the computer slow.
    """

    def __init__(
        self,
        delays_s: Sequence[float] = DELAYS_S,
        healthy_s: float = HEALTHY_S,
        max_failed_starts: int = MAX_FAILED_STARTS,
    ) -> None:
        self._delays_s = tuple(delays_s)
        self._healthy_s = healthy_s
        self._max_failed_starts = max_failed_starts
        self._deaths = 0
        self._failed_starts = 0

    def reset(self) -> None:
        """Forget every death."""
        self._deaths = 0
        self._failed_starts = 0

    def after_death(self, ready_s: float | None, *, worked: bool = False) -> float | None:
        """Seconds until the next try, or None to give up.

        `ready_s`: how long the child took calls; None: never. `worked`: it brought some call forward, so that the next
        one is worth no wait; an engine that crashes at its work is for the `CrashPolicy` to end.
        """
        if ready_s is None:
            self._failed_starts += 1
            if self._failed_starts >= self._max_failed_starts:
                return None
        else:
            self._failed_starts = 0
            if worked or ready_s >= self._healthy_s:
                self._deaths = 0
        delay = self._delays_s[min(self._deaths, len(self._delays_s) - 1)]
        self._deaths += 1
        return delay
