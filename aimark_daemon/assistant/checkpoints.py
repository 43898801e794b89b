"""Checkpoints: an answer is stored while it comes, so that a crash loses little of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.store import AsyncStore
from aimark_daemon.store.faults import TURN_NOT_OPEN

log = logging.getLogger("aimark.assistant")

CHECKPOINT_S: Final = 1.0
"""A streamed answer is stored this often, as long as the store keeps up."""


class Checkpoints:
    """Those of one turn, at most one at a time. No word waits for one, and none that fails harms the answer."""

    def __init__(self, turn: RunningTurn, store: AsyncStore, clock: Callable[[], float]) -> None:
        self._turn = turn
        self._store = store
        self._clock = clock
        self._last_s = clock()
        self._storing: asyncio.Task[None] | None = None

    def consider(self) -> None:
        """Begin to store the answer so far if it is time."""
        now = self._clock()
        if now - self._last_s >= CHECKPOINT_S and (self._storing is None or self._storing.done()):
            self._last_s = now
            self._storing = asyncio.create_task(self._store_reply(), name=f"checkpoint of turn {self._turn.number}")

    async def _store_reply(self) -> None:
        try:
            await self._store.checkpoint(self._turn.number, self._turn.reply)
        except Exception as error:  # noqa: BLE001 - no harm to the answer, whatever it is
            # An end that overtook it has stored more. Otherwise the end of the turn says whether the store is well.
            if not TURN_NOT_OPEN.caught_in(error):
                log.warning("turn %d could not be stored while it is answered: %s", self._turn.number, error)
