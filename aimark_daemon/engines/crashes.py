"""Crash policy: an engine that keeps crashing is first run on the processor alone, then not at all. Pure."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

CRASHES: Final = 3
WINDOW_S: Final = 300.0


class Level(IntEnum):
    """How far it has come."""

    NORMAL = 0
    CPU_ONLY = 1
    """Crashed too often: the graphics card is left alone."""
    DEGRADED = 2
    """Crashed too often again: it is not started any more."""


class CrashPolicy:
    """Counts crashes: `crashes` of them within `window_s` seconds lead to the next level. Time is an argument.

    An end from outside is no crash: whoever counts leaves it out.
    """

    def __init__(self, crashes: int = CRASHES, window_s: float = WINDOW_S) -> None:
        self._most = crashes
        self._window_s = window_s
        self._times: list[float] = []
        self.level = Level.NORMAL

    def crashed(self, now: float) -> Level | None:
        """It crashed at `now`, in seconds of any monotonic clock: the level that this leads to, None for no change."""
        self._times = [at for at in self._times if now - at < self._window_s] + [now]
        if len(self._times) < self._most or self.level is Level.DEGRADED:
            return None
        self._times = []
        self.level = Level(self.level + 1)
        return self.level

    def reset(self) -> None:
        """Somebody chose another model or wants it tried again: nothing counts any more."""
        self._times = []
        self.level = Level.NORMAL
