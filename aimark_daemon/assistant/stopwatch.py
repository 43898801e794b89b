"""Where a turn's time went: the first moment of each stage, counted from the complete utterance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from aimark_daemon.protocol.messages import Timings

Stage = Literal["transcript", "prefill", "first_token", "first_clause", "first_audio", "end"]


class Stopwatch:
    """Marks stages; only the first mark of a stage counts. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = clock()
        self._marks: dict[str, float] = {}

    def mark(self, stage: Stage) -> None:
        """The stage was reached now."""
        self.note(stage, self.elapsed_s())

    def elapsed_s(self) -> float:
        """Seconds since the complete utterance."""
        return self._clock() - self._start

    def note(self, stage: Stage, seconds: float) -> None:
        """The stage was reached `seconds` after the complete utterance, as somebody else measured."""
        self._marks.setdefault(stage + "_s", round(seconds, 4))

    def timings(self) -> Timings:
        """The marks so far, in seconds."""
        return Timings(**self._marks)
