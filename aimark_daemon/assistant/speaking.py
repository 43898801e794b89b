"""The speaker of one turn: cuts the growing answer into clauses and has each spoken while the model goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from aimark_daemon.assistant.faults import NO_VOICE_FOR_LANGUAGE
from aimark_daemon.assistant.running import Voice
from aimark_daemon.assistant.stopwatch import Stopwatch
from aimark_daemon.assistant.thinking import revived
from aimark_daemon.conversation.clauses import ClauseCutter
from aimark_daemon.conversation.language import TextLanguage
from aimark_daemon.conversation.pace import Pace
from aimark_daemon.conversation.speakable import spoken_runs
from aimark_daemon.engines.base import SPEAK, SpeakRequest
from aimark_daemon.errors import AimarkError, Fault, Text, as_fault
from aimark_daemon.protocol.audio import MAX_PCM_BYTES, AudioFrame, FrameKind
from aimark_daemon.protocol.messages import Notice, SpeechClause, SpeechEnded, SpeechStarted
from aimark_daemon.roster import Roster
from aimark_daemon.workers.base import Worker
from aimark_daemon.workers.exits import is_death

log = logging.getLogger("aimark.speaking")

_NAMES: Final[dict[TextLanguage, Text]] = {"ko": Text("Korean", "한국어"), "en": Text("English", "영어")}

DEFAULT_RATE: Final = 22_050
"""Hz of a voice that does not tell its own."""
AHEAD_S = 30.0
"""How far sound may be sent ahead of its playing: enough for no gap, little enough for a client's memory."""


class Speaker:
    """Speaks one answer. Feed it text, then `finish`; `cancel` ends it at once. Its faults never fail the turn.

    A clause is spoken as soon as the one before it is made, however long that plays. All sound of the answer has the
    rate of its first voice, whoever speaks later. Nothing more is spoken for a `listener` that has left.
    """

    def __init__(
        self,
        turn: int,
        *,
        roster: Roster,
        listener: Voice,
        stopwatch: Stopwatch,
        speed: float,
        clock: Callable[[], float],
    ) -> None:
        self._turn = turn
        self._roster = roster
        self._listener = listener
        self._stopwatch = stopwatch
        self._speed = speed
        self._clock = clock
        self._cutter = ClauseCutter()
        self._clauses: asyncio.Queue[str | None] = asyncio.Queue()
        self._frames = 0
        self._samples = 0
        self._rate: int | None = None
        self._language: TextLanguage = "ko" if listener.language == "ko" else "en"
        self._began: float | None = None
        self._pace = Pace()
        self._told: set[str] = set()
        self._task = asyncio.create_task(self._run(), name=f"speak turn {turn}")

    def feed(self, text: str) -> None:
        """More of the answer; complete clauses go to the voice."""
        self._enqueue(self._cutter.feed(text))

    async def finish(self) -> None:
        """Speak what is left and wait until all sound was sent."""
        self._enqueue(self._cutter.flush())
        self._clauses.put_nowait(None)
        await self._task

    async def cancel(self) -> None:
        """Stop at once; nothing more is sent."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _enqueue(self, clauses: list[str]) -> None:
        for clause in clauses:
            self._stopwatch.mark("first_clause")
            self._clauses.put_nowait(clause)

    async def _run(self) -> None:
        while (clause := await self._clauses.get()) is not None:
            try:
                await self._speak(clause)
            except AimarkError as error:
                self._tell(error.fault)
            except Exception as error:
                log.exception("a clause of turn %d could not be spoken", self._turn)
                self._tell(as_fault(error))
        if self._frames:
            self._listener.send(SpeechEnded(turn=self._turn, samples=self._samples))

    async def _speak(self, clause: str) -> None:
        """Have each part of a clause spoken by a voice of its language."""
        start = self._samples
        runs = spoken_runs(clause, self._language)
        if runs:
            self._language = max(runs, key=lambda run: len(run[0]))[1]
        for text, spoken_in in runs:
            if not self._listener.open:
                return
            worker = await self._roster.get("tts")
            facts = await worker.ready()
            if spoken_in not in facts.languages:
                name = _NAMES[spoken_in]
                self._tell(NO_VOICE_FOR_LANGUAGE.fault(language=name.en, language_ko=name.ko))
                continue
            self._rate = self._rate or facts.sample_rate or DEFAULT_RATE
            request = SpeakRequest(text, spoken_in, self._speed, self._rate)
            await self._say(worker, request, self._rate, partial(self._announce, clause, start, spoken_in))

    async def _say(self, worker: Worker, request: SpeakRequest, rate: int, announce: Callable[[str], None]) -> None:
        """Have one text spoken; a voice that dies is replaced once, and goes on with the words that were not heard."""
        before, facts = self._samples, worker.status.facts
        try:
            await self._sound(worker, request, rate, announce)
        except AimarkError as error:
            if not is_death(error.fault):
                raise
            await revived(worker, facts, error.fault)
            rest = self._pace.rest(request.text, (self._samples - before) / rate * self._speed)
            if rest:
                await self._sound(worker, msgspec.structs.replace(request, text=rest), rate, announce)
        else:
            self._pace.learn(request.text, (self._samples - before) / rate * self._speed)

    async def _sound(self, worker: Worker, request: SpeakRequest, rate: int, announce: Callable[[str], None]) -> None:
        call = worker.call(SPEAK, request)
        try:
            async for audio in call:
                if not self._listener.open:
                    return
                if audio.pcm:
                    announce(audio.voice)
                    await self._send(audio.pcm, rate)
            await call.result()
        finally:
            call.cancel()

    def _announce(self, clause: str, start: int, language: str, voice: str) -> None:
        """Say before its first sound which clause begins, and who speaks it."""
        if not self._frames:
            self._listener.send(SpeechStarted(turn=self._turn, sample_rate=self._rate or DEFAULT_RATE))
        if self._samples == start:
            self._listener.send(SpeechClause(turn=self._turn, text=clause, start=start, language=language, voice=voice))

    async def _send(self, pcm: bytes, rate: int) -> None:
        for offset in range(0, len(pcm), MAX_PCM_BYTES):
            piece = pcm[offset : offset + MAX_PCM_BYTES]
            self._listener.send_audio(AudioFrame(FrameKind.SPEECH, self._turn, self._frames, piece))
            self._stopwatch.mark("first_audio")
            self._frames += 1
            self._samples += len(piece) // 2
            if self._began is None:
                self._began = self._clock()
            ahead = self._samples / rate - (self._clock() - self._began)
            if ahead > AHEAD_S:
                await asyncio.sleep(ahead - AHEAD_S)

    def _tell(self, fault: Fault) -> None:
        """Say once a turn that something is not spoken; the text is still shown."""
        if fault.code not in self._told:
            self._told.add(fault.code)
            self._listener.send(Notice(level="warning", fault=fault))
