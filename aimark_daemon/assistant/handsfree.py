"""Hands-free: what becomes of the utterances of an open microphone - events for the client, and turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.loudspeaker import Loudspeaker
from aimark_daemon.conversation.endpoint import Began, Decision, Dropped, Ended, Paused, Resumed
from aimark_daemon.conversation.turn import Step, TurnState
from aimark_daemon.engines.base import Transcript
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import HeardSoFar, HearingChanged

Begin = Callable[[Transcript, TurnState, str | None], Awaitable[str]]
"""Begins the turn of an utterance in a session, or in a new one; returns the session."""


class HandsFree:
    """Follows one open microphone of a client (the `Follower` contract)."""

    def __init__(
        self,
        listener: Listener,
        stream: int,
        *,
        session: str | None,
        loudspeaker: Loudspeaker,
        echo_cancelled: bool,
        begin: Begin,
    ) -> None:
        self._listener = listener
        self._stream = stream
        self._session = session
        self._loudspeaker = loudspeaker
        self._echo_cancelled = echo_cancelled
        self._begin = begin
        self._turn = TurnState()
        self._told = ""

    def heard_through(self, frame: AudioFrame) -> AudioFrame:
        """The frame as it may be heard: a microphone that hears the loudspeaker is deaf while it plays."""
        if self._echo_cancelled or not self._loudspeaker.playing:
            return frame
        return msgspec.structs.replace(frame, pcm=bytes(len(frame.pcm)))

    def decided(self, decision: Decision) -> None:
        """Tell the client what the microphone hears."""
        match decision:
            case Began(start_s):
                self._turn, self._told = TurnState(), ""
                self._tell("speech", start_s)
            case Paused(voiced_end_s):
                self._tell("pause", voiced_end_s)
            case Resumed(start_s):
                self._tell("speech", start_s)
            case Ended(voiced_end_s=voiced_end_s):
                self._turn = self._turn.after(Step.RELEASE)
                self._tell("ended", voiced_end_s)
            case Dropped(voiced_end_s=voiced_end_s):
                self._turn = self._turn.after(Step.CANCEL)
                self._tell("dropped", voiced_end_s)

    def understood(self, transcript: Transcript) -> None:
        """Show the client what was understood so far."""
        if transcript.text and transcript.text != self._told:
            self._told = transcript.text
            self._listener.send(HeardSoFar(listen=self._stream, text=transcript.text, language=transcript.language))

    async def said(self, transcript: Transcript) -> None:
        """Begin the turn. All utterances of a microphone that began without a session are in the first one's."""
        self._session = await self._begin(transcript, self._turn.after(Step.UNDERSTAND), self._session)

    def _tell(self, state: Literal["speech", "pause", "ended", "dropped"], at_s: float) -> None:
        self._listener.send(HearingChanged(listen=self._stream, state=state, at_s=round(at_s, 3)))
