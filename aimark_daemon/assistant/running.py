"""A running turn: its state, the answer so far, who listens, and its single ending."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec

from aimark_daemon.assistant.listener import Listener, Publish
from aimark_daemon.assistant.utterance import Utterance
from aimark_daemon.conversation.turn import Step
from aimark_daemon.engines.base import Transcript
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import Delta, Event, Heard, TurnStarted


class Voice:
    """The listener's ear: passes everything on until the client has left."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.open = True

    @property
    def language(self) -> str:
        """The client's language."""
        return self._listener.language

    def send(self, event: Event) -> None:
        """Pass a message on."""
        if self.open:
            self._listener.send(event)

    def send_audio(self, frame: AudioFrame) -> None:
        """Pass sound on."""
        if self.open:
            self._listener.send_audio(frame)


class RunningTurn:
    """One turn between its beginning and its end."""

    def __init__(
        self,
        number: int,
        session: str,
        said: Utterance,
        *,
        publish: Publish,
        ear: Listener,
    ) -> None:
        """`ear` gets the events and the sound for the utterance's listener."""
        self.number = number
        self.session = session
        self.text = said.text
        self.listener = said.listener
        self.stopwatch = said.stopwatch
        self.ahead = said.ahead
        """The answer that was prepared before the words were complete."""
        self.voice = Voice(ear)
        self._publish = publish
        self._state = said.state
        self._pieces: list[str] = []
        self._length = 0
        self._task: asyncio.Task[None] | None = None
        self._begun = False
        self._cancelled = False
        self._closing = False

    @property
    def reply(self) -> str:
        """The answer so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def run(self, conduct: Coroutine[Any, Any, None]) -> None:
        """Begin."""
        self._task = asyncio.create_task(conduct, name=f"turn {self.number}")

    def begin(self) -> None:
        """The task runs now. A cancel that came before would have ended the task without an ending of the turn.

        Raises:
            asyncio.CancelledError: the turn was cancelled before it began.
        """
        self._begun = True
        if self._cancelled:
            raise asyncio.CancelledError

    def cancel(self) -> None:
        """Stop all stages. Once is enough, and an ending that has begun is not interrupted."""
        if self._cancelled or self._closing:
            return
        self._cancelled = True
        if self._begun and self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """The ending begins: from here on a cancel comes too late."""
        self._closing = True

    async def ended(self) -> None:
        """Wait for the end."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def deafen(self) -> None:
        """The client left: make no more sound for it."""
        self.voice.open = False

    def tell(self, event: Event) -> None:
        """Send an event to the client that asked and to all who follow turns."""
        self.voice.send(event)
        self._publish("turns", event, self.listener)

    def announce(self, request: int | None, replaces: int | None = None) -> None:
        """The turn began; `request` is the number of the asking client's request, which means nothing to others."""
        started = TurnStarted(turn=self.number, session=self.session, text=self.text, replaces=replaces)
        self.voice.send(msgspec.structs.replace(started, id=request))
        self._publish("turns", started, self.listener)

    def heard(self, transcript: Transcript) -> None:
        """What was understood of the utterance that asked."""
        self.tell(
            Heard(
                turn=self.number,
                text=self.text,
                language=transcript.language,
                audio_s=transcript.audio_s,
                voiced_end_s=transcript.voiced_end_s,
                took_s=transcript.took_s,
            )
        )

    def say(self, text: str) -> None:
        """More of the answer."""
        self.stopwatch.mark("first_token")
        self.tell(Delta(turn=self.number, at=self._length, text=text))
        self._pieces.append(text)
        self._length += len(text)

    def step(self, step: Step) -> None:
        """The turn goes on."""
        self._state = self._state.after(step)

    def end(self, step: Step, ending: Event) -> None:
        """The turn ends with `ending`; a turn that has ended stays as it is."""
        if self._state.ended:
            return
        self._state = self._state.after(step)
        self.tell(ending)
