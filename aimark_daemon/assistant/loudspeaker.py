"""A client's loudspeaker as the assistant knows it: until when what was sent to it is being played."""

from __future__ import annotations

from collections.abc import Callable

from aimark_daemon.assistant.listener import Listener
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import Event, SpeechStarted

TAIL_S = 0.3
"""How long the sound of a loudspeaker goes on in the room, and in the client's buffers, after its last sample."""


class Loudspeaker:
    """Passes everything on to the client (the `Listener` contract), and counts its sound. `clock`: steady seconds."""

    def __init__(self, listener: Listener, clock: Callable[[], float]) -> None:
        self._listener = listener
        self._clock = clock
        self._rate = 22_050
        self._until = float("-inf")

    @property
    def playing(self) -> bool:
        """Whether sound is being played now, as far as can be told from here."""
        return self._clock() < self._until + TAIL_S

    @property
    def language(self) -> str:
        """The client's language."""
        return self._listener.language

    def send(self, event: Event) -> None:
        """Pass a message on."""
        if isinstance(event, SpeechStarted):
            self._rate = event.sample_rate
        self._listener.send(event)

    def send_audio(self, frame: AudioFrame) -> None:
        """Pass sound on: it is played after what was sent before."""
        self._until = max(self._until, self._clock()) + len(frame.pcm) / 2 / self._rate
        self._listener.send_audio(frame)
