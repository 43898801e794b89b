"""The good neighbour: keeps the models to themselves, out of the way of other programs, games above all.

Everything it does follows from how things are (`look`): game mode against where the engines are, the card against the
plan, how long nobody has asked anything. So it does not matter in which order things happened, or who else acts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from aimark_daemon.game import GameSwitch
from aimark_daemon.gpu.neighbour import Change, Neighbour
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.protocol.messages import EngineInfo, Telemetry
from aimark_daemon.roster import Job, Roster
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.supervisor import Supervisor

log = logging.getLogger("aimark.neighbour")

WANTED_S: Final = 60.0
"""So long a person who began to type or speak is waited for, whatever `keep_alive` says."""
AGAIN_S: Final = 1.0
"""How soon to look again when only a turn, or somebody who is being heard, stands in the way."""
_MOVABLE: Final[tuple[Job, ...]] = ("llm", "stt")
"""Jobs whose engines may be on a graphics card."""
_AWAY: Final[dict[str, Any]] = {"device": "cpu", "game": True}
"""What keeps the hearing engine off it, and says that game mode does."""
_UP: Final = frozenset({WorkerState.READY, WorkerState.BUSY})
_GONE: Final = frozenset(
    {WorkerState.ABSENT, WorkerState.FAILED, WorkerState.STOPPED, WorkerState.ASLEEP, "awaited"},
)


class GoodNeighbour:
    """Belongs to one event loop. `in_use` tells whether a turn runs or someone is heard; `keep_alive` gives seconds.

    `changed` is told when game mode is turned on or off. `clock` gives monotonic seconds, the same as the roster's.
    """

    def __init__(
        self,
        *,
        roster: Roster,
        loader: LlmLoader,
        switch: GameSwitch,
        keep_alive: Callable[[], float | None],
        in_use: Callable[[], bool],
        changed: Callable[[bool], None] = lambda on: None,  # noqa: ARG005 - the default
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roster = roster
        self._loader = loader
        self._switch = switch
        self._keep_alive = keep_alive
        self._in_use = in_use
        self._changed = changed
        self._clock = clock
        self._policy = Neighbour()
        self._sample: Telemetry | None = None
        self._sampled_at = 0.0
        self._used_at = clock()
        self._worked_at = float("-inf")
        self._news = asyncio.Event()

    @property
    def game(self) -> bool:
        """Whether game mode is on."""
        return self._switch.on

    @property
    def watches(self) -> bool:
        """Whether it has to know of the cards although no engine of ours may be on one: it waits for room."""
        return self._roster.info("llm").state in _UP and self._loader.held_back

    def heard(self, job: Job, info: EngineInfo) -> None:
        """An engine is in another state."""
        if job == "llm":
            self._used_at = self._clock()
            if info.state == WorkerState.BUSY:
                self._worked_at = self._clock()
            if info.state not in _UP:
                self._policy.loaded()
                self._sample = None
        self.stir()

    def sampled(self, sample: Telemetry) -> None:
        """The machine was measured."""
        if self._roster.info("llm").state in _UP:
            self._sample, self._sampled_at = sample, self._clock()
            self.stir()

    def stir(self) -> None:
        """Something has changed: look again."""
        self._news.set()

    async def set_game(self, on: bool) -> float:
        """Turn game mode on or off; returns after how many seconds no engine of ours was on the card.

        Off: what was there before comes back as soon as nobody asks anything.
        """
        began = self._clock()
        if on != self._switch.on:
            self._switch.set(on)
            log.info("game mode is %s", "on" if on else "off")
            self._changed(on)
        if self._switch.on:
            await self._leave_cards()
        self.stir()
        return round(self._clock() - began, 3)

    async def run(self) -> None:
        """Look whenever something changes, or is due, until cancelled."""
        while True:
            self._news.clear()
            try:
                due_s = await self.look()
            except Exception:
                log.exception("a look at the engines failed")
                due_s = None
            try:
                async with asyncio.timeout(due_s):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def look(self) -> float | None:
        """Do what is due now. Returns in how many seconds something will be due; None if nothing is in sight."""
        if self._switch.on:
            await self._leave_cards()
        elif await self._return_to_cards() or await self._make_room():
            return None
        return await self._rest()

    async def _leave_cards(self) -> None:
        await asyncio.gather(*(worker.reload(force=True) for job in _MOVABLE if (worker := self._on_card(job))))

    async def _return_to_cards(self) -> bool:
        """After game mode. True if something has changed; what is in use is left for the next look."""
        moved = False
        for job in _MOVABLE:
            worker = self._worker(job)
            if worker is not None and worker.status.state in _UP and self._is_away(job, worker.spec):
                moved = (not self._in_use() and await worker.reload()) or moved
        return moved

    async def _make_room(self) -> bool:
        """Shrink or grow, if the card says so. True if it was done."""
        worker, sample = self._worker("llm"), self._sample
        if worker is None or sample is None:
            return False
        idle = worker.status.state == WorkerState.READY and not self._in_use()
        seen = self._loader.look(sample.gpu, idle=idle)
        change = self._policy.look(seen, self._sampled_at) if seen is not None else None
        if change is None or not await worker.reload():
            return False
        self._policy.changed(self._clock())
        log.info("the model %s", "makes room" if change is Change.SHRINK else "takes room back")
        return True

    async def _rest(self) -> float | None:
        """Let the language model sleep when nobody has used it for long enough; else in how many seconds that is."""
        worker, keep_s = self._worker("llm"), self._keep_alive()
        if worker is None or worker.status.state not in _UP:
            return None
        if self._in_use() or worker.status.state == WorkerState.BUSY:
            self._used_at = self._clock()
            return AGAIN_S
        if keep_s is None:
            return None
        due, wanted_at = self._used_at + keep_s, self._roster.wanted_at("llm")
        if wanted_at > self._worked_at:
            due = max(due, wanted_at + max(keep_s, WANTED_S))
        left = due - self._clock()
        if left > 0:
            return left
        if not await worker.sleep():
            return AGAIN_S
        log.info("nobody uses the language model: it sleeps")
        return None

    def _worker(self, job: Job) -> Supervisor | None:
        """The worker that does `job`, if it is one that can sleep and be loaded anew."""
        worker = self._roster.here(job)
        return worker if isinstance(worker, Supervisor) else None

    def _on_card(self, job: Job) -> Supervisor | None:
        """The worker of `job` if it is, or may be going to be, on a graphics card."""
        worker, info = self._worker(job), self._roster.info(job)
        if worker is None or info.state in _GONE:
            return None
        if job == "llm":
            return worker if info.plan is not None and info.plan.gpu_layers > 0 else None
        if info.state in _UP:
            return worker if info.facts.get("extra", {}).get("device") == "cuda" else None
        # Nobody knows yet where it goes that was not told to keep off.
        return None if worker.spec.settings.get("device") == "cpu" else worker

    def _is_away(self, job: Job, spec: WorkerSpec) -> bool:
        """Whether it was kept off the cards by game mode."""
        return self._loader.away if job == "llm" else _AWAY.items() <= spec.settings.items()


def hearing_spec(spec: WorkerSpec, *, game: bool) -> WorkerSpec:
    """The hearing engine's spec in game mode, which keeps it off the card, or without; one that is off anyway stays."""
    if spec.settings.get("device") == "cpu" and not _AWAY.items() <= spec.settings.items():
        return spec
    settings = {name: value for name, value in spec.settings.items() if name not in _AWAY}
    return msgspec.structs.replace(spec, settings=settings | (_AWAY if game else {}))
