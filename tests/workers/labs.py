"""Workers for the tests: quick to lose patience, always stopped."""

import asyncio
from contextlib import asynccontextmanager

from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.inline import InlineWorker
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor

NO_DELAY = (0.0,)


def spec(engine: str = "Lab", name: str = "실험", limits: dict | None = None, **settings) -> WorkerSpec:
    return WorkerSpec(name, f"tests.workers.engines:{engine}", settings, **(limits or {}))


def supervisor(the_spec: WorkerSpec) -> Supervisor:
    return Supervisor(the_spec, Backoff(NO_DELAY, max_failed_starts=3))


KINDS = {"child": supervisor, "inline": InlineWorker}


@asynccontextmanager
async def running(make, the_spec: WorkerSpec):
    """A started worker, stopped at the end."""
    worker = make(the_spec)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def reaches(worker, *states: WorkerState, after: int = 0) -> None:
    """Wait for a state, at or after the `after`th restart."""
    reached = asyncio.Event()

    def look(status) -> None:
        if status.state in states and status.restarts >= after:
            reached.set()

    worker.on_status(look)
    look(worker.status)
    await reached.wait()


async def first(call):
    async for event in call:
        return event
    raise AssertionError("no event")
