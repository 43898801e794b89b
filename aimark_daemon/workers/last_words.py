"""Last words: what a native library says just before it aborts the process, sent to the daemon in time."""

from __future__ import annotations

import logging
from collections.abc import Callable


def _log(text: str) -> None:
    logging.getLogger("aimark.worker").error("%s", text)


_sink: Callable[[str], None] = _log


def send_to(sink: Callable[[str], None]) -> None:
    """Where last words go from now on; the child's entry sets it to the pipe."""
    global _sink  # noqa: PLW0603 - one process has one pipe, and abort callbacks carry no context
    _sink = sink


def say(text: str) -> None:
    """Tell why the process is about to die. For abort callbacks of native libraries; safe from any thread."""
    _sink(text)
