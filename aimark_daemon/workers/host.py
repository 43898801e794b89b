"""Engine host: loads one engine and runs its calls first in, first out, in as many threads as it allows.

The child's entry drives it over the pipe, `InlineWorker` within the daemon's process: the same code, so the same
behaviour.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Lock, Thread, current_thread
from typing import Any

import msgspec

from aimark_daemon.engines.base import METHODS, Facts, Method
from aimark_daemon.workers import exits, faults
from aimark_daemon.workers.messages import (
    Begin,
    Cancel,
    EndInput,
    Failed,
    Feed,
    FromChild,
    Heartbeat,
    Loaded,
    LoadFailed,
    Result,
    Taken,
    pack,
)
from aimark_daemon.workers.running import RunningCall

log = logging.getLogger("aimark.worker")


def make_engine(path: str) -> Any:
    """An engine, not yet loaded, of the class "module:Class".

    Raises:
        AimarkError: `worker_cannot_run_here`, it cannot be imported.
    """
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise faults.CANNOT_RUN_HERE(f"{path}: {type(error).__name__}: {error}", name=path) from error
    if not isinstance(found, type):
        raise faults.CANNOT_RUN_HERE(f"{path} is not a class", name=path)
    return found()


class EngineHost:
    """One engine and its calls. `send` is called from several threads, and may block while the reader is behind."""

    def __init__(
        self, name: str, send: Callable[[FromChild], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._send = send
        self._clock = clock
        self._engine: Any = None
        self._methods: dict[str, Method[Any, Any, Any]] = {}
        self._lock = Lock()
        self._calls: dict[int, RunningCall] = {}
        self._running: set[int] = set()
        self._queue: SimpleQueue[RunningCall | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._loading = False
        self._load_progress = clock()

    def load(self, make: Callable[[], Any], settings: dict[str, Any]) -> bool:
        """Make and load the engine, tell the caller, and begin to take calls. False when it failed.

        It is loaded in the thread that takes the calls: native libraries keep a pool of threads for every thread that
        computes, and two pools on few cores stall each other at every step.
        """
        done = Event()
        first = Thread(target=self._load_and_work, args=(make, settings, done), name="call-0", daemon=True)
        first.start()
        done.wait()
        return self.loaded

    def _load_and_work(self, make: Callable[[], Any], settings: dict[str, Any], done: Event) -> None:
        try:
            facts = self._load(make, settings)
            if facts is not None:
                self._threads.append(current_thread())
                for number in range(1, max(1, int(getattr(self._engine, "parallel", 1)))):
                    thread = Thread(target=self._work, name=f"call-{number}", daemon=True)
                    thread.start()
                    self._threads.append(thread)
                self._send(Loaded(facts))
        finally:
            done.set()
        if facts is not None:
            self._work()

    def _load(self, make: Callable[[], Any], settings: dict[str, Any]) -> Facts | None:
        self._load_progress = self._clock()
        self._loading = True
        try:
            engine = make()
            facts: Facts = engine.load(settings, self._progress)
            pack(facts)
        except BaseException as error:
            self._loading = False
            log.warning("loading failed", exc_info=error)
            self._send(LoadFailed(exits.engine_fault(self.name, error, loading=True)))
            return None
        self._loading = False
        self._engine = engine
        self._methods = METHODS | {method.name: method for method in getattr(engine, "methods", ())}
        return facts

    @property
    def loaded(self) -> bool:
        """Whether the engine takes calls."""
        return self._engine is not None

    def handle(self, message: Begin | Feed | EndInput | Cancel | Taken) -> None:
        """Act on one message of the caller. Never blocks; one for a call that has ended is ignored."""
        if isinstance(message, Begin):
            call = RunningCall(message, self._send, self._clock)
            with self._lock:
                self._calls[message.id] = call
            self._queue.put(call)
            return
        with self._lock:
            known = self._calls.get(message.id)
        if known is None:
            return
        match message:
            case Feed(data=data):
                known.feed(data)
            case EndInput():
                known.end_input()
            case Taken(size=size):
                known.taken(size)
            case Cancel():
                self._cancel(known)

    def heartbeat(self) -> Heartbeat:
        """How the work goes, for the watchdog."""
        now = self._clock()
        if self._loading:
            return Heartbeat(max(0.0, now - self._load_progress), busy=True)
        with self._lock:
            running = [self._calls[number] for number in self._running]
        return Heartbeat(max((call.stalled_s(now) for call in running), default=0.0), busy=bool(running))

    def stop(self) -> None:
        """Cancel every call, wait for the running ones, close the engine."""
        with self._lock:
            calls = list(self._calls.values())
        for call in calls:
            self._cancel(call)
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        if self._engine is not None:
            try:
                self._engine.close()
            except Exception:
                log.exception("closing failed")
            self._engine = None

    def _progress(self) -> None:
        self._load_progress = self._clock()

    def _cancel(self, call: RunningCall) -> None:
        number = call.begin.id
        with self._lock:
            waiting = number in self._calls and number not in self._running
            if waiting:
                del self._calls[number]
        call.cancel()
        if waiting:
            self._send(Failed(number, faults.CALL_CANCELLED.fault()))

    def _work(self) -> None:
        while (call := self._queue.get()) is not None:
            number = call.begin.id
            call.started()  # before the heartbeat sees it: the time in the queue is not the engine's
            with self._lock:
                if number not in self._calls:
                    continue
                self._running.add(number)
            ending = self._run(call)
            with self._lock:
                self._running.discard(number)
                del self._calls[number]
            self._send(ending)

    def _run(self, call: RunningCall) -> Result | Failed:
        number, method_name = call.begin.id, call.begin.method
        method = self._methods.get(method_name)
        entry = getattr(self._engine, method_name, None)
        if method is None or entry is None:
            return Failed(number, faults.METHOD_UNKNOWN.fault(method=method_name))
        try:
            request = msgspec.msgpack.decode(call.begin.payload, type=method.request)
        except (msgspec.MsgspecError, ValueError) as error:
            return Failed(number, faults.PROTOCOL.fault(f"{method_name}: {error}"))
        try:
            return Result(number, pack(entry(request, call)))
        except BaseException as error:
            log.warning("%s failed", method_name, exc_info=error)
            return Failed(number, exits.engine_fault(self.name, error))
