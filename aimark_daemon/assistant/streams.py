"""The open microphone streams of all clients, by client and the client's own number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aimark_daemon.assistant.faults import LISTEN_NOT_READY, LISTEN_OPEN, LISTEN_UNKNOWN
from aimark_daemon.assistant.hearing import Hearing
from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.microphone import Follower, OpenMicrophone
from aimark_daemon.conversation.turn import TurnState
from aimark_daemon.engines.base import Language, Transcript
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.roster import Roster

LISTEN_PATIENCE_S = 10.0
"""How long `listen` waits for a model that is being fetched: what the client sends meanwhile is held up."""
IDLE_S = 30.0
"""A stream that brings nothing for so long gives way to a new one: the engine hears only a few at a time."""


class Streams:
    """Opens, feeds and closes streams. `clock` gives steady seconds."""

    def __init__(self, roster: Roster, clock: Callable[[], float]) -> None:
        self._roster = roster
        self._clock = clock
        self._hearings: dict[tuple[Listener, int], Hearing | OpenMicrophone] = {}

    @property
    def any(self) -> bool:
        """Whether someone is being heard: a key is held, or an open microphone hears speech."""
        return any(not isinstance(h, OpenMicrophone) or h.speaking for h in self._hearings.values())

    async def open(self, listener: Listener, stream: int, language: Language, follower: Follower | None = None) -> None:
        """Begin to hear a stream: until its end, or, with a `follower`, one utterance after the other.

        Raises:
            AimarkError: nothing here can hear (yet), or the stream is open already.
        """
        try:
            async with asyncio.timeout(LISTEN_PATIENCE_S):
                worker = await self._roster.get("stt")
        except TimeoutError:
            raise LISTEN_NOT_READY() from None
        if (listener, stream) in self._hearings:
            raise LISTEN_OPEN(listen=stream)
        self._close_idle()
        now = self._clock()
        self._hearings[listener, stream] = (
            Hearing(worker, language, now) if follower is None else OpenMicrophone(worker, language, now, follower)
        )

    async def feed(self, listener: Listener, frame: AudioFrame) -> None:
        """Take a frame.

        Raises:
            AimarkError: no such stream, a lost frame, or the engine's fault; the stream is closed then.
        """
        hearing = self._hearings.get((listener, frame.stream))
        if hearing is None:
            raise LISTEN_UNKNOWN(listen=frame.stream)
        try:
            await hearing.feed(frame, self._clock())
        except BaseException:
            self.close(listener, frame.stream)
            raise

    async def end(self, listener: Listener, stream: int) -> tuple[Transcript, TurnState] | float:
        """The stream is complete: what was heard, and its turn; of an open microphone, its length in seconds.

        Raises:
            AimarkError: no such stream, nothing heard, cancelled meanwhile, or the engine's fault.
        """
        hearing = self._hearings.get((listener, stream))
        if hearing is None or hearing.complete:
            raise LISTEN_UNKNOWN(listen=stream)
        try:
            if isinstance(hearing, OpenMicrophone):
                await hearing.finish()
                return hearing.fed_s
            return await hearing.end(), hearing.turn
        finally:
            self._hearings.pop((listener, stream), None)

    def close(self, listener: Listener, stream: int) -> bool:
        """Forget a stream; False if there is none."""
        hearing = self._hearings.pop((listener, stream), None)
        if hearing is not None:
            hearing.cancel()
        return hearing is not None

    def close_all(self, listener: Listener | None = None) -> None:
        """Forget every stream, or those of one client."""
        for key in [key for key in self._hearings if listener is None or key[0] is listener]:
            self.close(*key)

    def _close_idle(self) -> None:
        for key, hearing in list(self._hearings.items()):
            if not hearing.complete and self._clock() - hearing.fed_at > IDLE_S:
                self.close(*key)
