"""Ears: every client's microphones, from the frames that come in to the utterances whose turns begin."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Protocol

from aimark_daemon.assistant.handsfree import HandsFree
from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.loudspeaker import Loudspeaker
from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.assistant.stopwatch import Stopwatch
from aimark_daemon.assistant.streams import Streams
from aimark_daemon.config.types import Config
from aimark_daemon.conversation.turn import TurnState
from aimark_daemon.engines.base import Language, Transcript
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import HearingChanged
from aimark_daemon.roster import Roster
from aimark_daemon.store import AsyncStore


class Begin(Protocol):
    """Begins the turn of a spoken utterance."""

    async def __call__(
        self,
        text: str,
        session: str | None,
        speak: bool,
        listener: Listener,
        request: int,
        stopwatch: Stopwatch,
        transcript: Transcript,
        state: TurnState,
    ) -> RunningTurn:
        """Begin it; the turn's events follow."""


class Ears:
    """Belongs to the event loop; `clock` gives monotonic seconds."""

    def __init__(
        self,
        roster: Roster,
        store: AsyncStore,
        config: Callable[[], Config],
        clock: Callable[[], float],
        begin: Begin,
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._begin = begin
        self._streams = Streams(roster, clock)
        self._loudspeakers: dict[Listener, Loudspeaker] = {}
        self._gone: weakref.WeakSet[Listener] = weakref.WeakSet()

    @property
    def any(self) -> bool:
        """Whether someone is being heard."""
        return self._streams.any

    def loudspeaker(self, listener: Listener) -> Loudspeaker:
        """What is known of the client's loudspeaker."""
        if listener in self._gone:
            return Loudspeaker(listener, self._clock)
        return self._loudspeakers.setdefault(listener, Loudspeaker(listener, self._clock))

    async def open(
        self,
        listener: Listener,
        stream: int,
        *,
        language: Language,
        session: str | None,
        hands_free: bool,
        speak: bool,
        echo_cancelled: bool,
    ) -> None:
        """Open a microphone stream.

        Raises:
            AimarkError: unknown session, nothing here can hear (yet), or the stream is open already.
        """
        if session is not None:
            await self._store.get_session(session)
        heard_in = self._config().stt.language if language == "auto" else language

        async def begin(transcript: Transcript, state: TurnState, session: str | None) -> str:
            stopwatch = Stopwatch(self._clock)
            stopwatch.mark("transcript")
            turn = await self._begin(transcript.text, session, speak, listener, stream, stopwatch, transcript, state)
            return turn.session

        follower = HandsFree(
            listener,
            stream,
            session=session,
            loudspeaker=self.loudspeaker(listener),
            echo_cancelled=echo_cancelled,
            begin=begin,
        )
        await self._streams.open(listener, stream, heard_in, follower if hands_free else None)

    async def feed(self, listener: Listener, frame: AudioFrame) -> None:
        """Take a microphone frame.

        Raises:
            AimarkError: no such stream, a lost frame, or the engine's fault; the stream is closed then.
        """
        await self._streams.feed(listener, frame)

    async def end(self, listener: Listener, stream: int, *, session: str | None, speak: bool) -> int | None:
        """The stream is complete: transcribe it and begin its turn; returns the turn's number.

        A hands-free stream has begun its turns; what was being said is its last one.

        Raises:
            AimarkError: no such stream, nothing heard, cancelled meanwhile, or the engine's fault.
        """
        stopwatch = Stopwatch(self._clock)
        heard = await self._streams.end(listener, stream)
        if isinstance(heard, float):
            listener.send(HearingChanged(listen=stream, state="closed", at_s=round(heard, 3)))
            return None
        transcript, state = heard
        stopwatch.mark("transcript")
        turn = await self._begin(transcript.text, session, speak, listener, stream, stopwatch, transcript, state)
        return turn.number

    def close(self, listener: Listener, stream: int) -> bool:
        """Forget a stream; False if there is none."""
        return self._streams.close(listener, stream)

    def forget(self, listener: Listener) -> None:
        """A client left."""
        self._streams.close_all(listener)
        self._loudspeakers.pop(listener, None)
        self._gone.add(listener)

    def close_all(self) -> None:
        """Forget every stream."""
        self._streams.close_all()
