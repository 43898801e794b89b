"""Rates: how fast a counter of seconds grows, and when to try again what failed. Pure; time is an argument."""

from __future__ import annotations


class Share:
    """The share of its time that something was busy, in percent, from its counter of busy seconds."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def at(self, now: float, busy_s: float) -> float | None:
        """Percent since the call before. None at the first one, and where the clock or the counter did not go on."""
        last, self._last = self._last, (now, busy_s)
        if last is None or now <= last[0] or busy_s < last[1]:
            return None
        return 100.0 * (busy_s - last[1]) / (now - last[0])


class Retry:
    """Waits longer after each failure, and forgets them when all has been well for a while. Seconds."""

    def __init__(self, first_s: float = 1.0, longest_s: float = 60.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._wait_s = 0.0
        self._next = float("-inf")
        self._well_since: float | None = None

    def due(self, now: float) -> bool:
        """Whether it may be tried again."""
        return now >= self._next

    def failed(self, now: float) -> None:
        """It failed at `now`."""
        self._well_since = None
        self._wait_s = min(self._longest_s, max(self._first_s, 2 * self._wait_s))
        self._next = now + self._wait_s

    def worked(self, now: float) -> bool:
        """It worked at `now`; True once it has for as long as the longest wait, and the failures are forgotten."""
        if self._well_since is None or now < self._well_since:
            self._well_since = now
        if now - self._well_since < self._longest_s:
            return False
        self._wait_s = 0.0
        return True
