"""Inline worker: an engine in threads of this process (the `Worker` contract), for tests and plugins' tests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from aimark_daemon.engines.base import Facts, Method
from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.names import named
from aimark_daemon.workers import faults
from aimark_daemon.workers import messages as m
from aimark_daemon.workers.base import Ev, Req, Res, WorkerSpec, WorkerState, WorkerStatus
from aimark_daemon.workers.calls import CallTable, PendingCall
from aimark_daemon.workers.host import EngineHost, make_engine

log = logging.getLogger("aimark.worker")

_RUNNING = frozenset({WorkerState.READY, WorkerState.BUSY})
_ENDED = frozenset({WorkerState.ABSENT, WorkerState.FAILED, WorkerState.STOPPED})


class InlineWorker:
    """A worker without a child: same calls, same messages, no protection against an engine that crashes or hangs.

    Given an `engine` it runs that instance, and `spec` only names it and holds its settings.
    """

    def __init__(self, spec: WorkerSpec, engine: Any = None) -> None:
        self._spec = spec
        self._engine = engine
        self._listeners: list[Callable[[WorkerStatus], None]] = []
        present = spec.engine or engine is not None
        self._status = WorkerStatus(spec.name, WorkerState.STOPPED if present else WorkerState.ABSENT)
        self._changed = asyncio.Event()
        self._calls = CallTable()
        self._calls.changed = self._on_calls
        self._host: EngineHost | None = None
        self._loading: asyncio.Task[None] | None = None
        self._facts: Facts | None = None

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
        """Begin to load; returns at once."""
        if self._host is not None:
            return
        if not self._spec.engine and self._engine is None:
            self._set(WorkerState.ABSENT)
            return
        loop = asyncio.get_running_loop()

        def send(message: m.FromChild) -> None:
            with contextlib.suppress(RuntimeError):  # a closed loop has nobody left to tell
                loop.call_soon_threadsafe(self._on_message, host, message)

        host = self._host = EngineHost(self._spec.name, send)
        self._set(WorkerState.LOADING)
        self._loading = asyncio.create_task(self._load(host), name=f"worker-{self._spec.name}-load")

    def wake(self) -> None:
        """An engine in this process never sleeps."""

    async def ready(self) -> Facts:
        """Wait until the engine is loaded. Raises the AimarkError of a failed start, or `worker_stopped`."""
        while self._status.state not in _RUNNING:
            if self._status.state in _ENDED:
                raise AimarkError(self._refusal())
            await self._changed.wait()
        return self._facts or Facts()

    def call(self, method: Method[Req, Ev, Res], request: Req) -> PendingCall[Ev, Res]:
        """Begin a request. A worker that is still loading queues it; a failed one fails it at once."""
        call = self._calls.begin(self._spec.name, method, request)
        if self._status.state in _ENDED:
            call.fail(self._refusal())
        elif self._status.state in _RUNNING:
            self._calls.attach_all(self._post)
        return call

    async def replace(self, spec: WorkerSpec) -> None:
        """End the engine and load the one of `spec`."""
        await self._close(keep_waiting=True)
        self._spec = spec
        self._engine = None
        await self.start()

    async def stop(self) -> None:
        """Cancel what runs and close the engine. Idempotent."""
        await self._close(keep_waiting=False)
        if self._status.state is not WorkerState.ABSENT:
            self._set(WorkerState.STOPPED)
        self._calls.fail(self._refusal())

    async def _load(self, host: EngineHost) -> None:
        path, given = self._spec.engine, self._engine
        await asyncio.to_thread(host.load, lambda: make_engine(path) if given is None else given, self._spec.settings)

    async def _close(self, *, keep_waiting: bool) -> None:
        host, self._host = self._host, None
        if host is None:
            return
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        await asyncio.to_thread(host.stop)
        self._facts = None
        stopped = faults.STOPPED.fault(name=named(self._spec.name))
        self._calls.fail(stopped, only_attached=keep_waiting)

    def _post(self, message: m.ToChild) -> None:
        if self._host is not None and not isinstance(message, m.Start | m.Stop):
            self._host.handle(message)

    def _on_message(self, host: EngineHost, message: m.FromChild) -> None:
        match message:
            case m.Event() | m.Result() | m.Failed() | m.Consumed():
                self._calls.deliver(message)
            case m.Loaded(facts=facts) if self._host is host:
                self._facts = facts
                self._set(WorkerState.BUSY if len(self._calls) else WorkerState.READY)
                self._calls.attach_all(self._post)
            case m.LoadFailed(fault=fault) if self._host is host:
                self._host = None
                self._set(WorkerState.FAILED, fault)
                self._calls.fail(fault)
            case _:
                pass

    def _on_calls(self) -> None:
        if self._status.state in _RUNNING:
            self._set(WorkerState.BUSY if len(self._calls) else WorkerState.READY)

    def _refusal(self) -> Fault:
        if self._status.fault is not None:
            return self._status.fault
        kind = faults.ABSENT if self._status.state is WorkerState.ABSENT else faults.STOPPED
        return kind.fault(name=named(self._spec.name))

    def _set(self, state: WorkerState, fault: Fault | None = None) -> None:
        status = WorkerStatus(self._spec.name, state, facts=self._facts, fault=fault)
        if status == self._status:
            return
        self._status = status
        self._changed.set()
        self._changed = asyncio.Event()
        for listener in self._listeners:
            try:
                listener(status)
            except Exception:
                log.exception("a status listener failed")
