"""Evaluated prefixes: which tokens each sequence of the KV cache holds, and which conversation it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aimark_daemon.engines.llama_states import Saved, SavedStates

LEAST_SAVED: Final = 32
"""So few tokens are evaluated again rather than saved or put back."""
IDLE_CELLS: Final = 256
"""So many cells of idle sequences may lie beside an answer where `compact` is asked for."""


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

    def size(self, sequence: int) -> int:
        """Bytes that `save` would give."""

    def save(self, sequence: int, size: int) -> Any:
        """What the sequence holds, as `size` bytes outside the cache; None if that cannot be had."""

    def restore(self, sequence: int, data: Any) -> bool:
        """Put what was saved into a sequence; False if too few cells are free, and the sequence is empty then."""


@dataclass(slots=True, eq=False)
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
    """Hands out sequences so that as few tokens as possible are evaluated twice.

    What a session loses to another one is kept in `saved`, if given, and put back when the session returns. `pinned`
    is one sequence more, which belongs to no session: what all of them begin with.

    `compact`: attention passes over the cells of idle sequences at every token (on a processor 1,400 of them cost 4 %
    of the speed), so they are saved and leave the cache when an answer begins, and those that stay move together.
    """

    def __init__(
        self,
        cells: Cells,
        sequences: int,
        *,
        rewinds: bool = True,
        saved: SavedStates | None = None,
        pinned: bool = False,
        compact: bool = False,
    ) -> None:
        self._cells = cells
        self._rewinds = rewinds
        self._saved = saved if saved is not None else SavedStates(0)
        self._compacts = compact
        self._clock = 0
        self.slots = [Slot(i) for i in range(sequences)]
        self.pinned = Slot(sequences) if pinned else None

    def of(self, session: str) -> Slot | None:
        """The sequence that `session` used last, if it still has it."""
        return next((slot for slot in self.slots if slot.tokens and slot.session == session), None)

    def record(self, session: str) -> list[int]:
        """The tokens evaluated for `session`, whether they are in the cache or saved."""
        slot = self.of(session)
        return slot.tokens if slot is not None else self._saved.tokens(session)

    def claim(self, session: str, tokens: Sequence[int], busy: Collection[Slot] = ()) -> Slot:
        """A sequence for `session`, none of `busy`, whose record is the longest reusable beginning of `tokens`.

        Its own sequence, else an empty one, else the one unused for longest. At least the last token is left to
        evaluate, because its logits are wanted.
        """
        free = [slot for slot in self.slots if slot not in busy]
        own = [slot for slot in free if slot.tokens and slot.session == session]
        slot = own[0] if own else min(free, key=lambda s: (bool(s.tokens), s.used))
        if not own:
            self._save(slot)
        if not own and (saved := self._saved.take(session)) is not None:
            here = max(self._usable(other.tokens, tokens) for other in self._sources())
            if self._usable(saved.tokens, tokens) >= here + LEAST_SAVED:
                self._restore(slot, saved, (*busy, slot))
        self._share(slot, tokens)
        self._verify(slot)
        if self._compacts:
            self._compact(slot, busy)
        self._clock += 1
        slot.session, slot.used = session, self._clock
        return slot

    def evict_idle(self, *busy: Slot | None) -> bool:
        """Save and forget the sequence unused for longest, apart from `busy`; False if there is none.

        The pinned one goes last, and is not saved.
        """
        idle = [slot for slot in self.slots if slot.tokens and not any(slot is other for other in busy)]
        if idle:
            oldest = min(idle, key=lambda s: s.used)
            self._save(oldest)
            self._forget(oldest)
            return True
        if self.pinned is not None and self.pinned.tokens:
            self._forget(self.pinned)
            return True
        return False

    def _compact(self, slot: Slot, busy: Collection[Slot]) -> None:
        """Save idle sequences and take them out of the cache, and move `slot` to where they were."""
        idle = [other for other in self.slots if other.tokens and other is not slot and other not in busy]
        if sum(len(other.tokens) for other in idle) < IDLE_CELLS:
            return
        left = False
        for other in sorted(idle, key=lambda s: s.used):
            if self._save(other):
                self._forget(other)
                left = True
        if busy or not left or not slot.tokens:
            return
        data = self._cells.save(slot.sequence, self._cells.size(slot.sequence))
        if data is not None:
            # It may take more cells than before: what it shared with another sequence it has to itself then.
            self._restore(slot, Saved(list(slot.tokens), data, len(data)), (slot,))

    def settle(self, slot: Slot) -> None:
        """Cut the record to what the cache really holds: after an abort or a failure, tokens at its end are missing."""
        del slot.tokens[self._cells.last(slot.sequence) + 1 :]
        self._verify(slot)

    def _sources(self) -> list[Slot]:
        return self.slots if self.pinned is None else [*self.slots, self.pinned]

    def _usable(self, held: Sequence[int], tokens: Sequence[int]) -> int:
        """How much of what is held can be gone on from."""
        shared = min(len(tokens) - 1, common_prefix(held, tokens))
        return shared if self._rewinds or shared == len(held) else 0

    def _share(self, slot: Slot, tokens: Sequence[int]) -> None:
        """Cut the sequence to what it has in common with `tokens`, and copy what another one has more."""
        most = len(tokens) - 1
        own = min(most, common_prefix(slot.tokens, tokens))
        source, shared = slot, own
        for other in self._sources():
            if (length := min(most, common_prefix(other.tokens, tokens))) > shared:
                source, shared = other, length
        self._truncate(slot, own)
        if source is not slot and self._rewinds:
            start = len(slot.tokens)
            self._cells.copy(source.sequence, slot.sequence, start, shared)
            slot.tokens.extend(tokens[start:shared])

    def _save(self, slot: Slot) -> bool:
        """Keep what a session is about to lose, if it is worth it and the cap allows it. False: it was not kept."""
        if len(slot.tokens) < LEAST_SAVED or not slot.session:
            return False
        size = self._cells.size(slot.sequence) if self._saved.cap else 0
        if not self._saved.make_room(slot.session, size):
            return False
        data = self._cells.save(slot.sequence, size)
        if data is not None:
            self._saved.put(slot.session, Saved(list(slot.tokens), data, size))
        return data is not None

    def _restore(self, slot: Slot, saved: Saved, busy: Collection[Slot]) -> None:
        """Put what was saved into a sequence, at the cost of idle ones; without cells for it the sequence is empty."""
        self._forget(slot)
        while not self._cells.restore(slot.sequence, saved.data):
            if not self.evict_idle(*busy):
                self._forget(slot)
                return
        slot.tokens.extend(saved.tokens)

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
