"""A driver that is late: it is waited for, and what was loaded without its cards gets there later."""

import asyncio
import threading

import pytest

from aimark_daemon.engines.base import CHAT
from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.aside import Aside
from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.plan import Wish
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.protocol.messages import EngineInfo, GpuInfo
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from tests.gpu.test_loader import ASK, ENGINE, GIB, LAYERS, model
from tests.gpu.test_sampler import Audience, sampler_for
from tests.test_good_neighbour import APART_S, ROOM_S, house

CARD = GpuInfo(index=0, vram_total=8 * GIB, vram_free=7 * GIB, vram_used=GIB)


class LateDriver:
    """Does not answer `late` times, or ever with -1; then there is a card."""

    def __init__(self, late):
        self.late = late

    async def gpus(self):
        if self.late:
            self.late -= 1
            return None
        return (CARD,)


def loader_for(folder, driver, backends=frozenset({"cuda"}), patience_s=10.0):
    plans = LastGoodPlans(folder / "plans.json")
    return LlmLoader(gpus=driver.gpus, plans=plans, engine=lambda: backends, patience_s=patience_s)


def spec_of(folder):
    return WorkerSpec("llm", ENGINE, {"path": str(model(folder))})


async def test_a_driver_that_is_late_is_waited_for_at_the_first_start_and_at_a_waking(tmp_path):
    driver = LateDriver(2)
    loader = loader_for(tmp_path, driver)
    spec = await loader.prepare(spec_of(tmp_path), Wish())
    assert spec.plan.gpu_layers == LAYERS
    loader.heard(EngineInfo(state=WorkerState.ASLEEP))
    driver.late = 2
    assert (await loader.renew(spec)).plan.gpu_layers == LAYERS
    assert driver.late == 0


async def test_one_that_never_answers_is_given_up_with_the_true_reason_and_the_cards_stay_looked_for(tmp_path):
    loader = loader_for(tmp_path, LateDriver(-1), patience_s=0.0)
    spec = await loader.prepare(spec_of(tmp_path), Wish())
    assert (spec.plan.gpu_layers, spec.plan.reason) == (0, reasons.driver_late())
    assert loader.held_back


async def test_an_engine_for_the_processor_alone_waits_for_no_driver(tmp_path):
    driver = LateDriver(2)
    loader = loader_for(tmp_path, driver, backends=frozenset())
    spec = await loader.prepare(spec_of(tmp_path), Wish())
    assert (spec.plan.reason, loader.held_back) == (reasons.no_backend(), False)
    assert driver.late == 1, "it was asked once, for what is free"


async def test_a_model_that_woke_while_the_driver_was_late_takes_the_card_when_it_answers(tmp_path):
    async with house(tmp_path) as it:
        await it.worker.sleep()
        tells, late = it.gpus, LateDriver(-1)
        it.gpus, it.loader._patience_s = late.gpus, 0.0
        await it.worker.call(CHAT, ASK).result()
        await it.loaded()
        assert (it.layers, it.info.plan.reason) == (0, reasons.driver_late())
        assert it.neighbour.watches
        it.gpus = tells
        await it.samples(APART_S + ROOM_S)
        await it.loaded()
        assert it.layers == LAYERS


@pytest.mark.parametrize("cards", [(), (CARD,)])
async def test_the_sampler_tells_no_answer_from_no_cards(cards):
    sampler = sampler_for(Audience("telemetry"), cards_limit_s=0.01)
    answers = threading.Event()

    def ask():
        assert answers.wait(20)
        return cards, None

    sampler._aside = Aside(ask, lambda: None, "late")
    try:
        assert await sampler.cards() is None
        assert await sampler.gpus() == ()
        answers.set()
        async with asyncio.timeout(20):
            while (told := await sampler.cards()) is None:
                await asyncio.sleep(0)
        assert told == cards
    finally:
        answers.set()
        sampler._aside.close()
