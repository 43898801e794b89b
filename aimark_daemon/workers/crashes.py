"""Crash policy: an engine that keeps crashing is first run on the processor alone, then not at all.

`CrashPolicy` counts and is pure; `CrashRemedy` is what a supervisor asks after each end of its child.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

import msgspec

from aimark_daemon.errors import Fault
from aimark_daemon.names import named
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.life import Ending

CRASHES: Final = 3
WINDOW_S: Final = 300.0


class Level(IntEnum):
    """How far it has come."""

    NORMAL = 0
    CPU_ONLY = 1
    """Crashed too often: the graphics card is left alone."""
    DEGRADED = 2
    """Crashed too often again: it is not started any more."""


class CrashPolicy:
    """Counts crashes: `crashes` of them within `window_s` seconds lead to the next level. Time is an argument."""

    def __init__(self, crashes: int = CRASHES, window_s: float = WINDOW_S) -> None:
        self._most = crashes
        self._window_s = window_s
        self._times: list[float] = []
        self.level = Level.NORMAL

    def crashed(self, now: float) -> Level | None:
        """It crashed at `now`, in seconds of any monotonic clock: the level that this leads to, None for no change."""
        self._times = [at for at in self._times if now - at < self._window_s] + [now]
        if len(self._times) < self._most or self.level is Level.DEGRADED:
            return None
        self._times = []
        self.level = Level(self.level + 1)
        return self.level

    def reset(self) -> None:
        """Somebody chose another model or wants it tried again: nothing counts any more."""
        self._times = []
        self.level = Level.NORMAL


def on_cpu(spec: WorkerSpec) -> WorkerSpec:
    """The same engine without the graphics card."""
    return msgspec.structs.replace(spec, settings={**spec.settings, "n_gpu_layers": 0})


class CrashRemedy:
    """The supervisor's `Remedy` of one worker by the crash policy.

    `on_crashes(spec)` gives the spec to go on with at the level `CPU_ONLY`; where there is none the engine goes on as
    it is. An end from outside (`worker_killed`) is no crash of the engine and does not count.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        on_crashes: Callable[[WorkerSpec], WorkerSpec] | None = None,
        policy: CrashPolicy | None = None,
    ) -> None:
        self._clock = clock
        self._on_crashes = on_crashes
        self._policy = policy or CrashPolicy()
        self._spec: WorkerSpec | None = None

    @property
    def level(self) -> Level:
        """How far it has come."""
        return self._policy.level

    async def __call__(self, spec: WorkerSpec, ending: Ending) -> WorkerSpec | Fault | None:
        """What to do after a child of `spec` ended: another spec, a fault to give up with, or None to go on."""
        if spec != self._spec or self._policy.level is Level.DEGRADED:
            # Another model or plan was chosen, or a person wants it tried again.
            self._policy.reset()
            self._spec = spec
        if ending.fault.code == faults.KILLED.code:
            return None
        match self._policy.crashed(self._clock()):
            case Level.CPU_ONLY if self._on_crashes is not None:
                self._spec = self._on_crashes(spec)
                return self._spec if self._spec != spec else None
            case Level.DEGRADED:
                return faults.KEEPS_CRASHING.fault(ending.fault.detail, name=named(spec.name))
            case _:
                return None
