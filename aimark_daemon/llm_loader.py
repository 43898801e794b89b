"""The loader: starts the language model with the plan that fits, and with the next lower one when memory runs out.

`gpu.loading` decides; this module measures, remembers, and turns plans into settings of the engine.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from aimark_daemon.errors import AimarkError, Fault, Text
from aimark_daemon.gpu import available
from aimark_daemon.gpu.facts import MIB
from aimark_daemon.gpu.gguf import fingerprint, read_facts
from aimark_daemon.gpu.last_good import Key, LastGoodPlans
from aimark_daemon.gpu.loading import (
    SETTLE_S,
    SETTLED_BYTES,
    Began,
    Consequence,
    Ended,
    GiveUp,
    Happening,
    Loaded,
    Loading,
    LoadState,
    Measured,
    Remember,
    Settle,
    Spawned,
    Start,
    Unloaded,
    Worked,
)
from aimark_daemon.gpu.neighbour import Look, look_at
from aimark_daemon.gpu.plan import CONTEXT_BYTES, Memory, Plan, Wish
from aimark_daemon.gpu.plan_faults import NOT_A_LANGUAGE_MODEL
from aimark_daemon.protocol.messages import EngineInfo, GpuInfo, PlanInfo
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.exits import ExitKind, is_out_of_memory, wanted_mib
from aimark_daemon.workers.life import Ending

log = logging.getLogger("aimark.loader")

POLL_S: Final = 0.25
"""Between two looks at the memory that a dead process gives back."""
DRIVER_S: Final = 10.0
"""How long a driver that does not answer is waited for before a model is loaded without its cards."""
_WORKS: Final = frozenset({LoadState.READY, LoadState.BUSY})
_HOLDS: Final = _WORKS | {LoadState.LOAD}
_GRAIN_BYTES: Final = 32 * MIB


class LlmLoader:
    """Belongs to one event loop. `gpus` gives the cards now, `reserve` the bytes that the user keeps for others.

    `gpus` gives None while the driver does not answer; it is waited for, `patience_s` at most. `away` tells why the
    cards are to be left alone, if they are.
    """

    def __init__(
        self,
        *,
        gpus: Callable[[], Awaitable[tuple[GpuInfo, ...] | None]],
        plans: LastGoodPlans,
        reserve: Callable[[], int] = lambda: 0,
        engine: Callable[[], frozenset[str]] = available.backends,
        away: Callable[[], Text | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = DRIVER_S,
    ) -> None:
        self._gpus = gpus
        self._plans = plans
        self._reserve = reserve
        self._engine = engine
        self._away = away
        self._clock = clock
        self._patience_s = patience_s
        self._backends: frozenset[str] = frozenset()
        self._loading: Loading | None = None
        self._spec: WorkerSpec | None = None
        self._key: Key | None = None
        self._prepared = 0
        self._foreseen: tuple[object, Plan] | None = None
        self._back_to: int | None = None
        """Bytes that are free again when the running child's are given back; None if that is not known."""
        self._loads = 0
        self._noting: asyncio.Task[None] | None = None

    @property
    def plan(self) -> Plan | None:
        """The plan in force, if the model was planned."""
        return self._loading.plan if self._loading is not None else None

    @property
    def away(self) -> bool:
        """Whether that plan leaves the cards alone because that was asked for."""
        return self._loading is not None and self._loading.away

    @property
    def held_back(self) -> bool:
        """Whether more of the model could be on the cards if there were room."""
        return self._loading is not None and self._loading.held_back

    def look(self, gpus: tuple[GpuInfo, ...], *, idle: bool) -> Look | None:
        """What a good neighbour sees of the model and the cards; None while it is not loaded, or nobody tells."""
        loading = self._loading
        if loading is None or loading.plan is None or loading.state not in _WORKS or loading.away:
            return None
        memory = available.memory(gpus, self._backends, self._reserve())
        if not memory.cards:
            return None
        self._see(gpus)
        before = available.memory(available.without(gpus, "llm", self._held()), self._backends)
        return look_at(loading.plan, memory, lambda spare: self._foresee(loading, before, spare), idle=idle)

    def _foresee(self, loading: Loading, before: Memory, spare: int) -> Plan:
        """The plan that would be made now; reckoned again only when what is free has changed enough to matter."""
        reserve = self._reserve() + spare
        seen = (loading.plan, reserve, tuple(card.free // _GRAIN_BYTES for card in before.cards))
        if self._foreseen is None or self._foreseen[0] != seen:
            self._foreseen = (seen, loading.foresee(msgspec.structs.replace(before, reserve=reserve)))
        return self._foreseen[1]

    async def prepare(self, spec: WorkerSpec, wish: Wish) -> WorkerSpec:
        """`spec` with the settings of the plan to begin with. What is no language model is left to the engine.

        When another model is asked for meanwhile, this one stays without a plan: it is not going to be started.

        Raises:
            AimarkError: the model's file is missing, broken, or cut.
        """
        path = Path(str(spec.settings["path"]))
        self._prepared = number = self._prepared + 1
        held = self._held()
        try:
            self._backends = await asyncio.to_thread(self._engine)
            facts = await asyncio.to_thread(read_facts, path)
        except AimarkError as error:
            if not NOT_A_LANGUAGE_MODEL.caught_in(error):
                raise
            self._loading = self._spec = None
            return spec
        key = await asyncio.to_thread(self._key_of, path, wish)
        last = await asyncio.to_thread(self._plans.get, key)
        await self._driver()
        memory = await self._memory(held)
        if number != self._prepared:
            return spec
        self._key, self._loading, self._spec = key, Loading(facts, wish, last), spec
        follows = self._step(Began(memory, self._away()))
        assert isinstance(follows, Start)
        return self._told(spec, follows.plan)

    async def renew(self, spec: WorkerSpec) -> WorkerSpec:
        """`spec` with the plan that is right now (the supervisor's `Renew`); as it is where nothing is planned."""
        loading = self._loading
        if loading is None or not self._is_of_model(spec):
            return spec
        await self._driver()
        memory = await self._settled(loading)
        if self._loading is not loading or self._spec is None:
            return spec
        follows = self._step(Began(memory, self._away()))
        assert isinstance(follows, Start)
        log.info("the model is loaded anew: %s", follows.plan.reason.en)
        return self._told(self._spec, follows.plan)

    async def remedy(self, spec: WorkerSpec, ending: Ending) -> WorkerSpec | Fault | None:
        """What to start after a child's end (the supervisor's `Remedy`); None leaves it to the supervisor."""
        loading = self._loading
        if loading is None or not loading.may(Ended) or not self._is_of_model(spec):
            return None
        follows = self._step(_end_of(ending))
        while isinstance(follows, Settle):
            follows = self._step(Measured(await self._memory()))
            if isinstance(follows, Settle):
                await asyncio.sleep(POLL_S)
                if self._loading is not loading:
                    return None
        match follows:
            case Start(plan):
                log.warning("the model is loaded again: %s", plan.reason.en)
                return self._told(spec, plan)
            case GiveUp(fault):
                return fault
        return None

    def heard(self, info: EngineInfo) -> None:
        """Learn what the worker's state is now."""
        loading = self._loading
        if loading is None:
            return
        match info.state:
            case WorkerState.ASLEEP:
                self._step(Unloaded())
                self._back_to = None
            case WorkerState.LOADING if loading.may(Spawned):
                self._loads += 1
                self._back_to = None
                self._step(Spawned())
            case WorkerState.READY | WorkerState.BUSY if loading.may(Loaded):
                self._noting = asyncio.create_task(self._note_loaded(loading, self._loads))
            case WorkerState.READY | WorkerState.BUSY if loading.may(Worked):
                self._step(Worked(info.state == WorkerState.BUSY))

    async def _note_loaded(self, loading: Loading, number: int) -> None:
        """What the loaded model took is measured, so that the plan is known to fit the next time.

        The driver may tell so late that this child is gone, and the next one loads.
        """
        gpus = await self._gpus()
        if self._loading is loading and self._loads == number and loading.may(Loaded):
            memory = available.memory(gpus, self._backends, self._reserve())
            self._step(Loaded(memory, available.own_bytes(gpus or (), "llm")))
            self._see(gpus or ())

    def _see(self, gpus: tuple[GpuInfo, ...]) -> None:
        """Keep what will be free when the running child is gone; what it holds is reckoned where nobody tells."""
        memory = available.memory(gpus, self._backends)
        own, plan = available.own_bytes(gpus, "llm"), self.plan
        if own is None and plan is not None and plan.layout.layers:
            own = plan.vram
        self._back_to = memory.vram_free + own if memory.cards and own else None

    def _step(self, happening: Happening) -> Consequence:
        assert self._loading is not None
        follows = self._loading.step(happening, self._clock())
        if isinstance(follows, Remember) and self._key is not None:
            self._plans.put(self._key, follows.good)
        return follows

    async def _settled(self, loading: Loading) -> Memory:
        """What is free, once the driver has given back what the process held that has just ended."""
        loop = asyncio.get_running_loop()
        until, goal = loop.time() + SETTLE_S, self._back_to if loading.state in _HOLDS else None
        while True:
            memory = await self._memory()
            back = goal is None or memory.vram_free + SETTLED_BYTES >= goal
            if back or not memory.cards or loop.time() >= until or self._away() is not None:
                return memory
            await asyncio.sleep(POLL_S)

    async def _driver(self) -> None:
        """Wait for a driver that does not answer yet: a card that sleeps takes a while to open."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self._backends and self._away() is None and await self._gpus() is None:
            if loop.time() - began >= self._patience_s:
                log.warning("the graphics driver has not answered for %g s: it is not waited for", self._patience_s)
                return
            await asyncio.sleep(POLL_S)

    def _is_of_model(self, spec: WorkerSpec) -> bool:
        return self._spec is not None and spec.settings.get("path") == self._spec.settings.get("path")

    async def _memory(self, back: int = 0) -> Memory:
        """What is free; `back` more bytes will be, on the first card, when the running model has ended."""
        memory = available.memory(await self._gpus(), self._backends, self._reserve())
        if not back or not memory.cards:
            return memory
        first = msgspec.structs.replace(memory.cards[0], free=memory.cards[0].free + back)
        return msgspec.structs.replace(memory, cards=(first, *memory.cards[1:]))

    def _held(self) -> int:
        """Bytes of VRAM that the model which is to be replaced holds."""
        if self._loading is None or self._loading.state not in _HOLDS or self._loading.plan is None:
            return 0
        return self._loading.plan.vram + CONTEXT_BYTES if self._loading.plan.layout.layers else 0

    def _key_of(self, path: Path, wish: Wish) -> Key:
        return Key(fingerprint(path), wish, available.engine_version(), available.identity())

    def _told(self, spec: WorkerSpec, plan: Plan) -> WorkerSpec:
        return msgspec.structs.replace(spec, settings=spec.settings | settings_of(plan), plan=info_of(plan))


def settings_of(plan: Plan) -> dict[str, Any]:
    """The plan as settings of the llama.cpp engine."""
    settings: dict[str, Any] = {
        "n_gpu_layers": plan.n_gpu_layers,
        "n_ctx": plan.layout.n_ctx,
        "n_batch": plan.n_batch,
        "n_ubatch": plan.layout.n_ubatch,
        "type_k": plan.kv_type,
        "type_v": plan.kv_type,
        "experts_on_cpu": plan.layout.experts_on_cpu,
        "sequences": plan.layout.sequences,
    }
    if plan.threads:
        settings["threads"] = plan.threads
    return settings


def info_of(plan: Plan) -> PlanInfo:
    """The plan as clients see it."""
    return PlanInfo(
        reason=plan.reason,
        gpu_layers=plan.layout.layers,
        layers=plan.all_layers,
        context=plan.layout.n_ctx,
        ubatch=plan.layout.n_ubatch,
        kv=plan.layout.kv,
        vram=plan.vram,
        ram=plan.ram,
        experts_on_cpu=plan.layout.experts_on_cpu,
        mmproj_on_cpu=plan.layout.mmproj_on_cpu,
    )


def _end_of(ending: Ending) -> Ended:
    """A child's end as the loading sees it."""
    verdict = ending.verdict
    out_of_memory = is_out_of_memory(ending.fault)
    wanted = verdict.wanted_mib if verdict is not None else wanted_mib(ending.fault.detail)
    return Ended(
        fault=ending.fault,
        out_of_memory=out_of_memory,
        heals=ending.heals,
        wanted=round(wanted * 1024 * 1024) if out_of_memory and wanted is not None else None,
        counts=out_of_memory or (verdict is not None and verdict.kind in (ExitKind.CRASHED, ExitKind.HUNG)),
    )
