"""Supervisor: keeps one engine running in a child process (the `Worker` contract).

One task (`_run`) lives through one child after the other and is, with `_set`, the only writer of the state:

    STOPPED > SPAWNING > LOADING > READY <> BUSY > CRASHED > (backoff) > SPAWNING ...
                                                 > FAILED   a fault that no new child would heal
                                                 > STOPPED  asked to
                                                 > ASLEEP   asked to, until somebody wants it again
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aimark_daemon.engines.base import Facts, Method
from aimark_daemon.errors import AimarkError, Fault, as_fault
from aimark_daemon.names import named
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import Ev, Req, Res, WorkerSpec, WorkerState, WorkerStatus
from aimark_daemon.workers.calls import CallTable, PendingCall
from aimark_daemon.workers.door import Door
from aimark_daemon.workers.handover import TAKE_IN_HURRY_S, TAKE_S, Handover
from aimark_daemon.workers.hurry import Hurry
from aimark_daemon.workers.life import Ending, Life
from aimark_daemon.workers.patience import Backoff

log = logging.getLogger("aimark.worker")

Remedy = Callable[[WorkerSpec, Ending], Awaitable[WorkerSpec | Fault | None]]
"""Asked after a child's end that may heal: another spec to go on with, a fault to give up with, or None for neither."""

Renew = Callable[[WorkerSpec], Awaitable[WorkerSpec]]
"""Asked before the first child after a sleep or a reload: the spec as it should be now."""

_RUNNING = frozenset({WorkerState.READY, WorkerState.BUSY})
_ENDED = frozenset({WorkerState.ABSENT, WorkerState.FAILED, WorkerState.STOPPED})


class Supervisor:
    """A worker in a child process. All methods belong to one event loop.

    A request begun while the worker starts waits for it; one that waits while a start fails gets that start's fault.
    An empty `spec.engine` means that there is nothing to run. With a `remedy`, requests that wait outlive a start that
    failed if it knows another spec. Of `start`, `replace` and `stop` the last one holds: a worker that is told to run
    while it stops comes back, in a new child. `sleep` and `reload` end a child so that `handover` keeps what it knows.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        backoff: Backoff | None = None,
        remedy: Remedy | None = None,
        *,
        renew: Renew | None = None,
        handover: Handover | None = None,
    ) -> None:
        self._spec = spec
        self._backoff = backoff or Backoff()
        self._remedy = remedy
        self._renew = renew
        self._listeners: list[Callable[[WorkerStatus], None]] = []
        self._status = WorkerStatus(spec.name, WorkerState.STOPPED if spec.engine else WorkerState.ABSENT)
        self._changed = asyncio.Event()
        self._calls = CallTable()
        self._calls.changed = self._on_calls
        self._life: Life | None = None
        self._task: asyncio.Task[None] | None = None
        self._wanted = 0
        """Generation that should run; 0 when none. A life of another generation has been replaced."""
        self._generations = 0
        self._hurry = Hurry()
        self._door = Door(spec.name, self._calls, self._hurry, handover, self._opened)
        self._resting = False
        """Whether it is, or is about to be, asleep."""
        self._stale = False
        """Whether the spec is to be renewed before the next child."""

    @property
    def spec(self) -> WorkerSpec:
        """What it runs now."""
        return self._spec

    @property
    def status(self) -> WorkerStatus:
        """Where it is in its life."""
        return self._status

    def on_status(self, listener: Callable[[WorkerStatus], None]) -> None:
        """`listener` is called, in the event loop, at every change of the status."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Begin to spawn and load; returns at once, or when a stop that is under way has ended the old child.

        A failed or stopped worker is tried anew.
        """
        self.wake()
        if self._task is None or self._task.done() or not self._wanted:
            await self.replace(self._spec)

    def wake(self) -> None:
        """Begin to spawn and load again if it is asleep, or about to be."""
        if not self._resting:
            return
        self._resting, self._stale = False, True
        self._backoff.reset()
        if self._task is None:
            self._begin()
        else:
            self._begin_anew()

    async def ready(self) -> Facts:
        """Wait until the engine is loaded.

        Raises:
            AimarkError: the start failed for good, or the worker is stopped.
        """
        while self._status.state not in _RUNNING:
            self.wake()
            if self._status.state in _ENDED:
                raise AimarkError(self._refusal())
            await self._changed.wait()
        return self._status.facts or Facts()

    def call(self, method: Method[Req, Ev, Res], request: Req) -> PendingCall[Ev, Res]:
        """Begin a request. A worker that sleeps or still starts queues it; a failed one fails it at once."""
        call = self._calls.begin(self._spec.name, method, request)
        self.wake()
        if self._status.state in _ENDED:
            call.fail(self._refusal())
        else:
            self._door.attach()
        return call

    async def replace(self, spec: WorkerSpec) -> None:
        """End the running child and start another one by `spec`; requests that wait go to the new one.

        Requests in flight end early, as if cancelled, or with `worker_stopped` if the engine does not return in time.
        """
        self._spec = spec
        self._resting = self._stale = False
        self._backoff.reset()
        if self._task is None:
            self._begin()
            return
        self._begin_anew()
        await self._end_of(self._life)

    async def sleep(self) -> bool:
        """End the child until somebody wants it. False, and it stays, if it is not ready or is wanted."""
        life = self._door.idle()
        if life is None or not await self._door.take(life, TAKE_S):
            return False
        self._resting, self._wanted = True, 0
        self._hurry.set()
        await self._end_of(life)
        return True

    async def reload(self, *, force: bool = False) -> bool:
        """End the child and start another one by what `renew` says; returns when the former is gone.

        False, and nothing changes, if it is not ready or works. With `force` that does not matter: its child is killed
        if need be, and requests in flight fail with `worker_stopped`. One that sleeps or was given up stays as it is.
        """
        life = self._door.idle()
        if not force:
            if life is None or not await self._door.take(life, TAKE_S):
                return False
        elif life is not None:
            await self._door.take(life, TAKE_IN_HURRY_S, whoever_asks=True)
        if self._wanted and not self._stale:
            self._stale = True
            self._begin_anew()
        await self._end_of(self._life, at_once=force)
        return True

    async def stop(self) -> None:
        """Stop politely, then kill; afterwards the child is gone. Idempotent."""
        self._wanted = 0
        self._resting = False
        self._hurry.set()
        life, task = self._life, self._task
        if life is not None:
            life.stop()
        if task is None:
            if self._status.state is not WorkerState.ABSENT:
                self._end(WorkerState.STOPPED, None)
            return
        # Not for the task alone: who is told to start meanwhile goes on in it.
        while not task.done() and (not self._wanted or (life is not None and self._life is life)):
            changed = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait({task, changed}, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()

    def _begin(self) -> None:
        self._generations += 1
        self._wanted = self._generations
        self._set(WorkerState.SPAWNING if self._spec.engine else WorkerState.ABSENT, fault=None)
        if self._spec.engine:
            self._task = asyncio.create_task(self._run(), name=f"worker-{self._spec.name}")

    def _begin_anew(self) -> None:
        """Let the running task go on with another child."""
        self._generations += 1
        self._wanted = self._generations
        self._hurry.set()

    async def _end_of(self, life: Life | None, *, at_once: bool = False) -> None:
        """Ask a child to end and wait until it is gone."""
        if life is not None:
            life.stop(at_once=at_once)
            while self._life is life:
                await self._changed.wait()

    async def _run(self) -> None:
        try:
            while self._wanted:
                if not self._spec.engine:
                    self._end(WorkerState.ABSENT, None)
                    return
                generation = self._wanted
                self._hurry.clear()
                if self._stale and not await self._renewed(generation):
                    continue
                ending = await self._live()
                if self._wanted == generation and not await self._recover(ending):
                    return
            self._end(WorkerState.ASLEEP if self._resting else WorkerState.STOPPED, None)
        except BaseException as error:
            fault = self._stopped_fault() if isinstance(error, asyncio.CancelledError) else as_fault(error)
            self._end(WorkerState.FAILED, fault)
            raise

    async def _live(self) -> Ending:
        """One child from spawn to its end."""
        life = self._life = Life(self._spec, self._calls, self._on_life)
        self._door.begin(life)
        self._set(WorkerState.SPAWNING, fault=self._status.fault)
        generation = self._wanted
        try:
            ending = await life.run()
        finally:
            self._life = None
            self._door.end()
        replaced = self._wanted != generation
        if not replaced:
            log.warning("worker %s: %s", self._spec.name, AimarkError(ending.fault))
        self._calls.fail(
            self._stopped_fault() if replaced else ending.fault,
            only_attached=replaced or ending.ready_s is not None or (ending.heals and self._remedy is not None),
        )
        self._changed_now()
        return ending

    async def _recover(self, ending: Ending) -> bool:
        """Wait before the next child; False when there is none."""
        if ending.heals and self._remedy is not None:
            self._set(WorkerState.CRASHED, fault=ending.fault, restarts=self._status.restarts + 1)
            generation = self._wanted
            cure = await self._hurry.unless(self._remedy(self._spec, ending), f"the remedy of worker {self._spec.name}")
            if self._wanted != generation:
                return True
            if isinstance(cure, Fault):
                self._end(WorkerState.FAILED, cure)
                return False
            if cure is not None:
                self._spec = cure
                return True
            if ending.ready_s is None:
                self._calls.fail(ending.fault)
        delay_s = self._backoff.after_death(ending.ready_s, worked=ending.worked) if ending.heals else None
        if delay_s is None:
            self._end(WorkerState.FAILED, ending.fault)
            return False
        if self._status.state is not WorkerState.CRASHED:
            self._set(WorkerState.CRASHED, fault=ending.fault, restarts=self._status.restarts + 1)
        await self._hurry.pause(delay_s)
        return True

    async def _renewed(self, generation: int) -> bool:
        """Bring the spec up to date; False if another generation is wanted by then."""
        self._set(WorkerState.SPAWNING, fault=self._status.fault)
        spec = None
        if self._renew is not None:
            spec = await self._hurry.unless(self._renew(self._spec), f"to renew worker {self._spec.name}")
        if self._wanted != generation:
            return False
        self._stale = False
        self._spec = spec or self._spec
        return True

    def _on_life(self, state: WorkerState) -> None:
        life = self._life
        assert life is not None
        if state is WorkerState.READY and life.ready:
            self._door.ready(life)
        elif state is WorkerState.LOADING:
            self._set(WorkerState.LOADING, fault=self._status.fault)

    def _opened(self) -> None:
        self._set(WorkerState.BUSY if len(self._calls) else WorkerState.READY, fault=None)

    def _on_calls(self) -> None:
        if self._door.open and self._status.state in _RUNNING:
            self._opened()

    def _end(self, state: WorkerState, fault: Fault | None) -> None:
        self._wanted = 0
        self._task = None
        self._set(state, fault=fault)
        if state is not WorkerState.ASLEEP:
            self._resting = False
            self._calls.fail(self._refusal())

    def _refusal(self) -> Fault:
        """Why a request cannot be taken."""
        if self._status.fault is not None:
            return self._status.fault
        kind = faults.ABSENT if self._status.state is WorkerState.ABSENT else faults.STOPPED
        return kind.fault(name=named(self._spec.name))

    def _stopped_fault(self) -> Fault:
        return faults.STOPPED.fault(name=named(self._spec.name))

    def _set(self, state: WorkerState, *, fault: Fault | None, restarts: int | None = None) -> None:
        """The one place where the status changes."""
        life = self._life
        status = WorkerStatus(
            name=self._spec.name,
            state=state,
            pid=life.pid if life else None,
            restarts=self._status.restarts if restarts is None else restarts,
            facts=life.facts if life else None,
            fault=fault,
        )
        if status == self._status:
            return
        self._status = status
        self._changed_now()
        for listener in self._listeners:
            try:
                listener(status)
            except Exception:
                log.exception("a status listener failed")

    def _changed_now(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
