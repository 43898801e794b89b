"""An answer prepared in silence: asked of the model at a pause, used if that is the end, forgotten if it is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aimark_daemon.engines.base import CHAT, ChatRequest, ChatResult, Facts, TextDelta
from aimark_daemon.roster import Roster
from aimark_daemon.workers.base import Call

log = logging.getLogger("aimark.assistant")

MakeRequest = Callable[[Facts], ChatRequest]
"""What the model is asked, once its engine's facts are known."""


class Ahead:
    """One prepared answer to `text`. What the model says waits in the call: nobody sees it, nothing stores it."""

    def __init__(
        self, text: str, request: Callable[[], Awaitable[MakeRequest]], roster: Roster, clock: Callable[[], float]
    ) -> None:
        self.text = text
        self._clock = clock
        self.asked_at = clock()
        """When it was asked for, by the clock of the turn."""
        self.used = False
        """Whether it became the answer."""
        self._request: ChatRequest | None = None
        self._call: Call[TextDelta, ChatResult] | None = None
        self._task = asyncio.create_task(self._ask(request, roster), name="prepare")
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def claim(self, request: ChatRequest) -> Call[TextDelta, ChatResult] | None:
        """The call that answers `request`, to be used once; None, and all is forgotten, if another one was asked."""
        await asyncio.wait([self._task])
        call, self._call = self._call, None
        if call is not None and self._request != request:
            # The conversation, or a setting, has changed meanwhile.
            call.cancel()
            return None
        self.used = call is not None
        if self.used:
            log.info("an answer was prepared %.2f s ahead", self._clock() - self.asked_at)
        return call

    def discard(self) -> None:
        """Stop preparing: the call is cancelled, and the model forgets the words. What was claimed goes on."""
        self._task.cancel()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    async def _ask(self, request: Callable[[], Awaitable[MakeRequest]], roster: Roster) -> None:
        make = await request()
        worker = await roster.get("llm")
        self._request = make(await worker.ready())
        self._call = worker.call(CHAT, self._request)
