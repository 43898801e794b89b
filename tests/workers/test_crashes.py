"""Engines that keep crashing: counted by a pure policy, acted on by real supervisors of real children."""

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.engines.crashes import CRASHES, WINDOW_S, CrashPolicy, Level
from aimark_daemon.engines.faults import KEEPS_CRASHING
from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import WorkerState
from aimark_daemon.workers.crashes import CrashRemedy
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


def after(remedy, the_spec, *endings):
    return [asyncio.run(remedy(the_spec, ending)) for ending in endings]


def test_an_engine_goes_on_as_it_is_until_the_sixth_crash_and_is_then_given_up_with_its_last_words():
    *nothing, last = after(CrashRemedy(lambda: 0.0), spec(이름="값"), *[CRASHED] * 2 * CRASHES)
    assert nothing == [None] * 5
    assert (last.code, last.detail) == ("worker_keeps_crashing", "SIGABRT")


def test_a_kill_from_outside_is_no_crash():
    assert after(CrashRemedy(lambda: 0.0), spec(), *[KILLED] * 20) == [None] * 20


def test_another_model_begins_anew_and_so_does_one_that_is_tried_again():
    remedy = CrashRemedy(lambda: 0.0)
    after(remedy, spec(model="old"), *[CRASHED] * 5)
    *nothing, last = after(remedy, spec(model="new"), *[CRASHED] * 6)
    assert nothing == [None] * 5
    assert KEEPS_CRASHING.code == last.code
    assert after(remedy, spec(model="new"), *[CRASHED] * 5) == [None] * 5


@pytest.mark.skipif(os.name != "posix", reason="ends children with POSIX signals")
def test_a_child_that_keeps_aborting_is_given_up_until_started_anew():
    async def check():
        make = lambda s: Supervisor(s, Backoff(NO_DELAY), CrashRemedy(lambda: 0.0))  # noqa: E731
        async with running(make, spec()) as worker:

            async def crash():
                with pytest.raises(AimarkError) as caught:
                    await worker.call(e.DIE, e.Ask("abort")).result()
                return caught.value.fault.code

            for _ in range(2 * CRASHES):
                await worker.ready()
                assert await crash() == faults.CRASHED.code
            with pytest.raises(AimarkError) as caught:
                await worker.ready()
            assert caught.value.fault.code == KEEPS_CRASHING.code
            assert worker.status.state is WorkerState.FAILED
            assert worker.status.fault == caught.value.fault
            assert await crash() == KEEPS_CRASHING.code, "at once, without a child"
            await worker.start()
            assert await worker.call(e.ECHO, e.Ask("다시")).result() == e.Answer("다시", 1)
            assert await crash() == faults.CRASHED.code
            assert await worker.call(e.ECHO, e.Ask("또")).result() == e.Answer("또", 1)

    asyncio.run(check())
