"""Sleep, wake and reload: a child is ended on purpose, and whatever is asked meanwhile is answered by the next one."""

import asyncio
import random

import msgspec
import psutil
import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import handover
from aimark_daemon.workers.base import WorkerState
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.workers.engines import ECHO, UNTIL_CANCELLED, Ask
from tests.workers.labs import NO_DELAY, first, reaches, running, spec


class Renewal:
    """Names the model anew each time, and can be held up."""

    def __init__(self):
        self.count = 0
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, the_spec):
        self.asked.set()
        await self.go.wait()
        self.count += 1
        return msgspec.structs.replace(the_spec, settings={**the_spec.settings, "model": f"{self.count}번째"})


class Luggage:
    """A handover that asks the child something, and can be held up."""

    def __init__(self):
        self.said = []
        self.taking, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()

    async def take(self, call):
        self.taking.set()
        await self.go.wait()
        self.said.append(("take", (await call(ECHO, Ask("짐")).result()).text))

    async def give(self, call):
        self.said.append(("give", (await call(ECHO, Ask("짐")).result()).text))


def sleeper(**hooks):
    return lambda the_spec: Supervisor(the_spec, Backoff(NO_DELAY, max_failed_starts=3), **hooks)


async def echo(worker, text="안녕"):
    return (await worker.call(ECHO, Ask(text)).result()).text


async def test_a_worker_that_sleeps_has_no_process_and_a_request_wakes_it():
    async with running(sleeper(), spec()) as worker:
        await worker.ready()
        pid = worker.status.pid
        assert await worker.sleep()
        assert (worker.status.state, worker.status.pid) == (WorkerState.ASLEEP, None)
        assert not psutil.pid_exists(pid)
        assert await echo(worker) == "안녕"
        assert worker.status.restarts == 0


@pytest.mark.parametrize("how", ["wake", "start", "ready", "replace"])
async def test_everything_that_wants_it_wakes_it(how):
    async with running(sleeper(), spec()) as worker:
        await worker.ready()
        await worker.sleep()
        match how:
            case "wake":
                worker.wake()
            case "start":
                await worker.start()
            case "ready":
                await worker.ready()
            case "replace":
                await worker.replace(spec(model="다른 모델"))
        await reaches(worker, WorkerState.READY)
        assert await echo(worker) == "안녕"


async def test_one_that_works_does_not_sleep_and_goes_on():
    async with running(sleeper(), spec()) as worker:
        await worker.ready()
        call = worker.call(UNTIL_CANCELLED, Ask())
        await first(call)
        pid = worker.status.pid
        assert not await worker.sleep()
        assert not await worker.reload()
        assert (worker.status.state, worker.status.pid) == (WorkerState.BUSY, pid)
        call.cancel()
        await call.result()


async def test_a_request_that_comes_while_the_child_ends_is_answered_by_the_next_one():
    async with running(sleeper(), spec()) as worker:
        await worker.ready()
        pid = worker.status.pid
        falling = asyncio.create_task(worker.sleep())
        await asyncio.sleep(0)
        assert worker.status.pid == pid
        call = worker.call(ECHO, Ask("깨어나"))
        assert (await call.result()).text == "깨어나"
        assert await falling
        assert worker.status.pid not in (None, pid)


async def test_who_waits_for_it_while_it_falls_asleep_gets_it():
    async with running(sleeper(), spec()) as worker:
        await worker.ready()
        falling = asyncio.create_task(worker.sleep())
        await asyncio.sleep(0)
        worker.wake()
        await falling
        await worker.ready()
        assert await echo(worker) == "안녕"


async def test_the_spec_is_renewed_before_the_child_after_a_sleep_and_after_a_reload():
    renewal = Renewal()
    async with running(sleeper(renew=renewal), spec()) as worker:
        await worker.ready()
        assert renewal.count == 0
        await worker.sleep()
        assert (await worker.ready()).model == "1번째"
        assert await worker.reload()
        assert (await worker.ready()).model == "2번째"
        await worker.replace(spec(model="고른 모델"))
        assert (await worker.ready()).model == "고른 모델"


async def test_a_renewal_that_fails_leaves_the_spec_as_it_was():
    async def renew(_spec):
        raise OSError("the driver is gone")

    async with running(sleeper(renew=renew), spec(model="그대로")) as worker:
        await worker.ready()
        assert await worker.reload()
        assert (await worker.ready()).model == "그대로"


async def test_a_forced_reload_ends_what_runs_as_a_death_does_and_waiting_requests_go_to_the_next_child():
    renewal = Renewal()
    async with running(sleeper(renew=renewal), spec()) as worker:
        await worker.ready()
        pid = worker.status.pid
        call = worker.call(UNTIL_CANCELLED, Ask())
        await first(call)
        assert await worker.reload(force=True)
        assert not psutil.pid_exists(pid)
        with pytest.raises(AimarkError, match="worker_stopped"):
            await call.result()
        assert await echo(worker) == "안녕"
        assert worker.status.facts.model == "1번째"


async def test_a_forced_reload_while_it_is_renewed_or_loads_ends_in_one_that_is_ready():
    renewal = Renewal()
    async with running(sleeper(renew=renewal), spec()) as worker:
        await worker.reload(force=True)
        renewal.go.clear()
        await renewal.asked.wait()
        renewal.asked.clear()
        again = asyncio.create_task(worker.reload(force=True))
        assert await again
        renewal.go.set()
        await worker.ready()
        assert await echo(worker) == "안녕"


async def test_a_reload_while_it_sleeps_or_falls_asleep_leaves_it_asleep():
    async with running(sleeper(renew=Renewal()), spec()) as worker:
        await worker.ready()
        falling = asyncio.create_task(worker.sleep())
        await asyncio.sleep(0)
        await worker.reload(force=True)
        assert await falling
        assert worker.status.state is WorkerState.ASLEEP
        assert await worker.reload(force=True)
        assert worker.status.state is WorkerState.ASLEEP


async def test_another_spec_beats_a_renewal_that_is_under_way():
    renewal = Renewal()
    async with running(sleeper(renew=renewal), spec()) as worker:
        await worker.ready()
        renewal.go.clear()
        await worker.reload()
        await renewal.asked.wait()
        await worker.replace(spec(model="고른 모델"))
        assert (await worker.ready()).model == "고른 모델"
        assert renewal.count == 0


async def test_a_stop_while_it_falls_asleep_or_is_renewed_stops_it():
    renewal = Renewal()
    async with running(sleeper(renew=renewal), spec()) as worker:
        await worker.ready()
        falling = asyncio.create_task(worker.sleep())
        await asyncio.sleep(0)
        await worker.stop()
        await falling
        assert worker.status.state is WorkerState.STOPPED
        await worker.start()
        await worker.ready()
        renewal.go.clear()
        renewal.asked.clear()
        await worker.reload()
        await renewal.asked.wait()
        waiting = worker.call(ECHO, Ask())
        await worker.stop()
        assert worker.status.state is WorkerState.STOPPED
        with pytest.raises(AimarkError, match="worker_stopped"):
            await waiting.result()


async def test_a_sleeping_worker_that_is_stopped_refuses_requests():
    async with running(sleeper(), spec()) as worker:
        await worker.ready()
        await worker.sleep()
        await worker.stop()
        with pytest.raises(AimarkError, match="worker_stopped"):
            await echo(worker)


async def test_one_that_cannot_load_when_it_wakes_tells_who_waits():
    async def renew(_spec):
        return spec(load="missing")

    async with running(sleeper(renew=renew), spec()) as worker:
        await worker.ready()
        await worker.sleep()
        with pytest.raises(AimarkError, match="worker_model_missing"):
            await echo(worker)
        assert worker.status.state is WorkerState.FAILED


# What is handed over ----------------------------------------------------------------------------------------------


async def test_the_child_is_asked_before_it_ends_and_the_next_one_before_requests_go_to_it():
    luggage = Luggage()
    async with running(sleeper(handover=luggage), spec()) as worker:
        seen = []
        worker.on_status(lambda status: seen.append(status.state))
        await worker.ready()
        assert luggage.said == [("give", "짐")]
        assert await worker.sleep()
        assert luggage.said == [("give", "짐"), ("take", "짐")]
        assert await echo(worker) == "안녕"
        assert luggage.said[2:] == [("give", "짐")]
        assert seen.count(WorkerState.BUSY) == 1, "what is handed over is no work"


async def test_who_asks_while_something_is_taken_keeps_the_child():
    luggage = Luggage()
    async with running(sleeper(handover=luggage), spec()) as worker:
        await worker.ready()
        pid = worker.status.pid
        luggage.go.clear()
        falling = asyncio.create_task(worker.sleep())
        await luggage.taking.wait()
        call = worker.call(ECHO, Ask("잠깐"))
        luggage.go.set()
        assert not await falling
        assert (await call.result()).text == "잠깐"
        assert worker.status.pid == pid


async def test_who_asks_does_not_wait_for_what_is_taken(monkeypatch):
    luggage = Luggage()
    monkeypatch.setattr("aimark_daemon.workers.supervisor.TAKE_S", 600.0)
    async with running(sleeper(handover=luggage), spec()) as worker:
        await worker.ready()
        pid = worker.status.pid
        luggage.go.clear()
        for how in (worker.sleep, worker.reload):
            luggage.taking.clear()
            ending = asyncio.create_task(how())
            await luggage.taking.wait()
            async with asyncio.timeout(20):
                assert await echo(worker) == "안녕"
                assert not await ending
        assert worker.status.pid == pid
        luggage.go.set()
        assert await worker.sleep(), "and later it sleeps as ever"


async def test_a_child_whose_memory_is_wanted_leaves_what_it_knows_whoever_asks():
    luggage = Luggage()
    async with running(sleeper(handover=luggage), spec()) as worker:
        await worker.ready()
        luggage.go.clear()
        luggage.taking.clear()
        ending = asyncio.create_task(worker.reload(force=True))
        await luggage.taking.wait()
        asked = worker.call(ECHO, Ask("안녕"))
        await asyncio.sleep(0)
        luggage.go.set()
        assert await ending
        assert (await asked.result()).text == "안녕"
        assert ("take", "짐") in luggage.said


async def test_a_handover_that_fails_or_takes_too_long_holds_nothing_up(monkeypatch):
    class Heavy:
        async def take(self, call):
            await call(UNTIL_CANCELLED, Ask()).result()

        async def give(self, _call):
            raise RuntimeError("the luggage is lost")

    monkeypatch.setattr("aimark_daemon.workers.supervisor.TAKE_S", 0.05)
    async with running(sleeper(handover=Heavy()), spec()) as worker:
        await worker.ready()
        assert await worker.sleep()
        assert await echo(worker) == "안녕"
    assert handover.TAKE_IN_HURRY_S < 3, "game mode promises the card within three seconds"


async def test_a_forced_reload_does_not_wait_for_what_another_one_takes():
    luggage = Luggage()
    async with running(sleeper(handover=luggage), spec()) as worker:
        await worker.ready()
        luggage.go.clear()
        falling = asyncio.create_task(worker.sleep())
        await luggage.taking.wait()
        assert await worker.reload(force=True)
        assert not await falling
        luggage.go.set()
        assert await echo(worker) == "안녕"


async def test_a_child_that_dies_while_it_is_given_something_is_followed_by_the_next():
    class Deadly(Luggage):
        async def give(self, call):
            if not self.said:
                self.said.append("first")
                psutil.Process(worker.status.pid).kill()
                await call(ECHO, Ask()).result()

    worker = sleeper(handover=Deadly())(spec())
    await worker.start()
    try:
        assert await echo(worker) == "안녕"
    finally:
        await worker.stop()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_at_the_same_time_every_request_is_answered_or_told_why_and_nothing_is_left(seed):
    """Sleep, wake, reload, replace and requests, in any order, none of them waiting for another."""
    draw = random.Random(seed)
    worker = sleeper(renew=Renewal(), handover=Luggage())(spec())
    await worker.start()
    tasks, calls, pids = [], [], set()
    worker.on_status(lambda status: pids.add(status.pid))
    for _ in range(24):
        match draw.randrange(6):
            case 0:
                tasks.append(asyncio.create_task(worker.sleep()))
            case 1:
                tasks.append(asyncio.create_task(worker.reload(force=draw.random() < 0.5)))
            case 2:
                worker.wake()
            case 3:
                tasks.append(asyncio.create_task(worker.replace(spec(model=f"모델 {len(tasks)}"))))
            case _:
                calls.append(worker.call(ECHO, Ask("안녕")))
        for _ in range(draw.randrange(40)):
            await asyncio.sleep(0)
        if draw.random() < 0.3:
            await worker.ready()
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks)
        answers = await asyncio.gather(*(call.result() for call in calls), return_exceptions=True)
        assert await echo(worker) == "안녕"
    refused = [answer.fault.code for answer in answers if isinstance(answer, AimarkError)]
    assert set(refused) <= {"worker_stopped", "worker_call_cancelled"}, refused  # of a child that was replaced
    assert all(answer.text == "안녕" for answer in answers if not isinstance(answer, AimarkError))
    await worker.stop()
    assert not [pid for pid in pids - {None} if psutil.pid_exists(pid)]
