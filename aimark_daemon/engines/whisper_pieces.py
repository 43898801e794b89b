"""Where a long recording is cut so that each piece fits Whisper's window. Pure; positions are samples at 16 kHz."""

from __future__ import annotations

from dataclasses import dataclass

from aimark_daemon.audio.spans import UNVOICED, VOICED, WINDOW
from aimark_daemon.protocol.audio import MIC_RATE

LEAD = MIC_RATE // 2
"""Kept before speech: its soft beginning lies below the threshold."""
LONG_PAUSE = MIC_RATE * 3 // 2
SHORT_PAUSE = MIC_RATE * 3 // 10
ENOUGH = 18 * MIC_RATE
"""From this length on a short pause is good enough to cut."""
LIMIT = 27 * MIC_RATE
"""At this length it is cut, at the quietest place of its second half."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples `start` to `end`, in which speech lies from `voiced_start` to `voiced_end`."""

    start: int
    end: int
    voiced_start: int
    voiced_end: int


class PieceCutter:
    """Fed with the voice probability of each window, tells pieces as soon as they are complete."""

    def __init__(self) -> None:
        self.start = 0
        """First sample that may still be needed; earlier ones can be forgotten."""
        self.voiced_start: int | None = None
        self.voiced_end = 0
        self._first_window = 0
        self._probabilities: list[float] = []

    @property
    def now(self) -> int:
        """Just past the last window."""
        return (self._first_window + len(self._probabilities)) * WINDOW

    @property
    def quiet(self) -> int:
        """For how many samples nobody has spoken; 0 before the piece's first word."""
        return 0 if self.voiced_start is None else self.now - self.voiced_end

    def push(self, probability: float) -> Piece | None:
        """Take the next window's probability of voice; a piece if one ended with it."""
        at = self.now
        self._probabilities.append(probability)
        if self.voiced_start is None:
            if probability < VOICED:
                self._forget(max(self.start, self.now - LEAD))
                return None
            self.voiced_start = at
            self.voiced_end = self.now
        elif probability >= UNVOICED:
            self.voiced_end = self.now
        length = self.now - self.start
        if self.quiet >= LONG_PAUSE or (length >= ENOUGH and self.quiet >= SHORT_PAUSE):
            return self._cut(self.now - self.quiet // 2)
        if length >= LIMIT:
            return self._cut(self._quietest())
        return None

    def finish(self, samples: int) -> Piece | None:
        """The last piece of a stream of `samples`; None if nobody spoke in it."""
        if self.voiced_start is None or self.voiced_start >= samples:
            return None
        return Piece(self.start, samples, self.voiced_start, min(self.voiced_end, samples))

    def _quietest(self) -> int:
        half = len(self._probabilities) // 2
        quiet = min(range(half, len(self._probabilities)), key=lambda i: self._probabilities[i])
        return (self._first_window + quiet) * WINDOW

    def _cut(self, at: int) -> Piece:
        assert self.voiced_start is not None
        piece = Piece(self.start, at, self.voiced_start, min(self.voiced_end, at))
        self.voiced_start = None
        self._forget(at)
        for index, probability in enumerate(self._probabilities):
            if probability >= VOICED:
                first = (self._first_window + index) * WINDOW
                self.voiced_start = first if self.voiced_start is None else self.voiced_start
                self.voiced_end = first + WINDOW
        return piece

    def _forget(self, before: int) -> None:
        self.start = before
        windows = before // WINDOW - self._first_window
        del self._probabilities[:windows]
        self._first_window += windows
