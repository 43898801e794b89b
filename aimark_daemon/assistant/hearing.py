"""One open microphone stream: frames go to the hearing engine as they come, the transcript comes at the end."""

from __future__ import annotations

import asyncio

from aimark_daemon.assistant.faults import FRAMES_LOST, LISTEN_CANCELLED, LISTEN_TOO_LONG, NOTHING_HEARD
from aimark_daemon.assistant.thinking import revived
from aimark_daemon.conversation.turn import Step, TurnState
from aimark_daemon.engines.base import HEAR, HearRequest, Language, Partial, Transcript
from aimark_daemon.errors import AimarkError
from aimark_daemon.protocol.audio import MIC_RATE, AudioFrame
from aimark_daemon.workers.base import Call, Worker
from aimark_daemon.workers.exits import is_death

LIMIT_S = 600
"""Longest utterance, in seconds: a stuck key ends here, and so does the memory that its samples take."""
_PIECE = 1 << 16


class Hearing:
    """A stream being heard. Frames must come in sequence. `now` is in seconds of any steady clock.

    All samples are kept until the transcript is there: when the engine dies, the next one hears them once more.
    """

    def __init__(self, worker: Worker, language: Language, now: float) -> None:
        self._worker = worker
        self._language: Language = language
        self._expected = 0
        self._pcm = bytearray()
        self._news = asyncio.Event()
        self._cancelled = False
        self.fed_at = now
        """When the last frame was taken."""
        self.complete = False
        """Whether the input has ended."""
        self.turn = TurnState()
        """The turn that is being spoken."""
        self._task = asyncio.create_task(self._hear(), name="hear")
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def feed(self, frame: AudioFrame, now: float) -> None:
        """Take the next frame.

        Raises:
            AimarkError: `frames_lost`, `listen_too_long`, or the engine's fault.
        """
        if frame.sequence != self._expected:
            raise FRAMES_LOST(expected=self._expected, got=frame.sequence)
        self._expected += 1
        if len(self._pcm) + len(frame.pcm) > 2 * LIMIT_S * MIC_RATE:
            raise LISTEN_TOO_LONG(limit_s=LIMIT_S)
        if self._task.done():
            self._task.result()
        self._pcm += frame.pcm
        self._news.set()
        self.fed_at = now

    async def end(self) -> Transcript:
        """The stream is complete: what was heard.

        Raises:
            AimarkError: `nothing_heard`, `listen_cancelled`, or the engine's fault.
        """
        self.complete = True
        self.turn = self.turn.after(Step.RELEASE)
        self._news.set()
        try:
            transcript = await self._task
        finally:
            self._task.cancel()
            if self._cancelled:
                raise LISTEN_CANCELLED() from None
        if not transcript.text.strip():
            raise NOTHING_HEARD()
        self.turn = self.turn.after(Step.UNDERSTAND)
        return transcript

    def cancel(self) -> None:
        """Forget the stream."""
        self._cancelled = True
        self._task.cancel()

    async def _hear(self) -> Transcript:
        """What one child hears, or the one after it if that dies."""
        before = self._worker.status.facts
        try:
            return await self._attempt()
        except AimarkError as error:
            if not is_death(error.fault):
                raise
            await revived(self._worker, before, error.fault)
        return await self._attempt()

    async def _attempt(self) -> Transcript:
        call = self._worker.call(HEAR, HearRequest(language=self._language))
        pump = asyncio.create_task(self._pump(call), name="hear pump")
        try:
            return await call.result()
        finally:
            call.cancel()
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, call: Call[Partial, Transcript]) -> None:
        """Give all samples to a call, those there are and those that come, at the engine's pace."""
        at = 0
        while True:
            self._news.clear()
            while at < len(self._pcm):
                piece = bytes(self._pcm[at : at + _PIECE])
                at += len(piece)
                await call.feed(piece)
            if self.complete:
                await call.end_input()
                return
            await self._news.wait()
