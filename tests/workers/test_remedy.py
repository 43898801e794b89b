"""A remedy: another spec after a death, or a fault, and requests that wait for it."""

import asyncio

import msgspec
import pytest

from aimark_daemon.errors import AimarkError, Text
from aimark_daemon.protocol.messages import PlanInfo
from aimark_daemon.workers.base import WorkerState
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.workers.engines import DIE, ECHO, FAIL, TYPED, UNTIL_CANCELLED, Ask
from tests.workers.labs import NO_DELAY, reaches, running, spec

PLAN = PlanInfo(Text("All on the CPU.", "모두 CPU에 있습니다."), 0, 1, 256, 8, "f16", 0, 1)


class Remedies:
    """Gives the prescribed answers, one for each end, and keeps what it was asked about."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked = []

    async def __call__(self, the_spec, ending):
        self.asked.append((the_spec, ending))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def cured(remedy):
    return lambda the_spec: Supervisor(the_spec, Backoff(NO_DELAY, max_failed_starts=3), remedy=remedy)


async def test_the_next_child_runs_by_the_remedys_spec_and_answers_what_waited():
    remedy = Remedies(spec(model="작은 모델"))
    async with running(cured(remedy), spec(load="memory")) as worker:
        answer = await worker.call(ECHO, Ask("안녕")).result()
        assert answer.text == "안녕"
        assert worker.status.facts.model == "작은 모델"
        assert worker.status.restarts == 1
    ((asked, ending),) = remedy.asked
    assert asked.settings == {"load": "memory"}
    assert (ending.fault.code, ending.ready_s) == ("worker_out_of_memory", None)


async def test_a_remedy_that_is_a_fault_is_the_end_and_its_words_are_the_reason():
    async with running(cured(Remedies(TYPED.fault(what="모델"))), spec(load="memory")) as worker:
        with pytest.raises(AimarkError, match="test_typed_fault"):
            await worker.call(ECHO, Ask()).result()
        assert worker.status.state is WorkerState.FAILED


@pytest.mark.parametrize("answer", [None, RuntimeError("the remedy itself is ill")])
async def test_without_a_remedy_it_is_as_if_nobody_had_been_asked(answer):
    remedy = Remedies(answer, spec(model="다시"))
    async with running(cured(remedy), spec(load="memory")) as worker:
        with pytest.raises(AimarkError, match="worker_out_of_memory"):
            await worker.call(ECHO, Ask()).result()
        assert (await worker.ready()).model == "다시"


async def test_a_fault_that_no_child_heals_asks_for_no_remedy():
    remedy = Remedies()
    async with running(cured(remedy), spec(load="missing")) as worker:
        with pytest.raises(AimarkError, match="worker_model_missing"):
            await worker.ready()
    assert remedy.asked == []


async def test_a_death_at_work_is_told_with_its_verdict():
    remedy = Remedies(spec(model="둘째"))
    async with running(cured(remedy), spec()) as worker:
        with pytest.raises(AimarkError, match="worker_out_of_memory"):
            await worker.call(DIE, Ask("out of memory")).result()
        assert (await worker.ready()).model == "둘째"
    assert remedy.asked[0][1].verdict.kind == "out_of_memory"


async def test_a_replacement_wins_over_a_remedy_that_is_still_thought_about():
    thinking = asyncio.Event()

    async def slow(_spec, _ending):
        thinking.set()
        await asyncio.Event().wait()

    async with running(cured(slow), spec(load="memory")) as worker:
        await thinking.wait()
        assert worker.status.state is WorkerState.CRASHED
        await worker.replace(spec(model="바꾼 모델"))
        assert (await worker.ready()).model == "바꾼 모델"
    async with running(cured(slow), spec(load="memory")) as worker:
        thinking.clear()
        await thinking.wait()
        await worker.stop()
        assert worker.status.state is WorkerState.STOPPED


async def test_an_engine_with_a_plan_that_runs_out_of_memory_at_work_is_started_anew():
    planned = msgspec.structs.replace(spec(model="크다"), plan=PLAN)
    remedy = Remedies(msgspec.structs.replace(planned, settings={"model": "작다"}))
    async with running(cured(remedy), planned) as worker:
        await worker.ready()
        failing, waiting = worker.call(FAIL, Ask("memory")), worker.call(UNTIL_CANCELLED, Ask())
        with pytest.raises(AimarkError, match="worker_out_of_memory"):
            await failing.result()
        after = worker.call(ECHO, Ask("다음"))
        assert (await after.result()).text == "다음"
        assert worker.status.facts.model == "작다"
        with pytest.raises(AimarkError, match="worker_out_of_memory"):
            await waiting.result()


async def test_an_engine_without_a_plan_lives_on_when_one_request_was_too_large():
    async with running(cured(Remedies()), spec()) as worker:
        pid = (await worker.ready()) and worker.status.pid
        with pytest.raises(AimarkError, match="worker_out_of_memory"):
            await worker.call(FAIL, Ask("memory")).result()
        assert (await worker.call(ECHO, Ask("안녕")).result()).text == "안녕"
        assert worker.status.pid == pid
        await reaches(worker, WorkerState.READY)
