"""Memory that runs out in the middle of turns: the real assistant, loader and supervisor, an engine with a budget."""

import time

import pytest

from aimark_daemon.gpu.facts import MIB
from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.plan import Wish
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.neighbour import hearing_spec
from aimark_daemon.protocol.messages import Done, Heard, Interrupted, Resumed
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.crashes import CrashRemedy, OffCard
from aimark_daemon.workers.inline import InlineWorker
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.assistant.stage import Ear, stage
from tests.assistant.test_turns import silence, tone
from tests.gpu.test_loader import ENGINE, Driver, model


@pytest.mark.parametrize("trouble", ["decode", "abort"])
async def test_memory_that_runs_out_interrupts_every_answer_and_ends_none(tmp_path, trouble):
    driver = Driver()
    loader = LlmLoader(
        gpus=driver.gpus, plans=LastGoodPlans(tmp_path / "plans.json"), engine=lambda: frozenset({"cuda"})
    )
    settings = {"path": str(model(tmp_path)), "free": 700 * MIB, "trouble": trouble}
    spec = await loader.prepare(WorkerSpec("llm", ENGINE, settings), Wish())

    def make(spec, engine):
        if spec.name == "llm":
            return Supervisor(spec, Backoff((0.0,), max_failed_starts=3), remedy=loader.remedy)
        return InlineWorker(spec, engine)

    async with stage(tmp_path, worker=make, specs={"llm": spec}) as it:
        driver.roster = it.roster
        it.roster.on_change(lambda job, info: loader.heard(info) if job == "llm" else None)
        ears = Ear("ko"), Ear("ko")
        turns = [await it.say(text, ear) for text, ear in zip(("안녕하세요?", "잘 지내요?"), ears, strict=True)]
        for turn, ear in zip(turns, ears, strict=True):
            end = await ear.ending(turn)
            assert isinstance(end, Done)
            assert end.reply.endswith("안녕하세요")
            assert bool(ear.of(Interrupted)) == bool(ear.of(Resumed))
            assert {event.fault.code for event in ear.of(Interrupted)} <= {"worker_out_of_memory"}
        assert all(ear.of(Interrupted) for ear in ears)
        assert it.roster.info("llm").facts["extra"]["takes"] <= 700 * MIB


@pytest.mark.parametrize("memory", ["little", "none"])
async def test_hearing_that_runs_out_of_the_cards_memory_hears_it_again_on_the_processor_and_stays_there(
    tmp_path, memory
):
    settings = {"memory": memory, "texts": ["오늘 날씨 어때?"]}
    spec = WorkerSpec("stt", "tests.gpu.hearing_engine:CardSTT", settings, makes_room=True)

    def make(spec, engine):
        if spec.name == "stt":
            return Supervisor(spec, Backoff((0.0,)), remedy=OffCard(CrashRemedy(time.monotonic)))
        return InlineWorker(spec, engine)

    async with stage(tmp_path, worker=make, specs={"stt": spec}, llm={"replies": {"날씨": "맑아요."}}) as it:
        for _ in range(2):
            ear = Ear("ko")
            done = await ear.ending(await it.speak_into(ear, silence(0.2) + tone(0.6) + silence(0.2)))
            assert isinstance(done, Done)
            assert [heard.text for heard in ear.of(Heard)] == ["오늘 날씨 어때?"]
        info = it.roster.info("stt")
        assert (info.facts["extra"]["device"], info.restarts) == ("cpu", 1)
        off = it.roster.here("stt").spec
        assert hearing_spec(off, game=True) == hearing_spec(off, game=False) == off
