"""Logs of the daemon: a rotating file that only its owner can read, and warnings as single lines on stderr."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from aimark_daemon.config.types import LogConfig
from aimark_daemon.daemon import set_log_level

NAME: Final = "daemon.log"
_BYTES: Final = 10_000_000
_OLDER: Final = 5
_TOLD_OTHERWISE: Final = ("aimark.worker", "aimark.models")
"""Loggers whose warnings `run` tells in the user's language, when an engine's state changes."""


def log_to_file(folder: Path, config: LogConfig, *, also_stderr: bool, everything: bool = False) -> None:
    """Begin to log. On stderr there are no tracebacks and nothing twice, unless `everything` is asked for."""
    file = _OwnersFile(folder / NAME, maxBytes=_BYTES, backupCount=_OLDER, encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handlers: list[logging.Handler] = [file]
    if also_stderr:
        stderr = logging.StreamHandler()
        stderr.setLevel(logging.WARNING)
        if not everything:
            stderr.setFormatter(_OneLine())
            stderr.addFilter(lambda record: not record.name.startswith(_TOLD_OTHERWISE))
        handlers.append(stderr)
    logging.basicConfig(level=logging.WARNING, handlers=handlers)
    set_log_level(config)


class _OwnersFile(RotatingFileHandler):
    """A rotating file with mode 0600."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")


class _OneLine(logging.Formatter):
    """What happened, without how."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage().partition(chr(10))[0].strip()}"
