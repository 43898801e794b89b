"""End of turn: from voice and words as they come to the moment at which somebody has finished speaking. Pure.

Voice comes in blocks with a probability, words now and then; positions are seconds of the stream, and so is time:
sound that arrives late or early is judged the same. A short pause is a *soft* end (`Paused`): an answer may be prepared
in silence. The *hard* end (`Ended`) follows after a wait that depends on whether the words sound finished and on how
long this speaker's pauses are; speech that goes on before it (`Resumed`) was a hesitation.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

import msgspec

from aimark_daemon.conversation.finished import Ending, ending_of


class Began(msgspec.Struct, frozen=True):
    """Somebody speaks, since `start_s`."""

    start_s: float


class Paused(msgspec.Struct, frozen=True):
    """The soft end: silence since `voiced_end_s` for a moment."""

    voiced_end_s: float


class Resumed(msgspec.Struct, frozen=True):
    """The pause was none: speech goes on since `start_s`."""

    start_s: float


class Ended(msgspec.Struct, frozen=True):
    """The hard end, decided at `at_s`. "limit": an utterance without a pause that lasted too long."""

    start_s: float
    voiced_end_s: float
    at_s: float
    why: Literal["pause", "cap", "limit"] = "pause"


class Dropped(msgspec.Struct, frozen=True):
    """What sounded like speech until `voiced_end_s` has no words; decided at `at_s`."""

    voiced_end_s: float
    at_s: float


Decision = Began | Paused | Resumed | Ended | Dropped


class Rules(msgspec.Struct, frozen=True):
    """Seconds."""

    min_speech_s: float = 0.09
    """Shorter sounds are clicks."""
    resume_s: float = 0.06
    """After a pause this much voice is speech again."""
    soft_s: float = 0.12
    finished_s: tuple[float, float] = (0.25, 0.6)
    """Shortest and longest wait after words that sound finished; the speaker's pauses choose between them."""
    unknown_s: tuple[float, float] = (0.5, 0.9)
    open_s: tuple[float, float] = (0.9, 1.2)
    cap_s: float = 2.0
    """No question is held longer after its last word, whatever noise goes on."""
    limit_s: float = 120.0
    """Longest utterance."""
    again_s: float = 1.5
    """Speech that begins so soon after the last was a pause, and the end too early: the speaker is slower."""


VOICED: Final = 0.5
UNVOICED: Final = 0.35
"""Probabilities at which voice begins and below which it ends: those of the detector's authors."""
_ROUNDING: Final = 1e-6
LONGEST_S: Final = 1.2
"""Longest pause that is learnt."""
MANY: Final = 48
FEW: Final = 3
SHARE: Final = 0.9


class Pauses:
    """How long a speaker's pauses inside utterances are: a quantile of the last few dozen."""

    def __init__(self) -> None:
        self._lengths: deque[float] = deque(maxlen=MANY)

    def learn(self, seconds: float) -> None:
        """The speaker went on after so long."""
        self._lengths.append(min(max(seconds, 0.0), LONGEST_S))

    @property
    def usual_s(self) -> float:
        """Nine of ten pauses are shorter; 0 while too few were heard."""
        if len(self._lengths) < FEW:
            return 0.0
        ordered = sorted(self._lengths)
        return ordered[min(len(ordered) - 1, int(SHARE * len(ordered)))]


class Onset:
    """Where speech begins: at `needed_s` seconds of voice without a break. Anything shorter is a click."""

    def __init__(self, needed_s: float) -> None:
        self._needed_s = needed_s
        self.since: float | None = None
        """Where voice began that may become speech."""

    def push(self, probability: float, begins: float, until: float) -> bool:
        """The next block; whether speech has begun with it."""
        if probability < VOICED:
            self.since = None
            return False
        if self.since is None:
            self.since = begins
        return until - self.since >= self._needed_s - _ROUNDING


class Endpoint:
    """Hears one stream. Give it every block (`voice`) in order, and words (`words`) as they become known."""

    def __init__(self, rules: Rules | None = None, pauses: Pauses | None = None) -> None:
        self._rules = rules or Rules()
        self.pauses = pauses or Pauses()
        self._now = 0.0
        self._phase: Literal["waiting", "speaking", "paused"] = "waiting"
        self._onset = Onset(self._rules.min_speech_s)
        self._start = self._stretch = 0.0
        self._voiced_end = 0.0
        self._told_pause = False
        self._words: str | None = None
        self._said: str | None = None
        self._said_by = 0.0
        """When the words so far had first been said: noise after them adds none."""
        self._last_end: float | None = None

    @property
    def speaking(self) -> bool:
        """Whether an utterance is under way, pauses included."""
        return self._phase != "waiting"

    @property
    def since_s(self) -> float:
        """Where the utterance under way began, or the last one."""
        return self._start

    @property
    def voiced_s(self) -> float:
        """For how long somebody has been speaking without a pause; 0 in one."""
        return self._now - self._stretch if self._phase == "speaking" else 0.0

    def begin_at(self, at_s: float) -> None:
        """Blocks follow from `at_s` on, perhaps once more; nobody speaks yet. What was learnt is kept."""
        self._now, self._phase, self._onset = at_s, "waiting", Onset(self._rules.min_speech_s)

    @property
    def wait_s(self) -> float:
        """How long a pause after the present words must be to end the utterance."""
        if self._words is None:
            # Nothing can be answered before its words are known: waiting for them costs nothing.
            return self._rules.open_s[1]
        ending = ending_of(self._words)
        shortest, longest = {
            Ending.FINISHED: self._rules.finished_s,
            Ending.UNKNOWN: self._rules.unknown_s,
            Ending.OPEN: self._rules.open_s,
        }[ending]
        return min(max(self.pauses.usual_s * 1.1, shortest), longest)

    def voice(self, probability: float, until_s: float) -> list[Decision]:
        """The next block, which ends at `until_s`, is voice with this probability, 0..1."""
        begins, self._now = self._now, until_s
        match self._phase:
            case "waiting":
                return self._while_waiting(probability, begins)
            case "speaking":
                return self._while_speaking(probability)
            case "paused":
                return self._while_paused(probability, begins)

    def words(self, text: str, voiced_end_s: float) -> list[Decision]:
        """What was said until `voiced_end_s`, perhaps nothing. Words from before the last speech decide nothing."""
        if self._phase == "waiting" or voiced_end_s < self._voiced_end - _ROUNDING:
            return []
        self._words = text
        if text != self._said:
            self._said, self._said_by = text, self._voiced_end
        return self._judge() if self._phase == "paused" else []

    def _while_waiting(self, probability: float, begins: float) -> list[Decision]:
        if not self._onset.push(probability, begins, self._now):
            return []
        self._start = self._stretch = self._onset.since or 0.0
        self._voiced_end, self._phase, self._words, self._said = self._now, "speaking", None, None
        if self._last_end is not None and self._start - self._last_end <= self._rules.again_s:
            self.pauses.learn(self._start - self._last_end)
        return [Began(self._start)]

    def _while_speaking(self, probability: float) -> list[Decision]:
        if probability >= UNVOICED:
            self._voiced_end, self._words = self._now, None
            return [self._end("limit")] if self._now - self._start >= self._rules.limit_s else []
        self._phase, self._told_pause, self._onset = "paused", False, Onset(self._rules.resume_s)
        return self._judge()

    def _while_paused(self, probability: float, begins: float) -> list[Decision]:
        if not self._onset.push(probability, begins, self._now):
            return self._judge()
        start = self._stretch = self._onset.since or 0.0
        if start - self._voiced_end >= self._rules.soft_s:
            self.pauses.learn(start - self._voiced_end)
        told, self._phase, self._voiced_end, self._words = self._told_pause, "speaking", self._now, None
        return [Resumed(start)] if told else []

    def _judge(self) -> list[Decision]:
        """What the pause means by now."""
        quiet = self._now - self._voiced_end
        decisions: list[Decision] = []
        if quiet < self._rules.soft_s or self._onset.since is not None:
            return decisions
        if not self._told_pause:
            self._told_pause = True
            decisions.append(Paused(self._voiced_end))
        if self._words is not None and self._now - self._said_by >= self._rules.cap_s:
            decisions.append(self._end("cap"))
        elif quiet >= self.wait_s:
            decisions.append(self._end("pause"))
        return decisions

    def _end(self, why: Literal["pause", "cap", "limit"]) -> Decision:
        self._phase, self._last_end = "waiting", self._voiced_end
        self._onset = Onset(self._rules.min_speech_s)
        if self._words is not None and not self._words.strip():
            self._last_end = None
            return Dropped(self._voiced_end, self._now)
        return Ended(self._start, self._voiced_end, self._now, why)
