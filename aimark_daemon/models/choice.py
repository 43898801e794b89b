"""Which of the installed models to run. Pure: what is installed and what is free are arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from aimark_daemon.models.entries import ModelKind
from aimark_daemon.protocol.messages import ModelInfo

AUTO: Final = "auto"

_FLUENT_BYTES: Final = {"llm": 700_000_000, "stt": 200_000_000, "tts": 200_000_000}
"""Largest model of each kind that answers fluently on a processor of two cores."""


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to run.

    `model` is the id of an installed model, or empty; `path` is the file or folder that was asked for by its path.
    `fits` is False when it needs more memory than is free: it may still run, layer by layer or slowly.
    """

    why: Literal["asked", "path", "auto", "missing", "none"]
    """"missing": what was asked for is not installed; "none": nothing installed will do."""
    model: str = ""
    path: str = ""
    on_gpu: bool = False
    fits: bool = True


def choose(
    kind: ModelKind,
    wanted: str,
    installed: Iterable[ModelInfo],
    free_vram: int | None,
    free_ram: int,
    language: str = "auto",
) -> Choice:
    """Choose a model of `kind`.

    `wanted` is "auto", an id, or a path (anything with a slash, a backslash, or the ending .gguf or .onnx).
    `free_vram` and `free_ram` are bytes; no graphics card is None. `language` is "ko", "en" or "auto", which wants
    both.

    Automatic: the largest model that fits the free VRAM; else, on the processor, the largest that answers fluently and
    fits the free RAM; else the smallest there is. A model that knows the language goes before one that does not, and a
    voice that does not know the language is never chosen.
    """
    if wanted != AUTO and is_path(wanted):
        return Choice("path", path=wanted)
    there = [model for model in installed if model.installed and model.kind == kind]
    vram = free_vram or 0
    if wanted != AUTO:
        asked = next((model for model in there if model.id == wanted), None)
        if asked is None:
            return Choice("missing")
        on_gpu = asked.memory <= vram
        return Choice("asked", asked.id, on_gpu=on_gpu, fits=on_gpu or asked.memory <= free_ram)

    if kind == "tts" and language != AUTO:
        there = [model for model in there if language in model.languages]
    return _best(kind, there, vram, free_ram, language) if there else Choice("none")


def _best(kind: ModelKind, there: list[ModelInfo], vram: int, ram: int, language: str) -> Choice:
    most = max(_known(model, language) for model in there)
    able = [model for model in there if _known(model, language) == most]
    if on_card := [model for model in able if model.memory <= vram]:
        return Choice("auto", max(on_card, key=_rank).id, on_gpu=True)
    in_ram = [model for model in able if model.memory <= ram]
    if fluent := [model for model in in_ram if model.bytes <= _FLUENT_BYTES[kind]]:
        return Choice("auto", max(fluent, key=_rank).id)
    return Choice("auto", min(in_ram or able, key=_rank).id, fits=bool(in_ram))


def is_path(wanted: str) -> bool:
    """Whether a model is named by its path rather than by its id."""
    return "/" in wanted or "\\" in wanted or wanted.lower().endswith((".gguf", ".onnx"))


def _known(model: ModelInfo, language: str) -> int:
    """How many of the wanted languages it knows."""
    return len({"ko", "en"} & set(model.languages)) if language == AUTO else int(language in model.languages)


def _rank(model: ModelInfo) -> tuple[int, bool, str]:
    """Larger is better; between equals the starter set, then the name, so that the choice is stable."""
    return (model.bytes, model.starter, model.id)
