"""Who gets what a turn produces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import Event, Topic


class Listener(Protocol):
    """The client that began a turn. Both calls return at once and never raise; a client that left drops them."""

    @property
    def language(self) -> str:
        """The language of the person, "ko" or "en", in which to answer."""

    def send(self, event: Event) -> None:
        """Take one message."""

    def send_audio(self, frame: AudioFrame) -> None:
        """Take one piece of speech."""


Publish = Callable[[Topic, Event, Listener | None], None]
"""Send an event to everyone who subscribed to the topic, except one listener who has it already."""
