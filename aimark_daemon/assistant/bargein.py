"""Barge-in: somebody speaks while the assistant does. The sound stops at once; whether it was meant shows after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from aimark_daemon.assistant.loudspeaker import Loudspeaker, Speech
from aimark_daemon.conversation.backchannel import is_backchannel

ENOUGH_S: Final = 0.7
"""Nobody coughs or hums for so long: this is speech, whatever its words."""
Cut = Callable[[Speech, int], Awaitable[None]]
"""Ends the turn of a speech of which so many samples were played."""


class BargeIn:
    """Judges the utterances of one microphone that hears no echo. One at a time: `began` ... `over`."""

    def __init__(self, loudspeaker: Loudspeaker, cut: Cut) -> None:
        self._loudspeaker = loudspeaker
        self._cut = cut
        self._state: Literal["quiet", "held", "ignored", "meant"] = "quiet"
        self._task: asyncio.Task[None] | None = None

    @property
    def ignoring(self) -> bool:
        """Whether what is being said is a sound of listening."""
        return self._state == "ignored"

    def began(self) -> None:
        """Somebody speaks: if the assistant does too, it falls silent."""
        self._state = "quiet"
        if self._loudspeaker.playing:
            self._state = "held"
            self._loudspeaker.pause()

    def voiced(self, seconds: float) -> None:
        """They have been speaking without a pause for so long."""
        if self._state in {"held", "ignored"} and seconds >= ENOUGH_S:
            self._interrupt()

    def words(self, text: str) -> None:
        """What they said so far. Sounds of listening let the assistant go on."""
        if self._state not in {"held", "ignored"}:
            return
        if not is_backchannel(text):
            self._interrupt()
        elif self._state == "held":
            self._state = "ignored"
            self._loudspeaker.resume()

    def over(self, text: str) -> bool:
        """The utterance is complete; whether it asks for an answer."""
        self.words(text)
        return self._state != "ignored"

    async def settled(self) -> None:
        """Wait until an interruption is stored: what is said next follows on what was heard."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def left(self) -> None:
        """The microphone is closed."""
        if self._state == "held":
            self._state = "ignored"
            self._loudspeaker.resume()

    def _interrupt(self) -> None:
        self._state = "meant"
        self._task = asyncio.create_task(self._end(self._loudspeaker.stop()), name="interrupt")
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _end(self, cut: Sequence[tuple[Speech, int]]) -> None:
        for speech, reckoned in cut:
            await self._cut(speech, await self._loudspeaker.report(speech, reckoned))
