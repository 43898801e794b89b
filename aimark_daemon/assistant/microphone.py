"""An open microphone: one stream in which the assistant itself decides where each utterance ends."""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from aimark_daemon.assistant.faults import FRAMES_LOST
from aimark_daemon.assistant.thinking import revived
from aimark_daemon.conversation.endpoint import Decision, Dropped, Ended, Endpoint
from aimark_daemon.engines.base import ATTEND, BLOCK_S, AttendRequest, Attention, Language, Transcript
from aimark_daemon.errors import AimarkError
from aimark_daemon.names import named
from aimark_daemon.protocol.audio import MIC_RATE, AudioFrame
from aimark_daemon.workers.base import Call, Worker
from aimark_daemon.workers.exits import is_death
from aimark_daemon.workers.faults import STOPPED

PRE_ROLL_S = 1.0
"""Kept from before speech: its soft beginning, and what the detector needs to settle."""
SETTLE_S = 0.5
"""Sound from before the end of an utterance that is heard again for the next, as far as nobody spoke in it."""
AHEAD_S = 20.0
"""Sound that may wait to be heard; more is not taken until there is room."""
STALL_S = 3.0
"""A client that sends nothing for so long in the middle of an utterance has ended it."""
_PIECE = 1 << 16


class Follower(Protocol):
    """Who is told what the microphone hears. Positions are seconds of the stream."""

    def decided(self, decision: Decision) -> None:
        """Speech began, paused, went on, ended or was none."""

    def voiced(self, seconds: float) -> None:
        """Somebody has been speaking without a pause for so long."""

    def understood(self, transcript: Transcript) -> None:
        """What was said so far of the utterance under way."""

    async def said(self, transcript: Transcript) -> None:
        """A whole utterance. The next one is told when this returns."""

    def heard_through(self, frame: AudioFrame) -> AudioFrame:
        """The frame as it may be heard."""

    def left(self) -> None:
        """The stream is over, whatever was being said."""


class OpenMicrophone:
    """A stream being heard. Frames must come in sequence. `now` is in seconds of any steady clock."""

    def __init__(self, worker: Worker, language: Language, now: float, follower: Follower) -> None:
        self._worker = worker
        self._language: Language = language
        self._follower = follower
        self._endpoint = Endpoint()
        self._expected = 0
        self._pcm = bytearray()
        self._first = 0
        """Position of the first sample that is kept."""
        self._heard = 0
        """Position up to which the engine has told of voice."""
        self._over = False
        """The utterance under way has to end without a pause."""
        self._news = asyncio.Event()
        self._progress = asyncio.Event()
        self.fed_at = now
        """When the last frame was taken."""
        self.complete = False
        """Whether the input has ended."""
        self._task = asyncio.create_task(self._hear(), name="attend")
        self._task.add_done_callback(self._ended)

    async def feed(self, frame: AudioFrame, now: float) -> None:
        """Take the next frame; waits while too much sound waits to be heard.

        Raises:
            AimarkError: `frames_lost`, or the engine's fault.
        """
        if frame.sequence != self._expected:
            raise FRAMES_LOST(expected=self._expected, got=frame.sequence)
        self._expected += 1
        self._pcm += self._follower.heard_through(frame).pcm
        self.fed_at = now
        self._news.set()
        while self._total - self._heard > AHEAD_S * MIC_RATE and not self._task.done():
            self._progress.clear()
            await self._progress.wait()
        if self._task.done():
            self._task.result()

    async def finish(self) -> None:
        """No more sound follows: what was being said is an utterance, too.

        Raises:
            AimarkError: the engine's fault.
        """
        self.complete = True
        self._news.set()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    def cancel(self) -> None:
        """Forget the stream."""
        self._task.cancel()

    @property
    def speaking(self) -> bool:
        """Whether an utterance is under way."""
        return self._endpoint.speaking

    @property
    def fed_s(self) -> float:
        """How much sound was taken, in seconds."""
        return self._total / MIC_RATE

    @property
    def _total(self) -> int:
        return self._first + len(self._pcm) // 2

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._progress.set()
        self._follower.left()
        if not task.cancelled():
            task.exception()

    async def _hear(self) -> None:
        """One utterance after the other. An engine that dies is replaced, and hears the one under way once more."""
        start = 0
        while not (self.complete and start >= self._total):
            before = self._worker.status.facts
            try:
                start = await self._utterance(start)
            except AimarkError as error:
                if not is_death(error.fault):
                    raise
                if self._endpoint.speaking:
                    self._follower.decided(Dropped(self._heard / MIC_RATE, self._heard / MIC_RATE))
                await revived(self._worker, before, error.fault)
                start = self._first

    async def _utterance(self, start: int) -> int:
        """Hear from the sample `start` on until an utterance has ended; where the next one may begin."""
        self._forget(start)
        self._endpoint.begin_at(start / MIC_RATE)
        self._heard, self._over = start, False
        call = self._worker.call(ATTEND, AttendRequest(language=self._language))
        pump = asyncio.create_task(self._pump(call, start), name="attend pump")
        try:
            end, words = await self._until_end(call, start / MIC_RATE)
            if words is None and not pump.done():
                # Nobody ended or cancelled this call: its engine was replaced, and let it end early.
                raise STOPPED(name=named(self._worker.spec.name))
            if end is None or words is None:
                # The sound ended before the utterance did.
                words = _moved(await call.result(), start / MIC_RATE)
                speaking, following = self._endpoint.speaking, await pump
                if speaking:
                    at_s = following / MIC_RATE
                    end = Ended(self._endpoint.since_s, words.voiced_end_s or at_s, at_s, "limit")
                    self._follower.decided(end)
            else:
                following = max(round(end.voiced_end_s * MIC_RATE), self._heard - round(SETTLE_S * MIC_RATE))
        finally:
            call.cancel()
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        if isinstance(end, Ended):
            if words.text.strip():
                await self._follower.said(words)
            else:
                self._follower.decided(Dropped(end.voiced_end_s, end.at_s))
        return following

    async def _until_end(
        self, call: Call[Attention, Transcript], start_s: float
    ) -> tuple[Ended | Dropped | None, Transcript | None]:
        """Follow a call to the end of the utterance and its words. Without words: they are the call's result."""
        end: Ended | Dropped | None = None
        words: Transcript | None = None
        async for attention in call:
            if attention.transcript is not None:
                words = _moved(attention.transcript, start_s)
                if end is None and self._endpoint.speaking:
                    self._follower.understood(words)
                    end = self._tell(self._endpoint.words(words.text, words.voiced_end_s or 0.0))
            if end is None:
                end = self._listen(attention.blocks)
            match end:
                case None:
                    continue
                case Ended(why="limit"):
                    self._over = True
                    self._news.set()
                case Ended() | Dropped():
                    # Words that are late are waited for; the end stands.
                    if words is not None and (words.voiced_end_s or 0.0) >= end.voiced_end_s - BLOCK_S / 2:
                        return end, words
        return end, None

    def _listen(self, blocks: tuple[float, ...]) -> Ended | Dropped | None:
        end: Ended | Dropped | None = None
        for probability in blocks:
            self._heard += round(BLOCK_S * MIC_RATE)
            if end := self._tell(self._endpoint.voice(probability, self._heard / MIC_RATE)):
                break
        if self._endpoint.voiced_s:
            self._follower.voiced(self._endpoint.voiced_s)
        self._progress.set()
        needed_s = self._endpoint.since_s if self._endpoint.speaking or end else self._heard / MIC_RATE
        if (needed := round((needed_s - PRE_ROLL_S) * MIC_RATE)) > self._first + MIC_RATE:
            self._forget(needed)
        return end

    def _tell(self, decisions: list[Decision]) -> Ended | Dropped | None:
        end: Ended | Dropped | None = None
        for decision in decisions:
            self._follower.decided(decision)
            if isinstance(decision, Ended | Dropped):
                end = decision
        return end

    def _forget(self, before: int) -> None:
        if before > self._first:
            del self._pcm[: 2 * (before - self._first)]
            self._first = before

    async def _pump(self, call: Call[Attention, Transcript], at: int) -> int:
        """Give samples to a call as they come, at the engine's pace, until the utterance must end; how far it came."""
        while not self._over:
            self._news.clear()
            while at < self._total and not self._over:
                offset = 2 * (at - self._first)
                piece = bytes(self._pcm[offset : offset + _PIECE])
                at += len(piece) // 2
                await call.feed(piece)
            if self.complete:
                break
            try:
                async with asyncio.timeout(STALL_S):
                    await self._news.wait()
            except TimeoutError:
                if self._endpoint.speaking:
                    break
        await call.end_input()
        return at


def _moved(transcript: Transcript, by_s: float) -> Transcript:
    """With positions in the stream instead of in the call."""
    start, end = transcript.voiced_start_s, transcript.voiced_end_s
    return msgspec.structs.replace(
        transcript,
        voiced_start_s=None if start is None else start + by_s,
        voiced_end_s=None if end is None else end + by_s,
    )
