"""What the loader notes of a model that is loaded, and of the memory that it gives back when it is gone."""

import asyncio

import msgspec

from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.loading import LoadState
from aimark_daemon.gpu.plan import CONTEXT_BYTES, Wish
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.protocol.messages import EngineInfo, GpuInfo, GpuProcess
from aimark_daemon.workers import exits
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.life import Ending
from tests.gpu.test_loader import ENGINE, GIB, MIB, model


class Card:
    """A card of 8 GB; `free` bytes of it are, and `processes` hold something. It tells when the gate is open."""

    def __init__(self, free):
        self.free, self.processes = free, ()
        self.looks = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def gpus(self):
        self.looks += 1
        await self.gate.wait()
        used = 8 * GIB - self.free
        return (GpuInfo(index=0, vram_total=8 * GIB, vram_free=self.free, vram_used=used, processes=self.processes),)


async def begun(folder, card):
    """A loader whose model has begun to load, and its spec."""
    plans = LastGoodPlans(folder / "plans.json")
    loader = LlmLoader(gpus=card.gpus, plans=plans, engine=lambda: frozenset({"cuda"}))
    spec = await loader.prepare(WorkerSpec("llm", ENGINE, {"path": str(model(folder))}), Wish())
    loader.heard(EngineInfo(state=WorkerState.LOADING))
    return loader, spec


async def noted(loader):
    """Let what was told of the card be noted."""
    loader.heard(EngineInfo(state=WorkerState.READY))
    await loader._noting


async def test_what_is_told_late_of_a_child_that_died_says_nothing_of_the_one_that_loads_now(tmp_path):
    card = Card(5 * GIB)
    loader, spec = await begun(tmp_path, card)
    card.gate.clear()
    loader.heard(EngineInfo(state=WorkerState.READY))
    late = loader._noting
    verdict = exits.classify("llm", -11, "")
    assert await loader.remedy(spec, Ending(verdict.fault, heals=True, ready_s=0.1, verdict=verdict)) is None
    loader.heard(EngineInfo(state=WorkerState.LOADING))
    card.free -= 300 * MIB
    card.gate.set()
    await late
    assert loader._loading.state is LoadState.LOAD
    assert loader._loading._last is None
    card.free = 5 * GIB - loader.plan.vram - CONTEXT_BYTES
    await noted(loader)
    assert loader._loading._last.taken == loader.plan.vram + CONTEXT_BYTES


async def test_a_program_that_ends_meanwhile_makes_no_model_small(tmp_path):
    card = Card(5 * GIB)
    loader, _ = await begun(tmp_path, card)
    took = loader.plan.vram + CONTEXT_BYTES
    card.free = 5 * GIB - took + 2600 * MIB
    await noted(loader)
    assert loader._loading._last.taken == took, "at least what it was reckoned to take"
    (now,) = await card.gpus()
    tight = msgspec.structs.replace(now, vram_free=100 * MIB, vram_used=8 * GIB - 100 * MIB)
    assert loader.look((tight,), idle=True).tight


async def test_what_the_driver_says_that_the_model_holds_is_what_it_took(tmp_path):
    card = Card(5 * GIB)
    loader, _ = await begun(tmp_path, card)
    own = loader.plan.vram // 2
    card.free, card.processes = GIB, (GpuProcess(1, vram=own, worker="llm"), GpuProcess(2, vram=3 * GIB))
    await noted(loader)
    assert loader._loading._last.taken == own


async def test_the_memory_of_the_child_that_ended_is_waited_for_before_it_is_loaded_anew(tmp_path):
    card = Card(4 * GIB)
    loader, spec = await begun(tmp_path, card)
    layers = spec.plan.gpu_layers
    card.free -= loader.plan.vram + CONTEXT_BYTES
    await noted(loader)
    renewing = asyncio.create_task(loader.renew(spec))
    looks = card.looks
    while card.looks < looks + 4:  # more than one look that shows no growth
        await asyncio.sleep(0)
    assert not renewing.done()
    card.free = 4 * GIB
    assert (await renewing).plan.gpu_layers == layers


async def test_what_another_program_took_meanwhile_is_not_waited_for_when_it_was_seen(tmp_path):
    card = Card(6 * GIB)
    loader, spec = await begun(tmp_path, card)
    own = loader.plan.vram + CONTEXT_BYTES
    card.free, card.processes = 6 * GIB - own, (GpuProcess(1, vram=own, worker="llm"),)
    await noted(loader)
    card.free -= 3 * GIB
    assert loader.look(await card.gpus(), idle=True) is not None
    card.free, card.processes = 3 * GIB, ()
    looks = card.looks
    await loader.renew(spec)
    assert card.looks == looks + 2, "one whether it answers at all, and one for what is free"
