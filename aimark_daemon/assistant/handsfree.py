"""Hands-free: what becomes of the utterances of an open microphone - events for the client, and turns."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from aimark_daemon.assistant.ahead import Ahead
from aimark_daemon.assistant.bargein import BargeIn
from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.loudspeaker import Loudspeaker
from aimark_daemon.conversation.backchannel import is_backchannel
from aimark_daemon.conversation.endpoint import Began, Decision, Dropped, Ended, Paused, Resumed
from aimark_daemon.conversation.turn import Step, TurnState
from aimark_daemon.engines.base import BLOCK_S, Transcript
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import HeardSoFar, HearingChanged
from aimark_daemon.store.sessions import new_identity


class Turns(Protocol):
    """Where the turns of an open microphone begin."""

    def wake(self) -> None:
        """Somebody speaks: a language model that sleeps is needed soon."""

    def prepare(self, text: str, session: str, *, new: bool) -> Ahead | None:
        """Begin to answer `text` in silence; None for what must not be answered ahead. `new`: no such session yet."""

    async def begin(
        self, transcript: Transcript, state: TurnState, session: str, *, new: bool, ahead: Ahead | None
    ) -> None:
        """Begin the turn of a whole utterance."""


class HandsFree:
    """Follows one open microphone of a client (the `Follower` contract)."""

    def __init__(
        self,
        listener: Listener,
        stream: int,
        *,
        session: str | None,
        loudspeaker: Loudspeaker,
        barge_in: BargeIn,
        echo_cancelled: bool,
        turns: Turns,
    ) -> None:
        self._listener = listener
        self._stream = stream
        self._new = session is None
        self._session = session or new_identity()
        self._loudspeaker = loudspeaker
        self._barge_in = barge_in
        self._echo_cancelled = echo_cancelled
        self._turns = turns
        self._turn = TurnState()
        self._told = ""
        self._pause_s: float | None = None
        """Where the present pause began."""
        self._words: Transcript | None = None
        self._ahead: Ahead | None = None

    def heard_through(self, frame: AudioFrame) -> AudioFrame:
        """The frame as it may be heard: a microphone that hears the loudspeaker is deaf while it plays."""
        if self._echo_cancelled or not self._loudspeaker.sounding:
            return frame
        return msgspec.structs.replace(frame, pcm=bytes(len(frame.pcm)))

    def decided(self, decision: Decision) -> None:
        """Tell the client what the microphone hears; answer in silence at a pause."""
        match decision:
            case Began(start_s):
                self._turn, self._told = TurnState(), ""
                self._go_on()
                self._turns.wake()
                self._barge_in.began()
                self._tell("speech", start_s)
            case Paused(voiced_end_s):
                self._pause_s = voiced_end_s
                self._tell("pause", voiced_end_s)
                self._prepare()
            case Resumed(start_s):
                self._go_on()
                self._tell("speech", start_s)
            case Ended(voiced_end_s=voiced_end_s):
                self._turn = self._turn.after(Step.RELEASE)
                self._tell("ended", voiced_end_s)
            case Dropped(voiced_end_s=voiced_end_s):
                self._turn = self._turn.after(Step.CANCEL)
                self._go_on()
                self._barge_in.over("")
                self._tell("dropped", voiced_end_s)

    def voiced(self, seconds: float) -> None:
        """Somebody has been speaking for so long."""
        self._barge_in.voiced(seconds)

    def understood(self, transcript: Transcript) -> None:
        """Show the client what was understood so far."""
        self._words = transcript
        if self._at_pause() or not is_backchannel(transcript.text):
            self._barge_in.words(transcript.text)
        if transcript.text and transcript.text != self._told:
            self._told = transcript.text
            self._listener.send(HeardSoFar(listen=self._stream, text=transcript.text, language=transcript.language))
        self._prepare()

    async def said(self, transcript: Transcript) -> None:
        """Begin the turn. All utterances of a microphone that began without a session are in one."""
        ahead, self._ahead = self._ahead, None
        used = False
        try:
            if not self._barge_in.over(transcript.text):
                self._tell("dropped", transcript.voiced_end_s or 0.0)
                return
            await self._barge_in.settled()
            used = ahead is not None and ahead.text == transcript.text
            state, fitting = self._turn.after(Step.UNDERSTAND), ahead if used else None
            await self._turns.begin(transcript, state, self._session, new=self._new, ahead=fitting)
            self._new = False
        except BaseException:
            used = False
            raise
        finally:
            if ahead is not None and not used:
                ahead.discard()
            self._go_on()

    def left(self) -> None:
        """The stream is over."""
        self._go_on()
        self._barge_in.left()

    def _prepare(self) -> None:
        """Begin to answer the words before the present pause, once."""
        words = self._words
        if words is None or not self._at_pause() or not words.text.strip():
            return
        if self._barge_in.ignoring:
            return
        if self._ahead is not None and self._ahead.text == words.text:
            return
        self._discard()
        self._ahead = self._turns.prepare(words.text, self._session, new=self._new)

    def _at_pause(self) -> bool:
        """Whether the words are all of those before the present pause."""
        if self._pause_s is None or self._words is None:
            return False
        return (self._words.voiced_end_s or 0.0) >= self._pause_s - BLOCK_S / 2

    def _go_on(self) -> None:
        """Speech goes on, or is over: what was prepared is an answer to half a question."""
        self._pause_s = self._words = None
        self._discard()

    def _discard(self) -> None:
        if self._ahead is not None:
            self._ahead.discard()
            self._ahead = None

    def _tell(self, state: Literal["speech", "pause", "ended", "dropped"], at_s: float) -> None:
        self._listener.send(HearingChanged(listen=self._stream, state=state, at_s=round(at_s, 3)))
