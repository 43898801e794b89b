"""Barge-in: somebody speaks while the assistant does, or would. It is silent at once; what they meant shows later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from aimark_daemon.assistant.loudspeaker import Loudspeaker, Speech
from aimark_daemon.conversation.backchannel import is_backchannel

log = logging.getLogger("aimark.assistant")

ENOUGH_S: Final = 0.7
"""Nobody coughs or hums for so long: this is speech, whatever its words."""
Cut = Callable[[Speech, int], Awaitable[None]]
"""Ends the turn of a speech of which so many samples were played."""


class BargeIn:
    """Judges the utterances of one microphone, one at a time: `began` ... `over`."""

    def __init__(self, loudspeaker: Loudspeaker, cut: Cut) -> None:
        self._loudspeaker = loudspeaker
        self._cut = cut
        self._state: Literal["held", "ignored", "meant"] = "meant"
        self._task: asyncio.Task[None] | None = None

    @property
    def ignoring(self) -> bool:
        """Whether what is being said is a sound of listening."""
        return self._state == "ignored"

    def began(self) -> None:
        """Somebody speaks: the assistant falls silent, and does not begin to speak."""
        self._state = "held"
        self._loudspeaker.pause()

    def voiced(self, seconds: float) -> None:
        """They have been speaking without a pause for so long."""
        if self._state != "meant" and seconds >= ENOUGH_S and self._cutting:
            self._interrupt()

    def words(self, text: str) -> None:
        """What they said so far. Sounds of listening let the assistant go on."""
        if self._state == "meant" or not self._cutting:
            return
        if not is_backchannel(text):
            self._interrupt()
        elif self._state == "held":
            self._state = "ignored"
            self._loudspeaker.resume()

    def over(self, text: str) -> bool:
        """The utterance is complete; whether it asks for an answer. What was held back is played."""
        self.words(text)
        self._loudspeaker.resume()
        return self._state != "ignored"

    @property
    def _cutting(self) -> bool:
        """Whether it falls into an answer that is, or would be, spoken."""
        return self._loudspeaker.interrupted or self._state == "ignored"

    async def settled(self) -> None:
        """Wait until an interruption is stored: what is said next follows on what was heard."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def left(self) -> None:
        """The microphone is closed."""
        self._loudspeaker.resume()

    def _interrupt(self) -> None:
        self._state = "meant"
        self._task = asyncio.create_task(self._end(self._loudspeaker.stop()), name="interrupt")
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _end(self, cut: Sequence[tuple[Speech, int]]) -> None:
        for speech, reckoned in cut:
            try:
                await self._cut(speech, await self._loudspeaker.report(speech, reckoned))
            except Exception:
                # One whose turn was removed meanwhile does not keep the others running.
                log.exception("the words heard of turn %d were not stored", speech.turn)
