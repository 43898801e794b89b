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

from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.gpu import available
from aimark_daemon.gpu.gguf import fingerprint, read_facts
from aimark_daemon.gpu.last_good import Key, LastGoodPlans
from aimark_daemon.gpu.loading import (
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
    Worked,
)
from aimark_daemon.gpu.plan import CONTEXT_BYTES, Memory, Plan, Wish
from aimark_daemon.gpu.plan_faults import NOT_A_LANGUAGE_MODEL
from aimark_daemon.protocol.messages import EngineInfo, GpuInfo, PlanInfo
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.exits import ExitKind, is_out_of_memory, wanted_mib
from aimark_daemon.workers.life import Ending

log = logging.getLogger("aimark.loader")

POLL_S: Final = 0.25
"""Between two looks at the memory that a dead process gives back."""
_HOLDS: Final = frozenset({LoadState.LOAD, LoadState.READY, LoadState.BUSY})


class LlmLoader:
    """Belongs to one event loop. `gpus` gives the cards now, `reserve` the bytes that the user keeps for others."""

    def __init__(
        self,
        *,
        gpus: Callable[[], Awaitable[tuple[GpuInfo, ...]]],
        plans: LastGoodPlans,
        reserve: Callable[[], int] = lambda: 0,
        engine: Callable[[], frozenset[str]] = available.backends,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gpus = gpus
        self._plans = plans
        self._reserve = reserve
        self._engine = engine
        self._clock = clock
        self._backends: frozenset[str] = frozenset()
        self._loading: Loading | None = None
        self._spec: WorkerSpec | None = None
        self._key: Key | None = None
        self._prepared = 0
        self._noting: asyncio.Task[None] | None = None

    @property
    def plan(self) -> Plan | None:
        """The plan in force, if the model was planned."""
        return self._loading.plan if self._loading is not None else None

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
        memory = await self._memory(held)
        if number != self._prepared:
            return spec
        self._key, self._loading, self._spec = key, Loading(facts, wish, last), spec
        follows = self._step(Began(memory))
        assert isinstance(follows, Start)
        return self._told(spec, follows.plan)

    async def remedy(self, spec: WorkerSpec, ending: Ending) -> WorkerSpec | Fault | None:
        """What to start after a child's end (the supervisor's `Remedy`); None leaves it to the supervisor."""
        loading = self._loading
        if (
            loading is None
            or not loading.may(Ended)
            or self._spec is None
            or spec.settings.get("path") != self._spec.settings.get("path")
        ):
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
            case WorkerState.LOADING if loading.may(Spawned):
                self._step(Spawned())
            case WorkerState.READY | WorkerState.BUSY if loading.may(Loaded):
                self._noting = asyncio.create_task(self._note_loaded(loading))
            case WorkerState.READY | WorkerState.BUSY if loading.may(Worked):
                self._step(Worked(info.state == WorkerState.BUSY))

    async def _note_loaded(self, loading: Loading) -> None:
        """What the loaded model took is measured, so that the plan is known to fit the next time."""
        memory = await self._memory()
        if self._loading is loading and loading.may(Loaded):
            self._step(Loaded(memory))

    def _step(self, happening: Happening) -> Consequence:
        assert self._loading is not None
        follows = self._loading.step(happening, self._clock())
        if isinstance(follows, Remember) and self._key is not None:
            self._plans.put(self._key, follows.good)
        return follows

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
