"""Preparing: while nobody waits, the model evaluates what the next prompt of a conversation will begin with.

Each turn beyond `history_turns` moves the beginning of the history, and nothing after the instructions can be taken
from the last prompt any more. Evaluated after the answer, it costs the next question nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aimark_daemon.assistant.answering import messages_for, sampling
from aimark_daemon.config.types import Config
from aimark_daemon.engines.base import CHAT, ChatRequest
from aimark_daemon.errors import AimarkError
from aimark_daemon.roster import Roster
from aimark_daemon.store import AsyncStore
from aimark_daemon.workers.base import WorkerState

log = logging.getLogger("aimark.assistant")


class Preparing:
    """At most one preparation for each session, and one at a time: an engine takes few calls, and people need them.

    Background work: the engine leaves it for anybody's question.
    """

    def __init__(self, store: AsyncStore, roster: Roster, config: Callable[[], Config]) -> None:
        self._store = store
        self._roster = roster
        self._config = config
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._alone = asyncio.Lock()

    def begin(self, session: str, *, dropped_turns: int) -> None:
        """A turn has ended; `dropped_turns`: what did not fit the context any more."""
        self.cancel(session)
        task = asyncio.create_task(self._prepare(session, moves=dropped_turns > 0), name=f"preparing {session}")
        self._tasks[session] = task
        task.add_done_callback(lambda done: self._forget(session, done))

    def cancel(self, session: str) -> None:
        """A question comes, or the session is not needed any more."""
        task = self._tasks.pop(session, None)
        if task is not None:
            task.cancel()

    async def stop(self) -> None:
        """Cancel everything, and wait for it."""
        tasks = list(self._tasks.values())
        for session in list(self._tasks):
            self.cancel(session)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, session: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(session) is task:
            del self._tasks[session]

    async def _prepare(self, session: str, *, moves: bool) -> None:
        try:
            async with self._alone:
                await self._evaluate(session, moves=moves)
        except AimarkError as error:
            # The next turn evaluates it then, and says what is wrong if it still is.
            log.info("preparing a session ended: %s", error)

    async def _evaluate(self, session: str, *, moves: bool) -> None:
        config = self._config()
        turns = config.llm.history_turns
        worker = self._roster.here("llm")
        if worker is None or worker.status.state not in (WorkerState.READY, WorkerState.BUSY):
            return
        facts = worker.status.facts
        if facts is not None and facts.extra.get("rewinds") is False:
            return  # It would have to forget what follows the history, and forgets all or nothing.
        history = await self._store.history(session, turns + 1)
        if not moves and len(history) <= 2 * turns:
            return
        if len(history) > 2 * turns:
            history = history[2:]
        call = worker.call(
            CHAT,
            ChatRequest(
                session=session,
                messages=messages_for(history, "", config),
                sampling=sampling(config),
                priority="background",
                only_prompt=True,
            ),
        )
        try:
            await call.result()
        finally:
            call.cancel()
