"""The folders of a model store: what lies where, and the steps that must be atomic."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from aimark_daemon.models.entries import ModelEntry, ModelFile

MANIFEST: Final = "manifest.json"
_ID: Final = re.compile(r"^[a-z0-9][a-z0-9._-]{0,99}$")


class Manifest(msgspec.Struct, frozen=True):
    """What an installed model is: its catalogue entry, every file with the digest that was checked."""

    entry: ModelEntry


class StoreFolder:
    """The layout below one root.

        blobs/<sha256>              a file's content, shared by every model that has it
        models/<id>/                an installed model: its files (hard links to blobs where possible), manifest.json
        partial/<id>/ready/         files that are complete and checked, before the model is whole
        partial/<id>/<mirror>/      what a mirror has brought so far
        locks/<id>.lock

    A model becomes visible by one rename of its whole folder. A blob only saves a download and room: deleting one
    never harms an installed model.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def model(self, model: str) -> Path:
        """Where an installed model lies."""
        return self.root / "models" / model

    def partial(self, model: str) -> Path:
        """Where a model grows."""
        return self.root / "partial" / model

    def ready(self, model: str) -> Path:
        """Where its checked files wait."""
        return self.partial(model) / "ready"

    def lock(self, model: str) -> Path:
        """The lock that one download of it holds."""
        return self.root / "locks" / f"{model}.lock"

    def blob(self, sha256: str) -> Path:
        """Where content with that digest lies."""
        return self.root / "blobs" / sha256

    def installed_ids(self) -> list[str]:
        """Names of the folders of installed models."""
        try:
            names = sorted(path.name for path in (self.root / "models").iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [name for name in names if _ID.match(name)]

    def manifest(self, model: str) -> Manifest | None:
        """The manifest of an installed model; None if it is not installed or the manifest is unreadable."""
        if not _ID.match(model):
            return None
        try:
            return msgspec.json.decode((self.model(model) / MANIFEST).read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError):
            return None

    def damaged(self, manifest: Manifest) -> ModelFile | None:
        """The first file of an installed model that is missing or has another size."""
        folder = self.model(manifest.entry.id)
        for file in manifest.entry.files:
            try:
                if (folder / file.name).stat().st_size != file.bytes:
                    return file
            except OSError:
                return file
        return None

    def reuse_blob(self, model: str, file: ModelFile) -> bool:
        """Make `file` ready from a blob that is already there."""
        target = self.ready(model) / file.name
        if target.is_file() and target.stat().st_size == file.bytes:
            return True
        blob = self.blob(file.sha256)
        if not file.sha256 or not blob.is_file() or blob.stat().st_size != file.bytes:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        _link_or_copy(blob, target)
        return True

    def accept(self, model: str, name: str, path: Path, sha256: str) -> None:
        """Take a complete, checked file: make it durable, ready, and a blob."""
        sync_file(path)
        target = self.ready(model) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        sync_folder(target.parent)
        blob = self.blob(sha256)
        blob.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            blob.unlink(missing_ok=True)
            os.link(target, blob)

    def install(self, entry: ModelEntry) -> None:
        """Make the model visible: its ready folder becomes its place."""
        ready = self.ready(entry.id)
        files = tuple(
            file if file.sha256 else msgspec.structs.replace(file, sha256=_digest(ready / file.name))
            for file in entry.files
        )
        manifest = ready / MANIFEST
        written = Manifest(msgspec.structs.replace(entry, files=files))
        manifest.write_bytes(msgspec.json.format(msgspec.json.encode(written)))
        sync_file(manifest)
        sync_folder(ready)
        place = self.model(entry.id)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._discard(place)
        ready.replace(place)
        sync_folder(place.parent)
        shutil.rmtree(self.partial(entry.id), ignore_errors=True)

    def remove(self, model: str, files: Iterable[ModelFile]) -> None:
        """Delete an installed model of these files, what was begun of it, and the blobs that nothing else shares."""
        self._discard(self.model(model))
        self.give_up(model, files)

    def give_up(self, model: str, files: Iterable[ModelFile]) -> None:
        """Delete what was begun of a model, and the blobs of its files that nothing else shares."""
        shutil.rmtree(self.partial(model), ignore_errors=True)
        for file in files:
            blob = self.blob(file.sha256)
            with contextlib.suppress(OSError):
                if file.sha256 and blob.stat().st_nlink == 1:
                    blob.unlink()

    def _discard(self, place: Path) -> None:
        """Delete a model's folder; it disappears as a whole before its files are deleted."""
        for left in (self.root / "partial").glob(".removed-*"):
            shutil.rmtree(left, ignore_errors=True)
        if not place.exists():
            return
        aside = self.root / "partial" / f".removed-{place.name}-{os.getpid()}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        place.replace(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def digest(self, model: str, file: ModelFile) -> str:
        """SHA-256 of an installed model's file."""
        return _digest(self.model(model) / file.name)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def free_bytes(folder: Path) -> int:
    """Room on the disk that holds `folder`, which need not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def sync_file(path: Path) -> None:
    """Wait until the disk has the file."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the disk has the folder's entries, where the system lets a folder be opened."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        sync_file(target)
