"""The loader with the real supervisor, and an engine that obeys a budget: in every trouble the model ends up loaded."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import pytest

from aimark_daemon.engines.base import CHAT, ChatMessage, ChatRequest, Sampling
from aimark_daemon.errors import AimarkError
from aimark_daemon.gpu.facts import MIB
from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.plan import CONTEXT_BYTES, Wish
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.protocol.messages import GpuInfo
from aimark_daemon.roster import Roster
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.gpu import ggufs

GIB = 1 << 30
ENGINE = "tests.gpu.budget_engine:BudgetEngine"
LAYERS = 20
ASK = ChatRequest("대화", (ChatMessage("user", "안녕하세요?"),), sampling=Sampling(max_tokens=8))


class Driver:
    """A card of 8 GB as the driver tells of it: `held` by others, and what the worker's plan takes while it lives."""

    def __init__(self, held: int = 0, total: int = 8 * GIB) -> None:
        self.held, self.total = held, total
        self.roster: Roster | None = None
        self.slow: list[int] = []
        """What is still held by a dead process, one look after the other."""

    async def gpus(self) -> tuple[GpuInfo, ...]:
        info = self.roster.info("llm") if self.roster else None
        used = self.held + (self.slow.pop(0) if self.slow else 0)
        if info is not None and info.state in (WorkerState.READY, WorkerState.BUSY) and info.facts["extra"]["takes"]:
            used += info.facts["extra"]["takes"] + CONTEXT_BYTES
        return (GpuInfo(index=0, vram_total=self.total, vram_free=max(0, self.total - used), vram_used=used),)


async def no_cards() -> tuple[GpuInfo, ...]:
    return ()


def model(folder):
    """A file whose layers weigh what the engine reckons, 100 MiB each."""
    values, tensors = ggufs.dense(layers=LAYERS, width=2048, heads=8, attention__key_length=256)
    values["llama.context_length"] = 4096
    tensors |= {f"blk.{n}.ffn_gate.weight": (2048, 25_600 - 3 * 4096) for n in range(LAYERS)}
    return ggufs.write(folder / "모델.gguf", values, tensors)


@asynccontextmanager
async def loaded(folder, driver, wish=None, backends=frozenset({"cuda"}), limits=None, **settings):
    """The whole of it: loader, roster, supervisor; `free` bytes are what the engine finds on the card."""
    plans = LastGoodPlans(folder / "plans.json")
    loader = LlmLoader(gpus=driver.gpus, plans=plans, engine=lambda: backends)
    roster = Roster(lambda spec: Supervisor(spec, Backoff((0.0,), max_failed_starts=3), remedy=loader.remedy))
    roster.on_change(lambda job, info: loader.heard(info))
    told = []
    roster.on_change(lambda job, info: told.append(info))
    driver.roster = roster
    given = {"path": str(model(folder)), "free": driver.total - driver.held, **settings}
    spec = await loader.prepare(WorkerSpec("llm", ENGINE, given, **(limits or {})), wish or Wish())
    await roster.assign("llm", spec)
    try:
        yield roster, loader, told
    finally:
        await roster.stop()


async def answer(roster):
    worker = await roster.get("llm")
    return await worker.call(CHAT, ASK).result()


def rungs(told):
    """The plans told, each once."""
    seen = []
    for info in told:
        plan = (info.plan.gpu_layers, info.plan.ubatch, info.plan.kv, info.plan.context)
        if not seen or seen[-1] != plan:
            seen.append(plan)
    return seen


@pytest.mark.parametrize("trouble", ["load", "context", "abort at load"])
async def test_a_model_that_does_not_load_is_loaded_lower_and_requests_wait_for_it(tmp_path, trouble):
    async with loaded(tmp_path, Driver(), trouble=trouble, free=1200 * MIB) as (roster, loader, told):
        assert (await answer(roster)).finish == "stop"
        climbed = rungs(told)
        assert climbed[0] == (LAYERS, 512, "f16", 4096)
        assert 2 <= len(climbed) <= 5
        info = roster.info("llm")
        assert info.facts["extra"]["takes"] <= 1200 * MIB
        assert info.plan.reason.en.startswith(f"{info.plan.gpu_layers} of {LAYERS} layers on the GPU")
        assert loader.plan.layout.layers == info.plan.gpu_layers > 0


@pytest.mark.parametrize("trouble", ["decode", "abort"])
async def test_memory_that_runs_out_in_an_answer_fails_that_answer_and_a_lower_plan_gives_the_next(tmp_path, trouble):
    async with loaded(tmp_path, Driver(), trouble=trouble, free=1200 * MIB) as (roster, _, told):
        failed = []
        while len(failed) < 6:
            try:
                await answer(roster)
                break
            except AimarkError as error:
                failed.append(error.fault.code)
        assert 1 <= len(failed) == len(rungs(told)) - 1
        assert set(failed) == {"worker_out_of_memory"}, "a fault that another child may heal"
        assert roster.info("llm").facts["extra"]["takes"] <= 1200 * MIB


async def test_nothing_at_all_fits_and_the_processor_answers(tmp_path):
    async with loaded(tmp_path, Driver(), trouble="load", free=0) as (roster, _, told):
        assert (await answer(roster)).finish == "stop"
        assert rungs(told)[-1] == (0, 128, "f16", 4096)
        assert roster.info("llm").plan.reason.en == "On the CPU, because the graphics card's memory ran out."


async def test_a_card_full_of_other_programs_is_left_alone(tmp_path):
    async with loaded(tmp_path, Driver(held=7900 * MIB)) as (roster, _, told):
        assert (await answer(roster)).finish == "stop"
        assert rungs(told) == [(0, 128, "f16", 4096)]
        assert roster.info("llm").plan.reason.ko.endswith("다른 프로그램이 8.3 GB를 쓰고 있기 때문입니다.")


async def test_the_memory_of_the_dead_is_waited_for(tmp_path):
    driver = Driver()
    async with loaded(tmp_path, driver, trouble="load", free=1200 * MIB) as (roster, _, told):
        driver.slow = [2 * GIB, 2 * GIB, 0]
        assert (await answer(roster)).finish == "stop"
        assert driver.slow == []
        assert len(rungs(told)) >= 2


async def test_what_worked_is_begun_with_at_the_next_start(tmp_path):
    async with loaded(tmp_path, Driver(), trouble="load", free=1200 * MIB) as (roster, _, _told):
        await answer(roster)
        worked = roster.info("llm").plan
    async with loaded(tmp_path, Driver(), trouble="load", free=1200 * MIB) as (roster, _, told):
        await answer(roster)
        assert len(rungs(told)) == 1
        again = roster.info("llm").plan
        assert (again.gpu_layers, again.ubatch, again.kv) == (worked.gpu_layers, worked.ubatch, worked.kv)
        assert "as it worked last time" in again.reason.en


async def test_an_engine_that_crashes_on_the_card_goes_on_without_it(tmp_path):
    async with loaded(tmp_path, Driver(), trouble="crash") as (roster, _, told):
        failed = []
        while len(failed) < 6:
            try:
                await answer(roster)
                break
            except AimarkError as error:
                failed.append(error.fault.code)
        assert failed == ["worker_crashed"] * 3
        assert rungs(told) == [(LAYERS, 512, "f16", 4096), (0, 128, "f16", 4096)]
        assert "crashed again and again" in roster.info("llm").plan.reason.en


async def test_an_engine_that_crashes_everywhere_is_given_up_with_the_reason(tmp_path):
    async with loaded(tmp_path, Driver(), trouble="crash", only_on_card=False) as (roster, _, _told):
        codes = []
        for _ in range(7):
            with pytest.raises(AimarkError) as caught:
                await answer(roster)
            codes.append(caught.value.fault.code)
        assert codes == ["worker_crashed"] * 6 + ["worker_keeps_crashing"]
        assert roster.info("llm").state == WorkerState.FAILED


async def test_a_kill_from_outside_changes_no_plan(tmp_path):
    async with loaded(tmp_path, Driver(), trouble="kill") as (roster, _, told):
        for _ in range(5):
            with pytest.raises(AimarkError, match="worker_killed"):
                await answer(roster)
        assert len(rungs(told)) == 1


async def test_a_hang_is_ended_and_counts_as_a_crash(tmp_path):
    quick = {"progress_timeout_s": 0.3}
    async with loaded(tmp_path, Driver(), trouble="hang", limits=quick) as (roster, _, told):
        for _ in range(3):
            with pytest.raises(AimarkError, match="worker_hung"):
                await answer(roster)
        assert (await answer(roster)).finish == "stop"
        assert rungs(told)[-1][0] == 0


async def test_a_missing_model_is_no_matter_of_memory(tmp_path):
    async with loaded(tmp_path, Driver(), trouble="broken") as (roster, _, told):
        with pytest.raises(AimarkError, match="worker_model_missing"):
            await answer(roster)
        assert len(rungs(told)) == 1


async def test_without_a_card_the_settings_are_those_of_always(tmp_path):
    async with loaded(tmp_path, Driver(), backends=frozenset()) as (roster, _, _told):
        worker = await roster.get("llm")
        settings = worker.spec.settings
        expected = {"n_gpu_layers": 0, "n_ctx": 4096, "n_batch": 512, "n_ubatch": 128, "type_k": 1, "type_v": 1}
        assert settings.items() >= expected.items()
        assert "threads" not in settings


async def test_a_stop_while_memory_settles_stops_at_once(tmp_path):
    driver = Driver()
    async with loaded(tmp_path, driver, trouble="load", free=1200 * MIB) as (roster, loader, _told):
        driver.slow = [6 * GIB] * 1000
        while loader.plan is None or roster.info("llm").state != WorkerState.CRASHED:
            await asyncio.sleep(0)
        await roster.stop()
        assert roster.info("llm").state == WorkerState.STOPPED


async def test_another_model_gets_the_room_that_the_running_one_holds(tmp_path):
    driver = Driver(total=3400 * MIB)
    async with loaded(tmp_path, driver) as (roster, loader, _told):
        await answer(roster)
        (card,) = await driver.gpus()
        assert card.vram_free < 400 * MIB
        worker = await roster.get("llm")
        again = await loader.prepare(worker.spec, Wish(context=2048))
        assert again.plan.gpu_layers == LAYERS


async def test_what_is_no_language_model_is_left_to_the_engine_and_a_cut_file_is_told(tmp_path):
    loader = LlmLoader(gpus=Driver().gpus, plans=LastGoodPlans(tmp_path / "plans.json"), engine=frozenset)
    clip = ggufs.write(tmp_path / "clip.gguf", {"general.architecture": "clip"}, {})
    spec = WorkerSpec("llm", ENGINE, {"path": str(clip)})
    assert await loader.prepare(spec, Wish()) == spec
    cut = model(tmp_path)
    os.truncate(cut, cut.stat().st_size - 1)
    with pytest.raises(AimarkError, match="model_file_invalid"):
        await loader.prepare(WorkerSpec("llm", ENGINE, {"path": str(cut)}), Wish())


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space the Linux way")
async def test_the_real_engine_in_too_little_memory_comes_up_leaner_and_answers(tmp_path, tiny_gguf):
    loader = LlmLoader(gpus=no_cards, plans=LastGoodPlans(tmp_path / "plans.json"), engine=frozenset)
    spec = WorkerSpec("llm", "tests.gpu.limited_llama:LimitedLlama", {"path": str(tiny_gguf), "spare": 240 * MIB})
    worker = Supervisor(await loader.prepare(spec, Wish(context=8192)), remedy=loader.remedy)
    await worker.start()
    try:
        result = await worker.call(CHAT, ASK).result()
        assert result.tokens > 0
        assert worker.status.restarts == 1
        assert worker.status.facts.context == 2048
        assert worker.spec.plan.reason.ko.startswith("CPU에서 실행합니다. 컨텍스트는 2048토큰으로 줄였습니다.")
    finally:
        await worker.stop()


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space the Linux way")
async def test_the_real_engine_without_any_memory_is_one_clear_fault_after_two_starts(tmp_path, tiny_gguf):
    loader = LlmLoader(gpus=no_cards, plans=LastGoodPlans(tmp_path / "plans.json"), engine=frozenset)
    spec = WorkerSpec("llm", "tests.gpu.limited_llama:LimitedLlama", {"path": str(tiny_gguf), "spare": 40 * MIB})
    worker = Supervisor(await loader.prepare(spec, Wish()), remedy=loader.remedy)
    await worker.start()
    with pytest.raises(AimarkError, match="llm_out_of_memory") as caught:
        await worker.ready()
    assert "Cannot allocate memory" in caught.value.fault.detail
    assert (worker.status.state, worker.status.restarts) == (WorkerState.FAILED, 2)
    await worker.stop()
