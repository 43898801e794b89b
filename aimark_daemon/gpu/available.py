"""This machine as the planner sees it: what is free, which cards there are, and what the installed engine can use."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
import psutil
import pynvml

from aimark_daemon.gpu.plan import Card, Memory
from aimark_daemon.protocol.messages import GpuInfo

_BACKEND: Final = re.compile(r"ggml-(cuda|hip|vulkan|metal|sycl|musa|cann|opencl)\b")


def backends(library: str = "llama_cpp") -> frozenset[str]:
    """Names of the graphics backends that the installed engine library brings; it is not imported."""
    try:
        found = importlib.util.find_spec(library)
    except (ImportError, ValueError):
        return frozenset()
    folders = [Path(place) / "lib" for place in (found.submodule_search_locations or ())] if found else []
    names = [file.name for folder in folders if folder.is_dir() for file in folder.iterdir()]
    return frozenset(match[1] for name in names if (match := _BACKEND.search(name)))


def engine_version(distribution: str = "llama-cpp-python") -> str:
    """Version of the installed engine library, empty if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def memory(gpus: Iterable[GpuInfo] | None, engine: frozenset[str], reserve: int = 0) -> Memory:
    """What is free now. A card whose driver does not tell how much is free does not count; None: it has not answered.

    `engine` are the backends of the installed engine. One for CUDA alone has no card where the driver shows none.
    """
    late, gpus = gpus is None, tuple(gpus or ())
    cards = tuple(Card(gpu.vram_free, gpu.vram_total or 0) for gpu in gpus if gpu.vram_free is not None)
    program, program_bytes = _largest_other(gpus)
    return Memory(
        program=program,
        program_bytes=program_bytes,
        cards=cards if engine else (),
        ram_free=psutil.virtual_memory().available,
        reserve=reserve,
        offload=bool(engine - {"cuda"}) or bool(engine and cards),
        late=late and bool(engine),
    )


def _largest_other(gpus: tuple[GpuInfo, ...]) -> tuple[str, int]:
    """Name and bytes of the program, not one of ours, that holds most of the cards; nameless where nobody tells."""
    held: dict[str, int] = {}
    for process in (process for gpu in gpus for process in gpu.processes or ()):
        if process.name and not process.worker and process.vram is not None:
            held[process.name] = held.get(process.name, 0) + process.vram
    return max(held.items(), key=lambda item: item[1], default=("", 0))


def own_bytes(gpus: Iterable[GpuInfo], worker: str) -> int | None:
    """Bytes that `worker` holds of all cards, None if the driver does not tell."""
    told = [process.vram for gpu in gpus for process in gpu.processes or () if process.worker == worker]
    known = [size for size in told if size]
    return sum(known) if known and len(known) == len(told) else None


def without(gpus: Iterable[GpuInfo], worker: str, expected: int) -> tuple[GpuInfo, ...]:
    """The cards as they were if `worker` held nothing of them; `expected` bytes, on the first one, if nobody tells."""
    gpus = tuple(gpus)
    own = [sum(process.vram or 0 for process in gpu.processes or () if process.worker == worker) for gpu in gpus]
    if not any(own) and own:
        own[0] = expected
    return tuple(map(_given_back, gpus, own))


def _given_back(gpu: GpuInfo, size: int) -> GpuInfo:
    if gpu.vram_free is None:
        return gpu
    free = gpu.vram_free + size
    return msgspec.structs.replace(gpu, vram_free=free if gpu.vram_total is None else min(free, gpu.vram_total))


def identity() -> str:
    """The cards' UUIDs and the driver's version; empty without a driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ""
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        parts = [pynvml.nvmlSystemGetDriverVersion(), *map(pynvml.nvmlDeviceGetUUID, handles)]
        return " ".join(part if isinstance(part, str) else part.decode(errors="replace") for part in parts)
    except pynvml.NVMLError:
        return ""
    finally:
        pynvml.nvmlShutdown()
