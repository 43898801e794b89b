"""Engines that keep crashing: counted by a pure policy, acted on by real supervisors of real children."""

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import WorkerState
from aimark_daemon.workers.crashes import CRASHES, WINDOW_S, CrashPolicy, CrashRemedy, Level, on_cpu
from aimark_daemon.workers.life import Ending
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.workers import engines as e
from tests.workers.labs import NO_DELAY, running, spec

TIMES = st.lists(st.floats(0, 400), max_size=30)
CRASHED = Ending(faults.CRASHED.fault("SIGABRT", name="llm"), heals=True, ready_s=1.0)
KILLED = Ending(faults.KILLED.fault("SIGKILL", name="llm"), heals=True, ready_s=1.0)


@given(TIMES)
def test_a_level_rises_only_after_three_crashes_in_five_minutes_and_never_falls(gaps):
    policy, now, since = CrashPolicy(), 0.0, []
    for gap in gaps:
        now += gap
        before = policy.level
        since = [at for at in since if now - at < WINDOW_S] + [now]
        told = policy.crashed(now)
        risen = len(since) >= CRASHES and before is not Level.DEGRADED
        assert policy.level == before + risen
        assert told == (policy.level if risen else None)
        if risen:
            since = []


@given(st.lists(st.floats(WINDOW_S / 2, 1e6), max_size=30))
def test_rare_crashes_count_for_nothing(gaps):
    policy, now = CrashPolicy(), 0.0
    for gap in gaps:
        now += gap
        assert policy.crashed(now) is None


def remedy_of(on_crashes=on_cpu):
    return CrashRemedy(lambda: 0.0, on_crashes)


def after(remedy, the_spec, *endings):
    return [asyncio.run(remedy(the_spec, ending)) for ending in endings]


def test_the_third_crash_asks_for_the_processor_alone_and_the_sixth_for_nothing_more():
    remedy, first = remedy_of(), spec(n_gpu_layers=99, 이름="값")
    *_, cpu = after(remedy, first, CRASHED, CRASHED, CRASHED)
    assert cpu.settings == {"n_gpu_layers": 0, "이름": "값"}
    *nothing, last = after(remedy, cpu, CRASHED, CRASHED, CRASHED)
    assert nothing == [None, None]
    assert last.code == "worker_keeps_crashing"
    assert last.detail == "SIGABRT"


def test_an_engine_that_leaves_the_card_alone_already_goes_on_as_it_is():
    the_spec = spec(n_gpu_layers=0)
    assert after(remedy_of(), the_spec, *[CRASHED] * 5) == [None] * 5
    assert after(remedy_of(None), the_spec, *[CRASHED] * 5) == [None] * 5


def test_a_kill_from_outside_is_no_crash():
    assert after(remedy_of(), spec(), *[KILLED] * 20) == [None] * 20


def test_another_model_begins_anew():
    remedy = remedy_of()
    after(remedy, spec(model="old"), *[CRASHED] * 2)
    assert after(remedy, spec(model="new"), *[CRASHED] * 2) == [None] * 2
    assert remedy.level is Level.NORMAL


@pytest.mark.skipif(os.name != "posix", reason="ends children with POSIX signals")
def test_a_child_that_keeps_aborting_runs_on_the_processor_and_is_then_given_up_until_started_anew():
    async def check():
        make = lambda s: Supervisor(s, Backoff(NO_DELAY), CrashRemedy(lambda: 0.0, on_cpu))  # noqa: E731
        async with running(make, spec(n_gpu_layers=5)) as worker:

            async def crash():
                with pytest.raises(AimarkError) as caught:
                    await worker.call(e.DIE, e.Ask("abort")).result()
                return caught.value.fault.code

            for _ in range(2 * CRASHES):
                await worker.ready()
                assert worker.spec.settings["n_gpu_layers"] == (5 if worker.status.restarts < CRASHES else 0)
                assert await crash() == faults.CRASHED.code
            with pytest.raises(AimarkError) as caught:
                await worker.ready()
            assert caught.value.fault.code == faults.KEEPS_CRASHING.code
            assert worker.status.state is WorkerState.FAILED
            assert worker.status.fault == caught.value.fault
            assert await crash() == faults.KEEPS_CRASHING.code, "at once, without a child"
            await worker.start()
            assert await worker.call(e.ECHO, e.Ask("다시")).result() == e.Answer("다시", 1)
            assert await crash() == faults.CRASHED.code
            assert await worker.call(e.ECHO, e.Ask("또")).result() == e.Answer("또", 1)

    asyncio.run(check())
