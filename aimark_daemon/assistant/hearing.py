"""One open microphone stream: frames go to the hearing engine as they come, the transcript comes at the end."""

from __future__ import annotations

from aimark_daemon.assistant.faults import FRAMES_LOST, LISTEN_CANCELLED, LISTEN_TOO_LONG, NOTHING_HEARD
from aimark_daemon.engines.base import HEAR, HearRequest, Language, Partial, Transcript
from aimark_daemon.protocol.audio import MIC_RATE, AudioFrame
from aimark_daemon.workers.base import Call, Worker

LIMIT_S = 600
"""Longest utterance, in seconds: a stuck key ends here."""


class Hearing:
    """A stream being heard. Frames must come in sequence."""

    def __init__(self, worker: Worker, language: Language) -> None:
        self._call: Call[Partial, Transcript] = worker.call(HEAR, HearRequest(language=language))
        self._expected = 0
        self._samples = 0
        self._cancelled = False
        self.complete = False
        """Whether the input has ended."""

    async def feed(self, frame: AudioFrame) -> None:
        """Take the next frame.

        Raises:
            AimarkError: `frames_lost`, `listen_too_long`, or the engine's fault.
        """
        if frame.sequence != self._expected:
            raise FRAMES_LOST(expected=self._expected, got=frame.sequence)
        self._expected += 1
        self._samples += len(frame.pcm) // 2
        if self._samples > LIMIT_S * MIC_RATE:
            raise LISTEN_TOO_LONG(limit_s=LIMIT_S)
        await self._call.feed(frame.pcm)

    async def end(self) -> Transcript:
        """The stream is complete: what was heard.

        Raises:
            AimarkError: `nothing_heard`, `listen_cancelled`, or the engine's fault.
        """
        self.complete = True
        try:
            await self._call.end_input()
            transcript = await self._call.result()
        finally:
            if self._cancelled:
                raise LISTEN_CANCELLED() from None
        if not transcript.text.strip():
            raise NOTHING_HEARD()
        return transcript

    def cancel(self) -> None:
        """Forget the stream."""
        self._cancelled = True
        self._call.cancel()
