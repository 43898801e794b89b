"""One life of a worker's child: spawn, hello, load, calls, watchdog, end, verdict."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from aimark_daemon.engines.base import Facts
from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.names import named
from aimark_daemon.workers import exits, faults
from aimark_daemon.workers import messages as m
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.calls import CallTable
from aimark_daemon.workers.exits import Asked
from aimark_daemon.workers.oom import oom_kills
from aimark_daemon.workers.patience import Overdue, Watch
from aimark_daemon.workers.process import ChildProcess


class Ending(msgspec.Struct, frozen=True):
    """How a life ended: its fault, whether another child may do better, and how long it took calls in seconds."""

    fault: Fault
    heals: bool
    ready_s: float | None
    """None: it never took a call."""
    verdict: exits.ExitVerdict | None = None
    """None: the child did not die of itself; its engine did not load, or no process could be made."""
    worked: bool = False
    """Whether it brought some call forward."""


class Life:
    """Runs one child. `told(state)` is called when it begins to load and when it is ready."""

    def __init__(self, spec: WorkerSpec, calls: CallTable, told: Callable[[WorkerState], None]) -> None:
        self.facts: Facts | None = None
        self._spec = spec
        self._calls = calls
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._process = ChildProcess(spec.name, self._on_message)
        self._watch = Watch(spec, self._loop.time())
        self._asked = Asked.NOTHING
        self._overdue: Overdue | None = None
        self._load_fault: Fault | None = None
        self._exhausted: Fault | None = None
        self._kills = oom_kills()
        self._ready_at: float | None = None
        self._worked = False
        self._stopping = asyncio.Event()
        self._at_once = False

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether it takes calls."""
        return self._ready_at is not None and self._exhausted is None and not self._stopping.is_set()

    def send(self, message: m.ToChild) -> None:
        """Send a message of a call."""
        self._process.send(message)

    def stop(self, *, at_once: bool = False) -> None:
        """Ask it to end: politely, then by force, or by force at once. `run` returns when it is gone."""
        self._at_once = self._at_once or at_once
        self._stopping.set()
        if at_once:
            self._asked = Asked.STOP
            self._process.kill()

    async def run(self) -> Ending:
        """Live until the child is gone; no process, descriptor or task of it is left. Cancelling it kills the child."""
        try:
            m.frame(self._start())
        except (TypeError, ValueError, AimarkError) as error:
            return Ending(faults.BAD_SETTINGS.fault(str(error), name=named(self._spec.name)), heals=False, ready_s=None)
        try:
            await self._process.spawn(self._spec.engine)
        except AimarkError as error:
            return Ending(error.fault, heals=True, ready_s=None)
        watch = asyncio.create_task(self._guard(), name=f"worker-{self._spec.name}-watch")
        stop = asyncio.create_task(self._stop_when_asked(), name=f"worker-{self._spec.name}-stop")
        try:
            await self._process.wait()
        finally:
            watch.cancel()
            stop.cancel()
            self._process.kill()
            await self._process.wait()
            await self._process.close()
            await asyncio.gather(watch, stop, return_exceptions=True)
        return self._ending()

    def _start(self) -> m.Start:
        return m.Start(self._spec.name, self._spec.settings, self._watch.interval_s)

    def _ending(self) -> Ending:
        ready_s = None if self._ready_at is None else self._loop.time() - self._ready_at
        if self._load_fault is not None:
            return Ending(self._load_fault, heals=exits.is_out_of_memory(self._load_fault), ready_s=None)
        if self._exhausted is not None:
            return Ending(self._exhausted, heals=True, ready_s=ready_s)
        words, kills = self._process.words, oom_kills()
        starved = self._kills is not None and kills is not None and kills > self._kills
        verdict = exits.classify(self._spec.name, self._process.returncode, words, self._asked, starved=starved)
        fault = verdict.fault
        if self._process.broken is not None:
            fault = self._process.broken.fault
        elif self._overdue in {Overdue.HELLO, Overdue.LOAD}:
            detail = f"no {self._overdue}; {verdict.fault.detail}"
            fault = faults.START_TIMEOUT.fault(detail, name=named(self._spec.name))
        return Ending(fault, heals=verdict.heals, ready_s=ready_s, verdict=verdict, worked=self._worked)

    async def _guard(self) -> None:
        while self._overdue is None:
            await asyncio.sleep(self._watch.interval_s)
            self._overdue = self._watch.overdue(self._loop.time())
        if not self._stopping.is_set():
            self._process.log.error("no %s in time: killing child %s", self._overdue, self.pid)
            self._asked = Asked.HUNG
            self._process.kill()

    async def _stop_when_asked(self) -> None:
        await self._stopping.wait()
        self._asked = Asked.STOP
        if self._at_once:  # it was not there yet when that was asked
            self._process.kill()
            return
        self._process.send(m.Stop())
        if not await self._process.wait(self._spec.stop_timeout_s):
            self._process.log.warning("child %s ignored the stop: killing it", self.pid)
            self._process.kill()

    def _on_failed(self, failed: m.Failed) -> m.Failed:
        """An engine that ran out of memory would do so again: it makes room for one with another plan, or elsewhere.

        Its requests fail then as those of a child that died, so that the next one takes them over.
        """
        movable = self._spec.plan is not None or self._spec.makes_room
        if not movable or not exits.is_out_of_memory(failed.fault) or self._stopping.is_set():
            return failed
        if self._exhausted is None:
            words = failed.fault.detail or failed.fault.message.en
            self._exhausted = faults.OUT_OF_MEMORY.fault(words, name=named(self._spec.name))
            self._process.kill()
        return msgspec.structs.replace(failed, fault=self._exhausted)

    def _on_message(self, message: m.FromChild) -> None:
        now = self._loop.time()
        self._watch.sign(now)
        match message:
            case m.Event() | m.Result() | m.Failed() | m.Consumed():
                self._worked = self._worked or isinstance(message, m.Event | m.Result)
                self._calls.deliver(self._on_failed(message) if isinstance(message, m.Failed) else message)
            case m.Heartbeat(stalled_s=stalled_s):
                self._watch.beat(now, stalled_s)
            case m.Log(level=level, text=text):
                self._process.log.log(level, "%s", text)
                if level >= logging.ERROR:
                    self._process.hear_last_words(text)
            case m.Hello(protocol=protocol):
                self._on_hello(protocol, now)
            case m.Loaded(facts=facts):
                self.facts = facts
                self._ready_at = now
                self._watch.loaded(now)
                self._told(WorkerState.READY)
            case m.LoadFailed(fault=fault):
                self._load_fault = fault
                # It ends by itself; an engine's leftovers must not keep it.
                self._loop.call_later(self._spec.stop_timeout_s, self._process.kill)

    def _on_hello(self, protocol: int, now: float) -> None:
        if protocol != m.VERSION:
            self._load_fault = faults.PROTOCOL.fault(f"version {protocol} is not {m.VERSION}")
            self._process.kill()
            return
        self._watch.hello(now)
        self._process.send(self._start())
        self._told(WorkerState.LOADING)
