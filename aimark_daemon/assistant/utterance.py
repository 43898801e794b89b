"""An utterance whose turn is to begin: its words, where it belongs, and what is known of it from hearing."""

from __future__ import annotations

from dataclasses import dataclass

from aimark_daemon.assistant.ahead import Ahead
from aimark_daemon.assistant.listener import Listener
from aimark_daemon.assistant.stopwatch import Stopwatch
from aimark_daemon.conversation.turn import Phase, TurnState
from aimark_daemon.engines.base import Transcript

_TYPED = TurnState(Phase.ANSWERING)


@dataclass(frozen=True, slots=True)
class Utterance:
    """Typed words, or with a `transcript` spoken ones. `request` is the number of the client's own request."""

    text: str
    session: str | None
    """Where it belongs; None makes a new session."""
    speak: bool
    listener: Listener
    request: int | None
    stopwatch: Stopwatch
    replaces: int | None = None
    """The message in whose place it is asked, for typed words; see `Submit`."""
    transcript: Transcript | None = None
    state: TurnState = _TYPED
    ahead: Ahead | None = None
    """The answer that was prepared before the words were complete."""
    new_id: str | None = None
    """The id of the new session, if it was chosen already."""
