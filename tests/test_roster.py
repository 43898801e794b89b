"""The roster: who does which job, before there is anyone, while there is, and after they were given up."""

import asyncio

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.provision import NO_MODEL
from aimark_daemon.roster import RETRY_S, Roster
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import WorkerSpec, WorkerState, WorkerStatus

SPEC = WorkerSpec("llm", "module:Engine", {"model": "작은 모델"})


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Hand:
    """A worker whose state is set by hand; `starts` counts how often it was started."""

    def __init__(self, spec):
        self.spec, self.state, self.starts, self.stopped = spec, WorkerState.STOPPED, 0, False
        self.fault = None

    @property
    def status(self):
        return WorkerStatus(self.spec.name, self.state, fault=self.fault)

    def on_status(self, listener):
        self.tell = lambda: listener(self.status)

    async def start(self):
        self.starts += 1
        self.state = WorkerState.LOADING

    async def replace(self, spec):
        self.spec = spec

    async def stop(self):
        self.stopped, self.state = True, WorkerState.STOPPED

    def give_up(self):
        self.state, self.fault = WorkerState.FAILED, faults.OUT_OF_MEMORY.fault(name="llm")


async def test_a_job_is_waited_for_until_somebody_does_it():
    roster = Roster(Hand)
    waiting = asyncio.create_task(roster.get("llm"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert roster.info("llm").state == "awaited"
    await roster.assign("llm", SPEC)
    assert await waiting is roster.here("llm")
    assert roster.info("llm").model == "작은 모델"


async def test_who_waits_for_an_absent_job_is_told_why():
    roster = Roster(Hand)
    waiting = asyncio.create_task(roster.get("tts"))
    await asyncio.sleep(0)
    await roster.set_absent("tts", NO_MODEL.fault(job="tts"))
    with pytest.raises(AimarkError, match="no_model"):
        await waiting
    await roster.assign("tts", SPEC)
    assert await roster.get("tts")


async def test_a_worker_whose_job_becomes_absent_is_stopped():
    roster = Roster(Hand)
    await roster.assign("llm", SPEC)
    worker = roster.here("llm")
    await roster.set_absent("llm", NO_MODEL.fault(job="llm"))
    assert worker.stopped
    assert roster.info("llm").fault.code == "no_model"


async def test_stopping_ends_every_worker_and_every_wait():
    roster = Roster(Hand)
    await roster.assign("llm", SPEC)
    worker = roster.here("llm")
    waiting = asyncio.create_task(roster.get("stt"))
    await asyncio.sleep(0)
    await roster.stop()
    assert worker.stopped
    with pytest.raises(AimarkError, match="engine_stopped"):
        await waiting
    await roster.assign("stt", SPEC)
    assert roster.here("stt") is None


async def test_a_worker_that_was_given_up_is_tried_again_when_it_is_wanted_but_not_all_the_time():
    clock = Clock()
    roster = Roster(Hand, clock)
    await roster.assign("llm", SPEC)
    worker = roster.here("llm")
    worker.give_up()
    assert await roster.get("llm") is worker
    assert (worker.starts, worker.state) == (1, WorkerState.FAILED)
    clock.now += RETRY_S
    for _ in range(3):
        await roster.get("llm")
    assert (worker.starts, worker.state) == (2, WorkerState.LOADING)
    worker.give_up()
    await roster.get("llm")
    assert worker.starts == 2
    clock.now += RETRY_S
    await roster.get("llm")
    assert worker.starts == 3


async def test_every_change_is_told_with_the_fault():
    roster, told = Roster(Hand), []
    roster.on_change(lambda job, info: told.append((job, info.state, info.fault and info.fault.code)))
    await roster.assign("llm", SPEC)
    worker = roster.here("llm")
    worker.give_up()
    worker.tell()
    assert told == [("llm", "failed", "worker_out_of_memory")]
