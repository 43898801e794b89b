"""Loading: the states of a model from plan to answers, and what follows a failure. Pure; time is an argument.

    ABSENT > SPAWN > LOAD > READY <> BUSY > ABSENT (nobody needs it)
    SPAWN, LOAD, READY, BUSY: out of memory > SETTLE (the driver gives memory back, <= 5 s) > next rung > SPAWN
                              another death > CRASHED > SPAWN, as the supervisor's patience has it
    three crashes in five minutes > the processor alone; three more > DEGRADED
    a fault that no other plan heals, or no rung left > FAILED

Loading includes the warm-up: a worker tells of both as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from aimark_daemon.engines.crashes import CrashPolicy, Level
from aimark_daemon.engines.faults import KEEPS_CRASHING
from aimark_daemon.errors import Fault, Text
from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.facts import MIB, ModelFacts
from aimark_daemon.gpu.ladder import next_plan
from aimark_daemon.gpu.plan import CONTEXT_BYTES, Memory, Plan, Wish, cpu_plan, plan
from aimark_daemon.gpu.recall import LastGood, recall
from aimark_daemon.names import named

SETTLE_S: Final = 5.0
"""The longest wait for memory that a dead process held."""
SETTLED_BYTES: Final = 64 * MIB
"""So little less than before is as before."""
HEALTHY_S: Final = 300.0
"""After so long without failure a plan counts as a first attempt again."""


class LoadState(StrEnum):
    """Where a model is."""

    ABSENT = "absent"
    SPAWN = "spawn"
    LOAD = "load"
    READY = "ready"
    BUSY = "busy"
    SETTLE = "settle"
    CRASHED = "crashed"
    FAILED = "failed"
    DEGRADED = "degraded"


# What happens ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Began:
    """A model is to be loaded, for the first time or anew; so much is free."""

    memory: Memory
    away: Text | None = None
    """Why the card is to be left alone, if it is."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """The process is there and loads."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """It is loaded and warm; so much is free now."""

    memory: Memory
    own: int | None = None
    """Bytes of VRAM that its process holds, where the driver tells."""


@dataclass(frozen=True, slots=True)
class Worked:
    """It began to answer, or is done."""

    busy: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The process is gone, or the engine did not load."""

    fault: Fault
    out_of_memory: bool = False
    heals: bool = True
    """Whether another try may do better."""
    wanted: int | None = None
    """Bytes of the allocation that failed, where the engine's words tell."""
    counts: bool = True
    """Whether it is a crash of the engine's own; one that was killed from outside is not."""


@dataclass(frozen=True, slots=True)
class Unloaded:
    """Its process was ended because nobody needed it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """So much is free while the driver takes memory back."""

    memory: Memory


Happening = Began | Spawned | Loaded | Worked | Ended | Unloaded | Measured


# What follows ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Start a process by this plan."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Settle:
    """Measure again until this machine says more, at the latest at `until`."""

    until: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing is started any more."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Remember:
    """This plan worked."""

    good: LastGood


Consequence = Start | Settle | GiveUp | Remember | None

_MAY: Final[dict[type, frozenset[LoadState]]] = {
    Spawned: frozenset({LoadState.SPAWN, LoadState.CRASHED, LoadState.SETTLE, LoadState.FAILED, LoadState.DEGRADED}),
    Loaded: frozenset({LoadState.LOAD}),
    Worked: frozenset({LoadState.READY, LoadState.BUSY}),
    Ended: frozenset({LoadState.SPAWN, LoadState.LOAD, LoadState.READY, LoadState.BUSY, LoadState.CRASHED}),
    Unloaded: frozenset(LoadState),
    Measured: frozenset({LoadState.SETTLE}),
}
"""In which states a happening means something; a beginning always does."""


class Loading:
    """One model on its way. `last` is the plan that worked at an earlier start."""

    def __init__(self, facts: ModelFacts, wish: Wish, last: LastGood | None = None) -> None:
        self.state = LoadState.ABSENT
        self.plan: Plan | None = None
        self._facts = facts
        self._wish = wish
        self._last = last
        self._before = Memory()
        self._until = 0.0
        self._failure: Ended | None = None
        self._failed_at_work = False
        self._ready_since: float | None = None
        self._crashes = CrashPolicy()
        self.away = False
        """Whether the plan in force leaves the card alone because that was asked for."""

    @property
    def held_back(self) -> bool:
        """Whether more of the model could be on the cards if there were room."""
        plan = self.plan
        return (
            plan is not None
            and self._wish.gpu_layers == "auto"
            and not (self._struck or self.away)
            and (bool(self._before.cards) or self._before.late)
            and (plan.layout.layers < plan.all_layers or plan.layout.experts_on_cpu)
        )

    def foresee(self, memory: Memory) -> Plan:
        """The plan that would be made if it were loaded anew with so much free."""
        if self._struck:
            return cpu_plan(self._facts, self._wish, reasons.after_crashes())
        return recall(plan(self._facts, memory, self._wish), self._last, self._facts, memory)

    @property
    def _struck(self) -> bool:
        """Whether it crashed too often on the cards."""
        return self._crashes.level is not Level.NORMAL

    def may(self, kind: type[Happening]) -> bool:
        """Whether such a happening means something now."""
        return kind is Began or self.state in _MAY[kind]

    def step(self, happening: Happening, now: float) -> Consequence:
        """What follows from what happened; `now` in seconds of any monotonic clock.

        Raises:
            ValueError: that cannot happen in this state.
        """
        if not self.may(type(happening)):
            raise ValueError(f"{type(happening).__name__} in state {self.state}")
        match happening:
            case Began(memory, away):
                self.away = away is not None
                return self._start(
                    self.foresee(memory) if away is None else cpu_plan(self._facts, self._wish, away), memory
                )
            case Spawned():
                if self.state in (LoadState.FAILED, LoadState.DEGRADED):  # somebody wants it tried anew
                    self._crashes.reset()
                self.state = LoadState.LOAD
            case Loaded(memory, own):
                return self._loaded(memory, own, now)
            case Worked(busy):
                self.state = LoadState.BUSY if busy else LoadState.READY
            case Ended():
                return self._ended(happening, now)
            case Unloaded():
                self.state = LoadState.ABSENT
            case Measured(memory):
                return self._measured(memory, now)
        return None

    def _start(self, plan: Plan, memory: Memory) -> Start:
        self.state, self.plan, self._before, self._ready_since = LoadState.SPAWN, plan, memory, None
        return Start(plan)

    def _loaded(self, memory: Memory, own: int | None, now: float) -> Remember | None:
        assert self.plan is not None
        self.state, self._ready_since = LoadState.READY, now
        if self.plan.layout.layers == 0 or not memory.cards or not self._before.cards:
            return None
        # What has become of the whole card meanwhile is also what other programs did: they may have given back more.
        expected = self.plan.vram + CONTEXT_BYTES
        taken = own if own is not None else max(self._before.vram_free - memory.vram_free, expected)
        self._last = LastGood(self.plan, taken, self._before.vram_free)
        return Remember(self._last)

    def _ended(self, end: Ended, now: float) -> Consequence:
        assert self.plan is not None
        if self._ready_since is not None and now - self._ready_since >= HEALTHY_S:
            self.plan = msgspec.structs.replace(self.plan, attempt=0)
        was_ready, self._ready_since = self._ready_since is not None, None
        if not end.heals:
            self.state = LoadState.FAILED
            return GiveUp(end.fault)
        if end.out_of_memory:
            self.state, self._until = LoadState.SETTLE, now + SETTLE_S
            self._failure, self._failed_at_work = end, was_ready
            return Settle(self._until)
        return self._crashed(end, now)

    def _crashed(self, end: Ended, now: float) -> Consequence:
        """Too often: first the card is left alone, then the model."""
        assert self.plan is not None
        self.state = LoadState.CRASHED
        if not end.counts:
            return None
        match self._crashes.crashed(now):
            case Level.CPU_ONLY if self.plan.layout.layers:
                return self._start(cpu_plan(self._facts, self._wish, reasons.after_crashes()), self._before)
            case Level.DEGRADED:
                self.state = LoadState.DEGRADED
                return GiveUp(KEEPS_CRASHING.fault(end.fault.detail, name=named("llm")))
            case _:
                return None

    def _measured(self, memory: Memory, now: float) -> Consequence:
        """Go on when the driver gave back what the dead process held, or does not in time."""
        back = memory.vram_free + SETTLED_BYTES >= self._before.vram_free
        if memory.cards and not back and now < self._until:
            return Settle(self._until)
        assert self.plan is not None
        assert self._failure is not None
        lower = next_plan(self.plan, self._facts, self._deficit(memory))
        if lower is None:
            if self._failed_at_work:  # it does load: this is a crash like others
                return self._crashed(self._failure, now)
            self.state = LoadState.FAILED
            return GiveUp(self._failure.fault)
        # Other programs may have grown meanwhile: then what fits now is lower than the next rung.
        now_fits = plan(self._facts, memory, self._wish)
        if memory.cards and now_fits.vram < lower.vram:
            lower = msgspec.structs.replace(now_fits, attempt=lower.attempt)
        return self._start(lower, memory)

    def _deficit(self, memory: Memory) -> int | None:
        """Bytes that were missing: by what is free now, else by the allocation that failed, as far as it is credible.

        An engine asks for all weights at once, so the size that failed may be far more than what was missing.
        """
        assert self.plan is not None
        assert self._failure is not None
        if memory.cards and (short := self.plan.vram + CONTEXT_BYTES - memory.vram_free) > 0:
            return short
        wanted = self._failure.wanted
        return wanted if wanted is not None and wanted < self.plan.vram // 4 else None
