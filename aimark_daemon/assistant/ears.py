"""Ears: every client's microphones, from the frames that come in to the utterances whose turns begin."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable
from functools import partial

from aimark_daemon.assistant.ahead import Ahead, MakeRequest
from aimark_daemon.assistant.answering import chat_request
from aimark_daemon.assistant.bargein import BargeIn
from aimark_daemon.assistant.handsfree import HandsFree
from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.loudspeaker import Loudspeaker, Speech
from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.assistant.stopwatch import Stopwatch
from aimark_daemon.assistant.streams import Streams
from aimark_daemon.assistant.utterance import Utterance
from aimark_daemon.config.types import Config
from aimark_daemon.conversation.slash import parse_slash
from aimark_daemon.conversation.turn import TurnState
from aimark_daemon.engines.base import Language, Transcript
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import HearingChanged
from aimark_daemon.roster import Roster
from aimark_daemon.store import AsyncStore

Begin = Callable[[Utterance], Awaitable[RunningTurn]]
"""Begins the turn of an utterance."""


class Ears:
    """Belongs to the event loop; `clock` gives monotonic seconds."""

    def __init__(
        self,
        roster: Roster,
        store: AsyncStore,
        config: Callable[[], Config],
        clock: Callable[[], float],
        begin: Begin,
        may_prepare: Callable[[str], bool],
        cut: Callable[[Listener, Speech, int], Awaitable[None]],
    ) -> None:
        """`may_prepare` says whether an answer may be prepared in a session; `cut` ends an interrupted speech."""
        self._cut = cut
        self._roster = roster
        self._store = store
        self._config = config
        self._clock = clock
        self._begin = begin
        self._may_prepare = may_prepare
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

        loudspeaker = self.loudspeaker(listener)
        follower = HandsFree(
            listener,
            stream,
            session=session,
            loudspeaker=loudspeaker,
            barge_in=BargeIn(loudspeaker, partial(self._cut, listener)),
            echo_cancelled=echo_cancelled,
            turns=_Turns(self, listener, stream, speak=speak),
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
        said = Utterance(
            transcript.text, session, speak, listener, stream, stopwatch, transcript=transcript, state=state
        )
        return (await self._begin(said)).number

    async def begin(self, said: Utterance) -> None:
        """Begin the turn of an utterance."""
        await self._begin(said)

    def stopwatch(self) -> Stopwatch:
        """A stopwatch that starts now."""
        return Stopwatch(self._clock)

    def prepare(self, text: str, session: str, *, new: bool, speak: bool) -> Ahead | None:
        """Ask the model for the answer to what may be a whole question. Commands have effects, and wait for its end.

        So may plugins: they are asked at the end, too, and where they change the prompt this answer is not used.
        """
        if parse_slash(text) is not None or not self._may_prepare(session):
            return None
        config = self._config()

        async def request() -> MakeRequest:
            history = [] if new else await self._store.history(session, config.llm.history_turns)
            return chat_request(session, history, text, config, spoken=speak and config.tts.enabled)

        return Ahead(text, request, self._roster, self._clock)

    def wake(self) -> None:
        """Somebody begins to speak: a language model that sleeps is loaded meanwhile."""
        self._roster.wake("llm")

    def played(self, listener: Listener, turn: int, ms: int) -> None:
        """The client says how much of a turn's speech it has played."""
        self.loudspeaker(listener).reported(turn, ms)

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


class _Turns:
    """Where the turns of one hands-free stream begin (the `Turns` contract)."""

    def __init__(self, ears: Ears, listener: Listener, stream: int, *, speak: bool) -> None:
        self._ears = ears
        self._listener = listener
        self._stream = stream
        self._speak = speak

    def wake(self) -> None:
        """Have the language model loaded."""
        self._ears.wake()

    def prepare(self, text: str, session: str, *, new: bool) -> Ahead | None:
        """Begin to answer in silence."""
        return self._ears.prepare(text, session, new=new, speak=self._speak)

    async def begin(
        self, transcript: Transcript, state: TurnState, session: str, *, new: bool, ahead: Ahead | None
    ) -> None:
        """Begin the turn of a whole utterance."""
        stopwatch = self._ears.stopwatch()
        stopwatch.mark("transcript")
        await self._ears.begin(
            Utterance(
                transcript.text,
                None if new else session,
                self._speak,
                self._listener,
                self._stream,
                stopwatch,
                transcript=transcript,
                state=state,
                ahead=ahead,
                new_id=session if new else None,
            )
        )
