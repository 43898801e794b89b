"""The watchdog: a thread that notices when a plugin holds the event loop up, says where, and in the end stops it.

It looks at the loop's thread ten times a second. Only when it finds a plugin's code there does it ask the loop for a
sign of life, so that an idle daemon stays asleep. What blocks within C, such as a regular expression that never
ends, is named but cannot be stopped.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

from aimark_daemon.plugins.threads import stop_thread

LOOK_S: Final = 0.1
BLOCKED_S: Final = 0.25
STOP_S: Final = 5.0

Owner = Callable[[str], str | None]
"""The plugin to which a source file belongs, or None."""
Blocked = Callable[[str, str, float], None]
"""Told in the loop of a plugin's name, the place (file:line), and for how many seconds."""


class Watchdog:
    """Watches the loop that it is started in."""

    def __init__(self, owner: Owner, blocked: Blocked, *, blocked_s: float = BLOCKED_S, stop_s: float = STOP_S) -> None:
        self._owner = owner
        self._blocked = blocked
        self._blocked_s = blocked_s
        self._stop_s = stop_s
        self._loop: asyncio.AbstractEventLoop
        self._thread: int
        self._end = threading.Event()
        self._alive = threading.Event()

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        threading.Thread(target=self._watch, name="plugin watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._end.set()
        self._alive.set()

    def _watch(self) -> None:
        while not self._end.wait(LOOK_S):
            if self._found() is None:
                continue
            try:
                self._observe()
            except RuntimeError:  # the loop has ended
                return

    def _observe(self) -> None:
        """A plugin's code runs: wait for the loop's sign of life, and tell what it took if that is late."""
        began = time.monotonic()
        self._alive.clear()
        self._loop.call_soon_threadsafe(self._alive.set)
        if self._alive.wait(self._blocked_s) or (found := self._found()) is None:
            return
        plugin, place = found
        while not self._alive.wait(max(0.0, began + self._stop_s - time.monotonic())):
            if (now := self._found()) is None or now[0] != plugin:
                break
            stop_thread(self._thread)
            self._alive.wait(self._stop_s)
            break
        if not self._end.is_set():
            self._loop.call_soon_threadsafe(self._blocked, plugin, place, time.monotonic() - began)

    def _found(self) -> tuple[str, str] | None:
        """The innermost plugin in the loop's stack, and where it is."""
        frame: FrameType | None = sys._current_frames().get(self._thread)  # noqa: SLF001 - documented, in spite of its name
        while frame is not None:
            if plugin := self._owner(frame.f_code.co_filename):
                return plugin, f"{frame.f_code.co_filename}:{frame.f_lineno}"
            frame = frame.f_back
        return None
