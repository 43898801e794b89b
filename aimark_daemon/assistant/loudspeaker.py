"""A client's loudspeaker as the assistant knows it: what is being played, held back while somebody may interrupt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.reading import FIRST_STREAM
from aimark_daemon.conversation.heard import reckoned_end
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import (
    Cancelled,
    Event,
    SpeechClause,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
    TurnError,
)

TAIL_S = 0.3
"""How long the sound of a loudspeaker goes on in the room, and in the client's buffers, after its last sample."""
REPORT_S = 0.5
"""How long a client may take to say how much it played; then it is reckoned by the clock."""


@dataclass(slots=True)
class Speech:
    """The sound of one turn. `until` is when it has been played, `clauses` their first samples and texts."""

    turn: int
    rate: int
    until: float = float("-inf")
    samples: int = 0
    clauses: list[tuple[int, str]] = field(default_factory=list)
    complete: bool = False
    """Whether all of its sound has come."""

    @property
    def end(self) -> int:
        """Where its last clause ends, or would have."""
        return self.samples if self.complete else reckoned_end(self.clauses, self.samples)

    def played(self, now: float) -> int:
        """How many samples have been played by `now`, by the clock."""
        return min(self.samples, max(0, self.samples - round(max(0.0, self.until - now) * self.rate)))


class Loudspeaker:
    """Passes everything on to the client (the `Listener` contract), and counts its sound. `clock`: steady seconds."""

    def __init__(self, listener: Listener, clock: Callable[[], float]) -> None:
        self._listener = listener
        self._clock = clock
        self._speeches: dict[int, Speech] = {}
        self._held: list[SpeechStarted | SpeechClause | SpeechEnded | AudioFrame] | None = None
        self._paused: Speech | None = None
        self._paused_at = 0.0
        self._stopped: dict[bool, int] = {}
        """The newest turn, and the newest reading, that was stopped: nothing more of it, or of older ones, is played.
        """
        self._reports: dict[int, asyncio.Future[int]] = {}

    @property
    def sounding(self) -> bool:
        """Whether sound can be heard now, as far as can be told from here."""
        return self._held is None and self._current(self._clock()) is not None

    @property
    def interrupted(self) -> bool:
        """Whether there is sound that is held back."""
        return self._paused is not None or bool(self._held)

    @property
    def language(self) -> str:
        """The client's language."""
        return self._listener.language

    def send(self, event: Event) -> None:
        """Pass a message on; what is about sound, when the sound is."""
        if isinstance(event, SpeechStarted | SpeechClause | SpeechEnded):
            self._pass(event)
            return
        if isinstance(event, Cancelled | TurnError | SpeechStopped):
            self._drop(event.turn)
        self._listener.send(event)

    def send_audio(self, frame: AudioFrame) -> None:
        """Pass sound on: it is played after what was sent before."""
        self._pass(frame)

    def pause(self) -> None:
        """Somebody speaks: hold back what is being played, and what would be."""
        if self._held is not None:
            return
        self._held, self._paused_at = [], self._clock()
        self._paused = self._current(self._paused_at)
        if self._paused is not None:
            self._listener.send(SpeechPaused(turn=self._paused.turn))

    def resume(self) -> None:
        """Nobody speaks any more, or nobody meant to interrupt: go on where the sound was."""
        if self._held is None:
            return
        (held, self._held), (paused, self._paused) = (self._held, None), (self._paused, None)
        if paused is not None:
            late_s = self._clock() - self._paused_at
            for speech in self._speeches.values():
                if speech.until + TAIL_S > self._paused_at:
                    speech.until += late_s
            self._listener.send(SpeechResumed(turn=paused.turn))
        for item in held:
            self._pass(item)

    def stop(self) -> list[tuple[Speech, int]]:
        """Somebody interrupts: nothing of what is being played, or held back, is played any more.

        What was cut off, and how many samples of it were played by the clock. What comes later is still held back.
        """
        at = self._clock() if self._held is None else self._paused_at
        playing = [speech for speech in self._speeches.values() if at < speech.until + TAIL_S]
        unheard = [Speech(item.turn, item.sample_rate) for item in self._held or () if isinstance(item, SpeechStarted)]
        self._speeches.clear()
        self._held, self._paused, self._paused_at = [], None, self._clock()
        for speech in (*playing, *unheard):
            reading = speech.turn >= FIRST_STREAM
            self._stopped[reading] = max(speech.turn, self._stopped.get(reading, 0))
        for speech in playing:
            self._reports[speech.turn] = asyncio.get_running_loop().create_future()
            self._listener.send(SpeechStopped(turn=speech.turn))
        return [(speech, speech.played(at)) for speech in (*playing, *unheard)]

    async def report(self, speech: Speech, reckoned: int) -> int:
        """How many samples of a speech that was stopped the client has played, as it says, or else `reckoned`."""
        report = self._reports.get(speech.turn)
        if report is None:
            return reckoned
        try:
            async with asyncio.timeout(REPORT_S):
                played_ms = await report
        except TimeoutError:
            return reckoned
        finally:
            del self._reports[speech.turn]
        return min(speech.samples, max(0, played_ms * speech.rate // 1000))

    def reported(self, turn: int, played_ms: int) -> None:
        """The client says how much of a turn's speech it played."""
        report = self._reports.get(turn)
        if report is not None and not report.done():
            report.set_result(played_ms)

    def _drop(self, turn: int) -> None:
        """Its sound was cut off from elsewhere, and clients play no more of it."""
        self._speeches.pop(turn, None)
        if self._paused is not None and self._paused.turn == turn:
            self._paused = None
        if self._held is not None:
            self._held = [item for item in self._held if _turn_of(item) != turn]

    def _current(self, now: float) -> Speech | None:
        return next((speech for speech in self._speeches.values() if now < speech.until + TAIL_S), None)

    def _pass(self, item: SpeechStarted | SpeechClause | SpeechEnded | AudioFrame) -> None:
        turn = _turn_of(item)
        if turn <= self._stopped.get(turn >= FIRST_STREAM, -1):
            return
        if self._held is not None:
            self._held.append(item)
            return
        now = self._clock()
        match item:
            case SpeechStarted():
                self._speeches = {t: s for t, s in self._speeches.items() if now < s.until + TAIL_S}
                self._speeches[turn] = Speech(turn, item.sample_rate)
            case SpeechClause() if turn in self._speeches:
                self._speeches[turn].clauses.append((item.start, item.text))
            case SpeechEnded() if turn in self._speeches:
                self._speeches[turn].complete = True
            case AudioFrame() if turn in self._speeches:
                speech, samples = self._speeches[turn], len(item.pcm) // 2
                begins = max([now, *(s.until for s in self._speeches.values())])
                speech.until = begins + samples / speech.rate
                speech.samples += samples
        if isinstance(item, AudioFrame):
            self._listener.send_audio(item)
        else:
            self._listener.send(item)


def _turn_of(item: SpeechStarted | SpeechClause | SpeechEnded | AudioFrame) -> int:
    return item.stream if isinstance(item, AudioFrame) else item.turn
