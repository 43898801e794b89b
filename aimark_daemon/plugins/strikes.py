"""Strikes: how often a plugin failed lately, and when that is too often. Pure: time is an argument."""

from __future__ import annotations

from collections import deque
from typing import Final

TOO_OFTEN: Final = 3
WITHIN_S: Final = 600.0


class Strikes:
    """The failures of each plugin in the last ten minutes."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def add(self, plugin: str, now: float) -> bool:
        """A failure at `now` (steady seconds); whether the plugin has failed too often with it."""
        times = self._times.setdefault(plugin, deque(maxlen=TOO_OFTEN))
        times.append(now)
        return len(times) == TOO_OFTEN and now - times[0] <= WITHIN_S

    def forget(self, plugin: str) -> None:
        """Begin anew."""
        self._times.pop(plugin, None)
