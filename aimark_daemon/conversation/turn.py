"""The turn table: which step may follow which, so that every turn ends exactly once.

A turn goes through phases; what happens to it is a `Step`. Transitions are in one table and anything absent from it
is refused with `OutOfOrder`, except that steps after the end are ignored: late results of cancelled stages are normal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Phase(StrEnum):
    """Where a turn is."""

    LISTENING = "listening"
    """Samples come in."""
    TRANSCRIBING = "transcribing"
    """The utterance is complete, its words are not known yet."""
    ANSWERING = "answering"
    """The model or a command produces the answer; finished clauses are already spoken."""
    SPEAKING = "speaking"
    """The answer's text is complete, its sound is not."""
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED: Final = frozenset({Phase.DONE, Phase.CANCELLED, Phase.FAILED})


class Step(StrEnum):
    """What happens to a turn."""

    RELEASE = "release"
    """The microphone's input ended."""
    UNDERSTAND = "understand"
    """The transcript is there."""
    ANSWER = "answer"
    """The answer's text is complete."""
    FALL_SILENT = "fall_silent"
    """All of the answer's sound was sent."""
    CANCEL = "cancel"
    FAIL = "fail"


TABLE: Final[dict[tuple[Phase, Step], Phase]] = {
    (Phase.LISTENING, Step.RELEASE): Phase.TRANSCRIBING,
    (Phase.TRANSCRIBING, Step.UNDERSTAND): Phase.ANSWERING,
    (Phase.ANSWERING, Step.ANSWER): Phase.SPEAKING,
    (Phase.SPEAKING, Step.FALL_SILENT): Phase.DONE,
    **{(phase, Step.CANCEL): Phase.CANCELLED for phase in Phase if phase not in ENDED},
    **{(phase, Step.FAIL): Phase.FAILED for phase in Phase if phase not in ENDED},
}


class OutOfOrder(Exception):  # noqa: N818 - reads as what happened
    """A step that cannot follow: a mistake in the conductor, never the user's."""


class TurnState(msgspec.Struct, frozen=True):
    """A turn between two steps. A typed utterance begins `ANSWERING`, a spoken one `LISTENING`."""

    phase: Phase = Phase.LISTENING

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen."""
        return self.phase in ENDED

    def after(self, step: Step) -> TurnState:
        """The turn after `step`.

        Raises:
            OutOfOrder: the table has no such transition.
        """
        if self.ended:
            return self
        try:
            return TurnState(TABLE[self.phase, step])
        except KeyError:
            raise OutOfOrder(f"{step} while {self.phase}") from None
