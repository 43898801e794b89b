"""Evaluated prefixes: which tokens each sequence of the KV cache holds, and which conversation it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Cells(Protocol):
    """The KV cache. Positions count tokens from 0."""

    def remove(self, sequence: int, start: int) -> bool:
        """Forget `start` and following; False if this kind of model cannot forget a part."""

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """Share positions `start` to `end` (exclusive) of a sequence with another one."""

    def first(self, sequence: int) -> int:
        """The smallest position held, -1 for none."""

    def last(self, sequence: int) -> int:
        """The largest position held, -1 for none."""


@dataclass(slots=True)
class Slot:
    """One sequence: the tokens the cache holds for it, in order, and the session that used it last."""

    sequence: int
    session: str = ""
    tokens: list[int] = field(default_factory=list)
    used: int = 0


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens both begin with. Compares slices, so that the work is done in C."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


class SequenceCache:
    """Hands out sequences so that as few tokens as possible are evaluated twice."""

    def __init__(self, cells: Cells, sequences: int, *, rewinds: bool = True) -> None:
        self._cells = cells
        self._rewinds = rewinds
        self._clock = 0
        self.slots = [Slot(i) for i in range(sequences)]

    def of(self, session: str) -> Slot | None:
        """The sequence that `session` used last, if it still has it."""
        return next((slot for slot in self.slots if slot.tokens and slot.session == session), None)

    def claim(self, session: str, tokens: Sequence[int]) -> Slot:
        """A sequence for `session` whose record is the longest reusable beginning of `tokens`.

        Its own sequence, else an empty one, else the one unused for longest. At least the last token is left to
        evaluate, because its logits are wanted.
        """
        slot = self.of(session) or min(self.slots, key=lambda s: (bool(s.tokens), s.used))
        most = len(tokens) - 1
        own = min(most, common_prefix(slot.tokens, tokens))
        source, shared = slot, own
        for other in self.slots:
            if (length := min(most, common_prefix(other.tokens, tokens))) > shared:
                source, shared = other, length
        self._truncate(slot, own)
        if source is not slot and self._rewinds:
            start = len(slot.tokens)
            self._cells.copy(source.sequence, slot.sequence, start, shared)
            slot.tokens.extend(tokens[start:shared])
        self._verify(slot)
        self._clock += 1
        slot.session, slot.used = session, self._clock
        return slot

    def evict_idle(self, busy: Slot) -> bool:
        """Forget the sequence unused for longest, apart from `busy`; False if there is none."""
        idle = [slot for slot in self.slots if slot is not busy and slot.tokens]
        if not idle:
            return False
        self._forget(min(idle, key=lambda s: s.used))
        return True

    def settle(self, slot: Slot) -> None:
        """Cut the record to what the cache really holds: after an abort or a failure, tokens at its end are missing."""
        del slot.tokens[self._cells.last(slot.sequence) + 1 :]
        self._verify(slot)

    def _truncate(self, slot: Slot, keep: int) -> None:
        if keep == len(slot.tokens):
            return
        if keep > 0 and self._rewinds and self._cells.remove(slot.sequence, keep):
            del slot.tokens[keep:]
        else:
            self._forget(slot)

    def _verify(self, slot: Slot) -> None:
        """Forget a sequence whose beginning is gone (sliding window) or whose record is not what the cache holds."""
        held = self._cells.last(slot.sequence) + 1
        if held != len(slot.tokens) or (held and self._rewinds and self._cells.first(slot.sequence) != 0):
            self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        self._cells.remove(slot.sequence, 0)
        slot.tokens.clear()
