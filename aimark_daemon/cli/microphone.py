"""Microphone of recordings: feeds samples in real time by an absolute clock, and remembers when each block went."""

from __future__ import annotations

import asyncio
import time

from aimark_daemon.client import DaemonClient
from aimark_daemon.protocol.audio import MIC_RATE, AudioFrame, FrameKind

BLOCK = MIC_RATE // 50
"""Samples of one frame: 20 ms."""


class Microphone:
    """One recording on its way. `sent` holds, for each block, the moment (`time.perf_counter`) at which it was sent."""

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm
        self.sent: list[float] = []

    async def speak(self, client: DaemonClient, stream: int) -> None:
        """Send every block when a microphone would have recorded it.

        Raises:
            AimarkError: the connection was lost.
        """
        began = time.perf_counter()
        for number, offset in enumerate(range(0, len(self._pcm), 2 * BLOCK)):
            # From the beginning each time, so that no delay adds up.
            wait = began + (number + 1) * BLOCK / MIC_RATE - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            await client.send_audio(
                AudioFrame(FrameKind.MICROPHONE, stream, number, self._pcm[offset : offset + 2 * BLOCK])
            )
            self.sent.append(time.perf_counter())

    def sent_at(self, second: float | None) -> float:
        """When the block went that holds the last sample before `second` of the recording; None is its end."""
        if second is None:
            return self.sent[-1]
        block = (round(second * MIC_RATE) - 1) // BLOCK
        return self.sent[min(max(block, 0), len(self.sent) - 1)]
