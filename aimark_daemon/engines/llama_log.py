"""llama.cpp's log: its levels mapped to Python's, its last errors kept as the reason of a failure."""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from typing import Any, Final

logger = logging.getLogger("aimark.llama")

LEVELS: Final[dict[int, int]] = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.INFO, 4: logging.ERROR}
"""Python's level for each level of ggml.h (1 debug, 2 info, 3 warning, 4 error).

Information and warnings are about the model's internals, so each counts one step less for this program.
"""
CONTINUED: Final = 5
"""ggml.h: this text continues the last line."""

MEMORY_WORDS: Final = (
    "out of memory",
    "failed to allocate",
    "unable to allocate",
    "cudamalloc failed",
    "bad_alloc",
    "bad allocation",
    "cannot allocate memory",
    "not enough memory",
    "insufficient memory",
    "erroroutofdevicememory",
    "erroroutofhostmemory",
)


def tells_out_of_memory(words: str) -> bool:
    """Whether an engine's last words say that an allocation failed."""
    lowered = words.lower()
    return any(word in lowered for word in MEMORY_WORDS)


class LlamaLog:
    """Receives every log line of llama.cpp and ggml once it is installed."""

    def __init__(self, keep: int = 20) -> None:
        self._errors: deque[str] = deque(maxlen=keep)
        self._level = logging.DEBUG
        self._callback: Any = None
        self.expected = False
        """Work is interrupted on purpose, or what may not fit is tried: what llama.cpp calls errors now are none."""

    def install(self, llama_cpp: Any) -> None:
        """Become llama.cpp's logger. This object must live as long as the process may log."""
        self._callback = llama_cpp.llama_log_callback(self._receive)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))

    def clear(self) -> None:
        """Forget the errors of earlier work."""
        self._errors.clear()
        self.expected = False

    @property
    def last_words(self) -> str:
        """The errors since `clear`, oldest first, a line each."""
        return "\n".join(self._errors)

    def _receive(self, level: int, text: bytes, _user_data: object) -> None:
        line = text.decode("utf-8", errors="replace").rstrip()
        if level != CONTINUED:
            self._level = logging.DEBUG if self.expected else LEVELS.get(level, logging.DEBUG)
        if not line.strip("."):
            return
        if self._level == logging.ERROR:
            self._errors.append(line)
        logger.log(self._level, "%s", line)
