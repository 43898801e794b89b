"""Mirrors: places that serve a model's files. What every mirror does, and what it is handed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, Self

import msgspec

from aimark_daemon.models.entries import ModelFile

_CHUNK: Final = 1 << 20


class MirrorError(Exception):
    """A mirror did not deliver; the text says why. The next mirror is tried."""


class Fetched(msgspec.Struct, frozen=True):
    """A complete file: where it lies, the digest of its bytes, and the digest that the mirror itself publishes."""

    file: ModelFile
    path: Path
    sha256: str
    published: str = ""


class Watch:
    """How far one mirror is, and whether it should go on. Bytes of the model, never falling."""

    def __init__(self, report: Callable[[int], None], check: Callable[[], None]) -> None:
        self._report = report
        self._check = check
        self._done = 0

    def at(self, done: int) -> None:
        """Tell that `done` bytes of what was asked for are here.

        Raises:
            AimarkError: the download was cancelled.
        """
        self._check()
        if done > self._done:
            self._done = done
            self._report(done)

    def check(self) -> None:
        """Raise AimarkError if the download was cancelled."""
        self._check()


class Mirror(Protocol):
    """A place that serves files of one model."""

    @property
    def name(self) -> str:
        """How a person is told about it."""

    def spare(self, files: Sequence[ModelFile]) -> int:
        """Bytes of disk it needs for a while beside the files themselves."""

    def fetch(self, files: Sequence[ModelFile], work: Path, watch: Watch) -> Iterator[Fetched]:
        """Bring each of `files` into the folder `work`, in order, going on from what an earlier try left there.

        Raises:
            MirrorError: it cannot be had from here.
            AimarkError: cancelled.
            OSError: the disk is full or cannot be written.
        """


class PartialFile:
    """A file that grows by appending, with the digest of all its bytes; it survives an interruption."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("a+b")
        self.size = 0
        self._digest = hashlib.sha256()
        self._read_back()

    def _read_back(self) -> None:
        self._file.seek(0)
        self._digest = hashlib.sha256()
        self.size = 0
        while chunk := self._file.read(_CHUNK):
            self._digest.update(chunk)
            self.size += len(chunk)

    def write(self, chunk: bytes) -> None:
        """Append `chunk`."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def truncate(self, size: int) -> None:
        """Forget everything after the first `size` bytes."""
        self._file.flush()
        self._file.truncate(size)
        self._read_back()

    def finish(self) -> str:
        """Close it and return its SHA-256."""
        self.close()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close it, keeping what is there."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
