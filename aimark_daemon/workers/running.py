"""One call inside the engine's process: cancel flag, streamed input, events under back-pressure, progress."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition
from typing import Any

from aimark_daemon.workers.messages import OVERHEAD, WINDOW, Begin, Consumed, Event, FromChild, pack

log = logging.getLogger("aimark.worker")


class RunningCall:
    """What an engine method is handed (the `EngineCall` contract), with its other side for the host.

    `send` delivers a message to the caller; `clock` gives monotonic seconds for the hang watchdog.
    """

    def __init__(self, begin: Begin, send: Callable[[FromChild], None], clock: Callable[[], float]) -> None:
        self.begin = begin
        self._send = send
        self._clock = clock
        self._changed = Condition()
        self._cancelled = False
        self._callbacks: list[Callable[[], object]] = []
        self._chunks: deque[bytes] = deque()
        self._ended = False
        self._untaken = 0
        self._waiting = False
        self._last_progress = clock()

    # The engine's side

    @property
    def cancelled(self) -> bool:
        """Whether the caller lost interest."""
        return self._cancelled

    def progress(self) -> None:
        """Tell the hang watchdog that work goes on."""
        self._last_progress = self._clock()

    def emit(self, event: Any) -> None:
        """Send one event; waits while the caller has too many unread ones, unless it cancels."""
        payload = pack(event)
        size = len(bytes(payload)) + OVERHEAD
        with self._changed:
            self._wait_while(lambda: self._untaken > 0 and self._untaken + size > WINDOW and not self._cancelled)
            self._untaken += size
        self.progress()
        self._send(Event(self.begin.id, payload))

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Run `callback()` when the caller cancels; at once if it has."""
        with self._changed:
            if not self._cancelled:
                self._callbacks.append(callback)
                return
        _run(callback)

    @property
    def input(self) -> Iterator[bytes]:
        """The caller's bytes, blocking until more come; ends when the caller ends or cancels."""
        while True:
            with self._changed:
                self._wait_while(lambda: not self._chunks and not self._ended and not self._cancelled)
                if self._cancelled or not self._chunks:
                    return
                chunk = self._chunks.popleft()
            self.progress()
            self._send(Consumed(self.begin.id, len(chunk)))
            yield chunk

    def _wait_while(self, blocked: Callable[[], bool]) -> None:
        """Wait, under the lock, for the caller: the engine is not to blame for the time that takes."""
        if not blocked():
            return
        self._waiting = True
        try:
            while blocked():
                self._changed.wait()
        finally:
            self._waiting = False
            self._last_progress = self._clock()

    # The host's side; none of these blocks

    def cancel(self) -> None:
        """Set the flag, wake a blocked engine and run its callbacks. Idempotent."""
        with self._changed:
            if self._cancelled:
                return
            self._cancelled = True
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for callback in callbacks:
            _run(callback)

    def feed(self, data: bytes) -> None:
        """More input; the caller keeps to the window, so that it never grows beyond it."""
        with self._changed:
            self._chunks.append(data)
            self._changed.notify_all()

    def end_input(self) -> None:
        """No more input follows."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def taken(self, size: int) -> None:
        """The caller read `size` bytes of events."""
        with self._changed:
            self._untaken -= size
            self._changed.notify_all()

    def started(self) -> None:
        """The engine begins to work on it."""
        self._last_progress = self._clock()

    def stalled_s(self, now: float) -> float:
        """Seconds without progress that are the engine's own."""
        return 0.0 if self._waiting else max(0.0, now - self._last_progress)


def _run(callback: Callable[[], object]) -> None:
    try:
        callback()
    except Exception:
        log.exception("a cancel callback failed")
