"""Saved sequences: evaluated conversations in RAM under a cap, for sessions that lost their place in the KV cache."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Saved:
    """What llama.cpp gave out for a sequence, and the tokens it stands for."""

    tokens: list[int]
    data: Any
    size: int
    """Bytes that count; 0 for a parked state, which whoever parked it has counted."""


class SavedStates:
    """States by session, together at most `cap` bytes; the one used longest ago goes first."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        """Most bytes held; 0: nothing is saved."""
        self._states: OrderedDict[str, Saved] = OrderedDict()
        self.size = 0
        """Bytes held."""

    def make_room(self, session: str, size: int) -> bool:
        """Let go of what stands in the way of `size` bytes for `session`; False: they would never fit."""
        self.take(session)
        if not 0 < size <= self.cap:
            return False
        while self.size + size > self.cap:
            self.take(next(session for session, saved in self._states.items() if saved.size))
        return True

    def put(self, session: str, saved: Saved) -> None:
        """Keep a state there is room for."""
        self.take(session)
        self._states[session] = saved
        self.size += saved.size

    def newest(self) -> list[tuple[str, Saved]]:
        """All states with their sessions, those used last first."""
        return [*reversed(self._states.items())]

    def take(self, session: str) -> Saved | None:
        """The session's state, which is not kept any longer."""
        saved = self._states.pop(session, None)
        if saved is not None:
            self.size -= saved.size
        return saved

    def tokens(self, session: str) -> list[int]:
        """The tokens of the session's state, none if there is none."""
        saved = self._states.get(session)
        return [] if saved is None else saved.tokens
