"""Memory that runs out in the middle of turns: the real assistant, loader and supervisor, an engine with a budget."""

import pytest

from aimark_daemon.gpu.facts import MIB
from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.plan import Wish
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.protocol.messages import Done, Interrupted, Resumed
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.inline import InlineWorker
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.assistant.stage import Ear, stage
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
