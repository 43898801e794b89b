"""What a client learns of one turn, with the moments at which it learned it. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field

from aimark_daemon.audio.audible import first_audible_sample
from aimark_daemon.client import Arrival
from aimark_daemon.errors import Fault
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import (
    Cancelled,
    Delta,
    Done,
    Heard,
    Interrupted,
    Refused,
    SpeechHeard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
    TurnError,
    TurnStarted,
)

DEFAULT_RATE = 22_050


@dataclass(slots=True)
class TurnRecord:
    """The turn that request `request` began. All times are of the clock whose readings `take` is given."""

    request: int
    turn: int | None = None
    session: str | None = None
    heard: Heard | None = None
    reply: str = ""
    interruptions: int = 0
    """How often its engine died; the answer went on each time, or the turn failed."""
    finish: str = ""
    """Empty until the turn has ended."""
    fault: Fault | None = None
    done: Done | None = None
    rate: int = DEFAULT_RATE
    speech: bytearray = field(default_factory=bytearray)
    """Mono s16le at `rate` Hz."""
    heard_at: float | None = None
    first_token_at: float | None = None
    first_audio_at: float | None = None
    audible_at: float | None = None
    """When the first audible sample is played, if sound is played as it arrives."""
    played_until: float = 0.0
    """When the sound that has come is played out."""
    _paused_at: float | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more follows."""
        return self.finish != ""

    @property
    def speech_s(self) -> float:
        """How long the spoken answer is."""
        return len(self.speech) / 2 / self.rate

    def played_ms(self, at: float) -> int:
        """How much of the answer's sound has been played at the time `at`, in milliseconds."""
        return max(0, round(1000 * (self.speech_s - max(0.0, self.played_until - at))))

    def take(self, arrival: Arrival, at: float) -> None:
        """Learn from what arrived at the time `at`; what belongs to other turns is left alone."""
        match arrival:
            case TurnStarted(id=request, turn=turn, session=session) if request == self.request:
                self.turn, self.session = turn, session
            case Refused(id=request, fault=fault) if request == self.request:
                self._end("error", fault)
            case Heard(turn=turn) if turn == self.turn:
                self.heard, self.heard_at = arrival, at
            case Delta(turn=turn) if turn == self.turn:
                self.first_token_at = self.first_token_at or at
                self.reply += arrival.text
            case Interrupted(turn=turn) if turn == self.turn:
                self.interruptions += 1
            case Done(turn=turn) if turn == self.turn:
                self.done, self.reply = arrival, arrival.reply
                self._end(arrival.finish)
            case Cancelled(turn=turn) if turn == self.turn:
                self.reply = arrival.reply or self.reply
                self._end("cancelled")
            case TurnError(turn=turn) if turn == self.turn:
                self.reply = arrival.reply or self.reply
                self._end("error", arrival.fault)
            case _:
                self._take_sound(arrival, at)

    def _take_sound(self, arrival: Arrival, at: float) -> None:
        match arrival:
            case SpeechStarted(turn=turn) if turn == self.turn:
                self.rate = arrival.sample_rate
            case SpeechPaused(turn=turn) if turn == self.turn:
                self._paused_at = at
            case SpeechResumed(turn=turn) if turn == self.turn and self._paused_at is not None:
                self.played_until = max(self.played_until, self._paused_at) + at - self._paused_at
                self._paused_at = None
            case SpeechStopped(turn=turn) if turn == self.turn:
                stopped = self._paused_at if self._paused_at is not None else at
                del self.speech[2 * (self.played_ms(stopped) * self.rate // 1000) :]
                self.played_until = stopped
            case SpeechHeard(turn=turn) if turn == self.turn:
                self.reply = arrival.reply
            case AudioFrame(stream=turn, pcm=pcm) if turn == self.turn:
                self._hear(pcm, at)

    def _end(self, finish: str, fault: Fault | None = None) -> None:
        self.finish, self.fault = finish, fault

    def _hear(self, pcm: bytes, at: float) -> None:
        """A piece of sound begins to play when it arrives, or when what came before it has been played."""
        begins = max(at, self.played_until)
        self.first_audio_at = self.first_audio_at or at
        if self.audible_at is None and (sample := first_audible_sample(pcm)) is not None:
            self.audible_at = begins + sample / self.rate
        self.played_until = begins + len(pcm) / 2 / self.rate
        self.speech += pcm
