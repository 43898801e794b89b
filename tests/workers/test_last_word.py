"""Orders that cross: of `start`, `replace` and `stop` the last one holds, and each of them returns."""

import asyncio
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.workers.base import WorkerState
from tests.workers.engines import ECHO, UNTIL_CANCELLED, Answer, Ask
from tests.workers.labs import first, running, spec, supervisor

PATIENCE_S = 30


def gone(pid: int) -> bool:
    """Whether no process of that number is left, be it as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("busy", [False, True])
async def test_a_worker_that_is_replaced_while_it_stops_runs_the_new_engine(busy):
    async with asyncio.timeout(PATIENCE_S), running(supervisor, spec(model="옛것")) as worker:
        await worker.ready()
        pid = worker.status.pid
        if busy:
            await first(worker.call(UNTIL_CANCELLED, Ask()))
        stop = asyncio.create_task(worker.stop())
        await asyncio.sleep(0)
        await worker.replace(spec(model="새것"))
        await stop
        assert gone(pid)
        assert (await worker.ready()).model == "새것"
        assert await worker.call(ECHO, Ask("안녕")).result() == Answer("안녕", 1)


async def test_a_worker_that_is_started_while_it_stops_comes_back_and_takes_what_waited():
    async with asyncio.timeout(PATIENCE_S), running(supervisor, spec()) as worker:
        await worker.ready()
        pid = worker.status.pid
        stop = asyncio.create_task(worker.stop())
        await asyncio.sleep(0)
        waits = worker.call(ECHO, Ask("기다림"))
        await worker.start()
        await stop
        await worker.ready()
        assert worker.status.pid != pid
        assert await waits.result() == Answer("기다림", 1)


async def test_a_stop_after_a_start_after_a_stop_leaves_nothing():
    async with asyncio.timeout(PATIENCE_S):
        worker = supervisor(spec())
        await worker.start()
        await worker.ready()
        pid = worker.status.pid
        orders = [asyncio.create_task(order()) for order in (worker.stop, worker.start, worker.stop, worker.stop)]
        await asyncio.gather(*orders)
        assert worker.status.state is WorkerState.STOPPED
        assert gone(pid)
        with pytest.raises(AimarkError, match="worker_stopped"):
            await worker.call(ECHO, Ask()).result()


async def test_a_worker_that_is_stopped_before_it_began_never_begins():
    async with asyncio.timeout(PATIENCE_S):
        worker = supervisor(spec())
        await asyncio.gather(worker.start(), worker.stop())
        assert (worker.status.state, worker.status.restarts) == (WorkerState.STOPPED, 0)


@settings(max_examples=12, deadline=None)
@given(orders=st.lists(st.sampled_from(["start", "stop", "새것", "다른것"]), min_size=2, max_size=6))
def test_however_orders_cross_the_last_one_holds(orders):
    async def check():
        worker = supervisor(spec(model="옛것"))
        await worker.start()
        model, waiting = "옛것", []
        for order in orders:
            match order:
                case "start" | "stop":
                    waiting.append(asyncio.create_task(getattr(worker, order)()))
                case model:
                    waiting.append(asyncio.create_task(worker.replace(spec(model=order))))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        try:
            if orders[-1] == "stop":
                assert worker.status.state is WorkerState.STOPPED
            else:
                assert (await worker.ready()).model == model
        finally:
            await worker.stop()
        assert worker.status.pid is None

    async def patiently():
        async with asyncio.timeout(PATIENCE_S):
            await check()

    asyncio.run(patiently())
