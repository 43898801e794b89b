"""Settings of the llama.cpp engine, and the threads it may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from aimark_daemon.engines.faults import LLM_SETTINGS_INVALID

ALL_LAYERS: Final = -1
GPU_CHUNK: Final = 256
"""Tokens evaluated between two looks at the cancel flag where llama.cpp cannot be interrupted (graphics cards)."""
ANSWER_SHARE: Final = 4
"""A prompt leaves room for `max_tokens`, but for no more than this part of the context."""


class LlamaSettings(msgspec.Struct, frozen=True):
    """How to load a model. Sizes in tokens."""

    path: str
    model: str = ""
    """What to call it; absent: the file's name."""
    n_ctx: int = 4096
    """Cells for all sequences together, and the most that one conversation may have."""
    threads: int = 0
    """0: one per physical core this process may use. More than that is never used."""
    n_gpu_layers: int = ALL_LAYERS
    """Layers in VRAM; negative: all if this build can use a graphics card."""
    n_batch: int = 512
    n_ubatch: int = 128
    """Tokens evaluated at once: on a processor as quick as 512, and four times quicker to interrupt."""
    sequences: int = 4
    """Conversations whose evaluated prefix is kept in the context, and answers that are generated at once."""
    saved_bytes: int = 256 << 20
    """RAM for evaluated conversations that lost their place in the context; 0 evaluates them again instead."""
    seed: int | None = None
    """Seed of answers whose request names none."""
    system: str = ""
    """Instructions to evaluate while loading, so that the first question need not wait for them."""
    type_k: int | None = None
    """ggml type of cached keys and values; absent: f16."""
    type_v: int | None = None
    flash_attn: int = -1
    """llama.h, `llama_flash_attn_type`: -1 where the device can, 0 never, 1 always. Quantised values need it."""
    experts_on_cpu: bool = False
    """Routed experts stay in RAM, whatever layers are in VRAM."""

    @classmethod
    def of(cls, settings: dict[str, Any]) -> LlamaSettings:
        """Typed settings. Raises AimarkError: a value has the wrong type."""
        try:
            return msgspec.convert(settings, cls)
        except msgspec.ValidationError as error:
            raise LLM_SETTINGS_INVALID(what=str(error)) from error


def usable_cores() -> int:
    """Physical cores that this process may use: by affinity, and by the cgroup's quota on Linux."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or physical
    return max(1, min(physical, allowed, _cgroup_cores()))


def _cgroup_cores() -> int:
    """Whole cores of the control group's quota (cgroup v2, `cpu.max`: microseconds and period)."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return 1 << 16
