"""Reading aloud: a message that was said before, spoken again to the one client that asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.running import Voice
from aimark_daemon.assistant.speaking import Speaker
from aimark_daemon.assistant.stopwatch import Stopwatch
from aimark_daemon.protocol.messages import SpeechStopped
from aimark_daemon.roster import Roster

FIRST_STREAM: Final = 2**31
_STREAMS: Final = 2**31
"""Readings take the upper half of the stream numbers, so that none is taken for a turn."""


class Readings:
    """Who is being read to; each client hears one message at a time. `clock` gives monotonic seconds.

    `transform(clause, language)` gives what is spoken for a clause.
    """

    def __init__(
        self, roster: Roster, clock: Callable[[], float], transform: Callable[[str, str], Awaitable[str]]
    ) -> None:
        self._roster = roster
        self._transform = transform
        self._clock = clock
        self._count = 0
        self._going: dict[int, tuple[Voice, Listener, asyncio.Task[None]]] = {}

    def begin(self, listener: Listener, ear: Listener, text: str, speed: float) -> int:
        """Begin to speak `text`; returns the stream of its speech. `ear` gets its sound for the `listener`."""
        self.forget(listener)
        stream = FIRST_STREAM + self._count % _STREAMS
        self._count += 1
        voice = Voice(ear)
        task = asyncio.create_task(self._read(stream, voice, text, speed), name=f"read aloud {stream}")
        self._going[stream] = voice, listener, task
        task.add_done_callback(lambda _: self._going.pop(stream, None))
        return stream

    def cancel(self, stream: int) -> bool:
        """Fall silent, if it is still read; False if this is no reading's stream."""
        going = self._going.pop(stream, None)
        if going is not None:
            voice, _, task = going
            voice.send(SpeechStopped(turn=stream))
            voice.open = False
            task.cancel()
        return stream >= FIRST_STREAM

    def forget(self, listener: Listener) -> None:
        """Read nothing more to this client."""
        for stream, (_, whose, _) in list(self._going.items()):
            if whose is listener:
                self.cancel(stream)

    async def stop(self) -> None:
        """Fall silent for everyone."""
        tasks = [task for _, _, task in self._going.values()]
        for stream in list(self._going):
            self.cancel(stream)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, stream: int, voice: Voice, text: str, speed: float) -> None:
        speaker = Speaker(
            stream,
            roster=self._roster,
            listener=voice,
            stopwatch=Stopwatch(self._clock),
            speed=speed,
            clock=self._clock,
            transform=self._transform,
        )
        try:
            speaker.feed(text)
            await speaker.finish()
        finally:
            await speaker.cancel()
