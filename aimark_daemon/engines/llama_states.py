"""Saved sequences: evaluated conversations in RAM under a cap, for sessions that lost their place in the KV cache."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

PARKED_CAP: Final = 512 << 20
"""Most bytes of parked states, beside what is saved here."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What llama.cpp gave out for a sequence, and the tokens it stands for."""

    tokens: list[int]
    data: Any
    size: int
    """Bytes."""
    parked: bool = False
    """It lies in a file that another process has left."""


class SavedStates:
    """States by session, together at most `cap` bytes and `parked_cap` of parked ones; those used longest ago go first.

    Parked states grow old with the others: one that was used before a state that has to go goes with it.
    """

    def __init__(self, cap: int, parked_cap: int = PARKED_CAP) -> None:
        self.cap = cap
        """Most bytes held; 0: nothing is saved."""
        self._parked_cap = parked_cap
        self._states: OrderedDict[str, Saved] = OrderedDict()
        self.size = 0
        """Bytes held, without the parked ones."""
        self.parked = 0
        """Bytes of parked states."""

    def make_room(self, session: str, size: int) -> bool:
        """Let go of what stands in the way of `size` bytes for `session`; False: they would never fit."""
        self.take(session)
        if not 0 < size <= self.cap:
            return False
        while self.size + size > self.cap:
            self.take(next(iter(self._states)))
        return True

    def put(self, session: str, saved: Saved) -> None:
        """Keep a state there is room for; a parked one makes room for itself."""
        self.take(session)
        self._states[session] = saved
        if not saved.parked:
            self.size += saved.size
            return
        self.parked += saved.size
        while self.parked > self._parked_cap:
            self.take(next(name for name, state in self._states.items() if state.parked))

    def newest(self) -> list[tuple[str, Saved]]:
        """All states with their sessions, those used last first."""
        return [*reversed(self._states.items())]

    def take(self, session: str) -> Saved | None:
        """The session's state, which is not kept any longer."""
        saved = self._states.pop(session, None)
        if saved is not None and saved.parked:
            self.parked -= saved.size
        elif saved is not None:
            self.size -= saved.size
        return saved

    def tokens(self, session: str) -> list[int]:
        """The tokens of the session's state, none if there is none."""
        saved = self._states.get(session)
        return [] if saved is None else saved.tokens
