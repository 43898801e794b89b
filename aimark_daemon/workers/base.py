"""Worker contract: how the daemon starts an engine, calls it, and learns of its death.

Two implementations obey it: `workers.supervisor.Supervisor` (a child process) and `workers.inline.InlineWorker`
(threads in this process, for tests and plugins' tests).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from aimark_daemon.engines.base import Facts, Method
from aimark_daemon.errors import Fault
from aimark_daemon.protocol.messages import PlanInfo

Req = TypeVar("Req")
Ev = TypeVar("Ev")
Res = TypeVar("Res")
Ev_co = TypeVar("Ev_co", covariant=True)
Res_co = TypeVar("Res_co", covariant=True)


class WorkerState(StrEnum):
    """Where a worker is in its life."""

    ABSENT = "absent"
    """Nothing to run: no model chosen or installed."""
    SPAWNING = "spawning"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    CRASHED = "crashed"
    """The child died; a new one follows after the backoff."""
    FAILED = "failed"
    """It will not be tried again by itself; `fault` says why and what to do."""
    STOPPED = "stopped"
    ASLEEP = "asleep"
    """Its child was ended because nobody needed it; whatever is asked of it starts another one."""


class WorkerSpec(msgspec.Struct, frozen=True):
    """What to run: an engine class as "module:Class", its settings, and the limits of patience in seconds."""

    name: str
    engine: str
    settings: dict[str, Any] = {}
    hello_timeout_s: float = 20.0
    load_timeout_s: float = 180.0
    heartbeat_timeout_s: float = 10.0
    """No sign of life at all for this long: the child is killed."""
    progress_timeout_s: float = 60.0
    """Busy without progress for this long: the child is killed."""
    stop_timeout_s: float = 2.0
    """Patience after a polite stop before the kill."""
    plan: PlanInfo | None = None
    """How the settings lay the engine out in memory, for clients."""
    makes_room: bool = False
    """Whether a child that runs out of memory is ended so that the next one is put elsewhere; so it is with a plan."""


class WorkerStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A worker as clients see it."""

    name: str
    state: WorkerState
    pid: int | None = None
    restarts: int = 0
    facts: Facts | None = None
    fault: Fault | None = None


class Call(Protocol[Ev_co, Res_co]):
    """One request in flight. Iterate it for events, then await `result()`; both raise AimarkError if it fails.

    `result()` may be awaited without iterating; events are then dropped. When the child dies every call in flight
    fails at once with a typed fault.
    """

    def __aiter__(self) -> AsyncIterator[Ev_co]: ...

    async def result(self) -> Res_co:
        """Wait for the end."""

    async def feed(self, data: bytes) -> None:
        """Stream bytes to the engine; waits when the worker is behind (back-pressure)."""

    async def end_input(self) -> None:
        """No more bytes follow."""

    def cancel(self) -> None:
        """Ask the engine to return early. Idempotent; the call then ends with what the engine had.

        A call that the engine has not begun ends at once with the fault `worker_call_cancelled`.
        """


class Worker(Protocol):
    """A supervised engine."""

    @property
    def spec(self) -> WorkerSpec:
        """What it runs now."""

    @property
    def status(self) -> WorkerStatus:
        """Where it is in its life."""

    def on_status(self, listener: Callable[[WorkerStatus], None]) -> None:
        """`listener` is called, in the event loop, at every change of the status."""

    async def start(self) -> None:
        """Begin to spawn and load; returns at once. Progress is told through the status."""

    def wake(self) -> None:
        """Somebody is about to want it: one that is asleep begins to spawn and load. Returns at once."""

    async def ready(self) -> Facts:
        """Wait until the engine is loaded. Raises the AimarkError of a start that failed for good."""

    def call(self, method: Method[Req, Ev, Res], request: Req) -> Call[Ev, Res]:
        """Begin a request. A worker that is still starting queues it; a failed one fails it at once."""

    async def replace(self, spec: WorkerSpec) -> None:
        """End the running child and start another one by `spec` (another model, another plan)."""

    async def stop(self) -> None:
        """Stop politely, then kill; afterwards no process is left. Idempotent."""
