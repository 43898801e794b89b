"""The roster: which worker does which job (llm, stt, tts), also before there is one.

A job is *awaited* while its model is looked for or downloaded, *absent* when there is nothing to run, else held by a
worker. Requests for an awaited job wait; requests for an absent one fail at once with the reason. A worker that was
given up is tried again when it is wanted: memory may be free by now, or the file in its place.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from aimark_daemon.errors import AimarkError, Exit, Fault, fault_kind
from aimark_daemon.protocol.messages import EngineInfo
from aimark_daemon.workers.base import Worker, WorkerSpec, WorkerState, WorkerStatus
from aimark_daemon.workers.exits import is_final

log = logging.getLogger("aimark.roster")

Job = Literal["llm", "stt", "tts"]
JOBS: tuple[Job, ...] = ("llm", "stt", "tts")

RETRY_S = 30.0
"""How long a worker that was given up is left alone."""

ENGINE_STOPPED = fault_kind(
    "engine_stopped",
    exit_code=Exit.ENGINE,
    message="The assistant is stopping.",
    message_ko="어시스턴트를 끝내는 중입니다.",
    hint="Start it again with `aimark`.",
    hint_ko="`aimark`로 다시 시작해 주세요.",
)


@dataclass(slots=True)
class _Place:
    worker: Worker | None = None
    fault: Fault | None = None
    tried_at: float = 0.0
    wanted_at: float = float("-inf")
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Roster:
    """The workers by job. `make_worker` builds a worker from a spec; listeners hear every change.

    `clock` gives monotonic seconds.
    """

    def __init__(
        self, make_worker: Callable[[WorkerSpec], Worker], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make_worker = make_worker
        self._clock = clock
        self._places: dict[Job, _Place] = {job: _Place() for job in JOBS}
        self._listeners: list[Callable[[Job, EngineInfo], None]] = []
        self._stopped = False

    def on_change(self, listener: Callable[[Job, EngineInfo], None]) -> None:
        """`listener` is called in the event loop whenever a job's engine changes."""
        self._listeners.append(listener)

    async def get(self, job: Job) -> Worker:
        """The worker that does `job`; waits while it is awaited. One that was given up starts anew, now and then.

        Raises:
            AimarkError: the job is absent; the fault says why.
        """
        place = self._places[job]
        await place.settled.wait()
        if place.worker is None:
            raise AimarkError(place.fault or ENGINE_STOPPED.fault())
        status = place.worker.status
        rested = self._clock() - place.tried_at >= RETRY_S
        if status.state is WorkerState.FAILED and not is_final(status.fault) and rested:
            place.tried_at = self._clock()
            await place.worker.start()
        return place.worker

    def wake(self, job: Job) -> None:
        """Somebody is about to want `job`: a worker that sleeps begins to load."""
        place = self._places[job]
        place.wanted_at = self._clock()
        if place.worker is not None:
            place.worker.wake()

    def wanted_at(self, job: Job) -> float:
        """When `wake` was last called, by the clock; minus infinity for never."""
        return self._places[job].wanted_at

    def here(self, job: Job) -> Worker | None:
        """The worker that does `job` now, if there is one."""
        return self._places[job].worker

    async def assign(self, job: Job, spec: WorkerSpec) -> None:
        """Let `job` be done by an engine made from `spec`; returns when its start has begun."""
        place = self._places[job]
        async with place.lock:
            if self._stopped:
                return
            place.fault = None
            place.tried_at = self._clock()
            if place.worker is None:
                place.worker = self._make_worker(spec)
                place.worker.on_status(lambda status: self._changed(job, status))
                await place.worker.start()
            else:
                await place.worker.replace(spec)
            place.settled.set()

    async def set_absent(self, job: Job, fault: Fault) -> None:
        """Nothing can do `job`, because of `fault`; a worker that did it is stopped."""
        place = self._places[job]
        async with place.lock:
            worker, place.worker = place.worker, None
            place.fault = fault
            place.settled.set()
            if worker is not None:
                await worker.stop()
        self._tell(job, self.info(job))

    def info(self, job: Job) -> EngineInfo:
        """The job's engine as clients see it."""
        place = self._places[job]
        if place.worker is None:
            return EngineInfo(state=WorkerState.ABSENT if place.settled.is_set() else "awaited", fault=place.fault)
        return _info(place.worker.status, place.worker.spec)

    def infos(self) -> Mapping[Job, EngineInfo]:
        """Every job's engine as clients see it."""
        return {job: self.info(job) for job in JOBS}

    def settled(self, jobs: Iterable[Job] = JOBS) -> bool:
        """Whether none of `jobs` is still being looked for or started."""
        return all(
            self._places[job].settled.is_set()
            and self.info(job).state not in (WorkerState.SPAWNING, WorkerState.LOADING)
            for job in jobs
        )

    async def stop(self) -> None:
        """Stop every worker; requests that wait fail."""
        self._stopped = True
        workers = []
        for place in self._places.values():
            async with place.lock:
                if place.worker is not None:
                    workers.append(place.worker.stop())
                else:
                    place.fault = place.fault or ENGINE_STOPPED.fault()
                place.settled.set()
        for result in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(result, BaseException):
                log.error("a worker did not stop cleanly: %r", result)

    def _changed(self, job: Job, status: WorkerStatus) -> None:
        worker = self._places[job].worker
        if worker is not None:
            self._tell(job, _info(status, worker.spec))

    def _tell(self, job: Job, info: EngineInfo) -> None:
        for listener in self._listeners:
            listener(job, info)


def _info(status: WorkerStatus, spec: WorkerSpec) -> EngineInfo:
    facts = msgspec.to_builtins(status.facts) if status.facts is not None else {}
    return EngineInfo(
        state=status.state,
        pid=status.pid,
        model=str(spec.settings.get("model", "")) or facts.get("model", ""),
        restarts=status.restarts,
        facts=facts,
        fault=status.fault,
        plan=None if status.state is WorkerState.ASLEEP else spec.plan,
    )
