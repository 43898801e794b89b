"""Speech spans: from voice probabilities of successive windows to where speech begins and ends. Pure.

The rule is the one of the Silero VAD authors' `get_speech_timestamps`: speech begins at a probability of 0.5, ends
where it stayed below 0.35 for 100 ms, and is not padded.
"""

from __future__ import annotations

from aimark_daemon.protocol.audio import MIC_RATE

WINDOW = 512
"""Samples of one probability: 32 ms at 16 kHz."""
VOICED = 0.5
UNVOICED = 0.35
MIN_SILENCE = MIC_RATE // 10

Span = tuple[int, int]
"""First sample of speech and the sample just past it."""


class SpeechSpans:
    """Fed with probabilities, tells the spans of speech so far. Samples count from the stream's first."""

    def __init__(self) -> None:
        self.closed: list[Span] = []
        self._windows = 0
        self._start: int | None = None
        self._falling: int | None = None

    @property
    def open_since(self) -> int | None:
        """Where the speech that still goes on began."""
        return self._start

    def push(self, probability: float) -> None:
        """Take the next window's probability of voice, 0..1."""
        at = self._windows * WINDOW
        self._windows += 1
        if probability >= VOICED:
            self._falling = None
            if self._start is None:
                self._start = at
        elif probability < UNVOICED and self._start is not None:
            if self._falling is None:
                self._falling = at
            if at - self._falling >= MIN_SILENCE:
                self.closed.append((self._start, self._falling))
                self._start = self._falling = None

    def ended(self, samples: int) -> list[Span]:
        """All spans of a stream that ended after `samples`; speech that still goes on ends there."""
        if self._start is None or self._start >= samples:
            return list(self.closed)
        return [*self.closed, (self._start, samples)]
