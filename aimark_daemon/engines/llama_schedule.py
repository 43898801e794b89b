"""Schedule of the language model: which answer begins, and how many tokens of the next step each one gets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LIVE_GAP_S: Final = 0.1
"""What a step may take, in seconds, while somebody is being answered and others wait for their first token."""
FIRST_CHUNK: Final = 32
"""Prompt tokens of such a step before it is known how long they take."""
LEAST_CHUNK: Final = 16
"""Prompt tokens of such a step on the slowest machine: they do not wait for ever."""
MOST_CHUNK: Final = 1 << 16
"""More than any step holds."""
ROOM: Final = 64
"""Cells that must be free for an answer beyond its prompt before it begins beside others."""


@dataclass(frozen=True, slots=True)
class Need:
    """What an answer could use in the next step."""

    missing: int
    """Tokens its sequence lacks: 1 is the next token of a stream, 0 that it cannot go on just now."""
    live: bool = False
    """It has said something: somebody reads along."""
    background: bool = False


@dataclass(frozen=True, slots=True)
class Bid:
    """An answer that waits or works, and the cells it takes."""

    cells: int
    background: bool = False


def shares(needs: Sequence[Need], limit: int, live_chunk: int, turn: int = 0) -> list[int]:
    """How many tokens of a step of at most `limit` each answer gets.

    While a person waits, background work gets nothing. Streams get their next token first. What is left is shared by
    those that evaluate a prompt: evenly, but nobody gets more than is missing, so a short question does not wait for a
    long one. Beside a live stream all of them together get at most `live_chunk`. `turn` counts the steps: where there
    is too little for all, another one is first each time.
    """
    given = [0] * len(needs)
    background = all(need.background for need in needs)
    order = [(turn + i) % len(needs) for i in range(len(needs))]
    mine = [i for i in order if needs[i].missing > 0 and needs[i].background == background]
    left = limit
    for i in mine:
        if needs[i].missing == 1 and left:
            given[i] = 1
            left -= 1
    if any(need.live and need.background == background for need in needs):
        left = min(left, live_chunk)
    prompts = sorted((i for i in mine if needs[i].missing > 1), key=lambda i: needs[i].missing)
    for done, i in enumerate(prompts):
        even = -(-left // (len(prompts) - done))
        given[i] = min(needs[i].missing, even)
        left -= given[i]
    return given


def admission(
    waiting: Sequence[Bid], active: Sequence[Bid], sequences: int, cells: int
) -> tuple[int, tuple[int, ...]] | None:
    """Which of `waiting` (longest first) begins now, and which of `active` must pause for it; None: nobody begins.

    People go before background work, which begins only while nobody else is answered and pauses, newest first, where a
    person needs its place. Nobody is passed by a later one of the same kind, and whoever is alone may always begin.
    """
    people = [i for i, bid in enumerate(waiting) if not bid.background]
    if people:
        first = people[0]
        yielding = [i for i, bid in enumerate(active) if bid.background]
    elif waiting and all(bid.background for bid in active):
        first, yielding = 0, []
    else:
        return None
    paused: list[int] = []
    while True:
        working = [bid for i, bid in enumerate(active) if i not in paused]
        taken = sum(bid.cells for bid in working) + ROOM * len(working)
        fits = taken + waiting[first].cells + ROOM <= cells
        if len(working) < sequences and (fits or not working):
            return first, tuple(paused)
        if not yielding:
            return None
        paused.append(yielding.pop())


class Pace:
    """Learns from the steps how many prompt tokens fit one beside a live stream."""

    def __init__(self, gap_s: float = LIVE_GAP_S) -> None:
        self._gap_s = gap_s
        self._stream_s = 0.0
        self._token_s: float | None = None

    def learn(self, prompt: int, seconds: float) -> None:
        """A step with `prompt` prompt tokens took `seconds`."""
        if prompt == 0:
            self._stream_s = seconds if not self._stream_s else (self._stream_s + seconds) / 2
        elif prompt >= LEAST_CHUNK:
            token_s = max(0.0, seconds - self._stream_s) / prompt
            self._token_s = token_s if self._token_s is None else (self._token_s + token_s) / 2

    @property
    def chunk(self) -> int:
        """Prompt tokens for the next step beside a live stream."""
        if self._token_s is None:
            return FIRST_CHUNK
        spare_s = self._gap_s - self._stream_s
        if spare_s <= LEAST_CHUNK * self._token_s:
            return LEAST_CHUNK
        return int(min(MOST_CHUNK, spare_s / self._token_s)) if self._token_s > 0 else MOST_CHUNK
