"""What follows the ends of an engine that has no plan: it leaves the card or goes on, and is given up in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from aimark_daemon.engines.crashes import CrashPolicy, Level
from aimark_daemon.engines.faults import KEEPS_CRASHING
from aimark_daemon.errors import Fault
from aimark_daemon.names import named
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.exits import is_out_of_memory
from aimark_daemon.workers.life import Ending

_SIGKILL: Final = 9


class CrashRemedy:
    """The supervisor's `Remedy` of one worker by the crash policy; `clock` gives monotonic seconds.

    An end from outside (`worker_killed`) is no crash of the engine and does not count.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._policy = CrashPolicy()
        self._spec: WorkerSpec | None = None

    async def __call__(self, spec: WorkerSpec, ending: Ending) -> Fault | None:
        """What to do after a child of `spec` ended: a fault to give up with, or None to go on."""
        if spec != self._spec or self._policy.level is Level.DEGRADED:
            # Another model was chosen, or a person wants it tried again.
            self._policy.reset()
            self._spec = spec
        if ending.fault.code == faults.KILLED.code:
            return None
        if self._policy.crashed(self._clock()) is Level.DEGRADED:
            return KEEPS_CRASHING.fault(ending.fault.detail, name=named(spec.name))
        return None


class OffCard:
    """The remedy of an engine that may be on the card: without memory it leaves it; of the rest `crashes` decides."""

    def __init__(self, crashes: CrashRemedy) -> None:
        self._crashes = crashes

    async def __call__(self, spec: WorkerSpec, ending: Ending) -> WorkerSpec | Fault | None:
        """What to do after a child of `spec` ended. It stays off the card until another model is chosen.

        One that the kernel ended wanted main memory, of which it would take more there.
        """
        killed = ending.verdict is not None and ending.verdict.returncode == -_SIGKILL
        if spec.makes_room and is_out_of_memory(ending.fault) and not killed:
            return msgspec.structs.replace(spec, settings=spec.settings | {"device": "cpu"}, makes_room=False)
        return await self._crashes(spec, ending)
