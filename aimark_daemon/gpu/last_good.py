"""Last good plans: a small file of what worked, by model, wish, engine and machine."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from aimark_daemon.gpu.plan import Wish
from aimark_daemon.gpu.recall import LastGood

log = logging.getLogger("aimark.gpu")

MOST: Final = 32
"""Plans that are kept; the oldest make room."""


class Key(msgspec.Struct, frozen=True):
    """What a plan is good for. A change of any of it makes the plan worthless."""

    model: str
    """The model file's fingerprint."""
    wish: Wish
    engine: str
    """Version of the engine library."""
    machine: str
    """The cards' UUIDs and the driver's version."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the file."""

    key: Key
    good: LastGood


class LastGoodPlans:
    """The file, read anew each time: another process may have written it. A damaged one counts as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: Key) -> LastGood | None:
        """What worked for `key`."""
        return next((entry.good for entry in self._read() if entry.key == key), None)

    def put(self, key: Key, good: LastGood) -> None:
        """Remember; what cannot be written is only logged."""
        entries = [Entry(key, good), *(entry for entry in self._read() if entry.key != key)][:MOST]
        ready = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            ready.write_bytes(msgspec.json.format(msgspec.json.encode(entries)))
            ready.replace(self._path)
        except OSError as error:
            log.warning("the plan that worked could not be kept: %s", error)
            with contextlib.suppress(OSError):
                ready.unlink(missing_ok=True)

    def _read(self) -> list[Entry]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Entry])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, UnicodeError) as error:
            log.warning("the plans that worked are unreadable and are forgotten: %s", error)
            return []
