"""Engine specs: which engine class runs a chosen model, and with which settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aimark_daemon.config.instructions import instructions
from aimark_daemon.config.types import Config
from aimark_daemon.engines.llama_settings import GPU_CHUNK
from aimark_daemon.gpu.plan import Wish
from aimark_daemon.roster import Job
from aimark_daemon.workers.base import WorkerSpec

ENGINES: dict[Job, str] = {
    "llm": "aimark_daemon.engines.llama:LlamaEngine",
    "stt": "aimark_daemon.engines.whisper:WhisperEngine",
    "tts": "aimark_daemon.engines.voices:VoicesEngine",
}
FAKE_ENGINES: dict[Job, str] = {
    "llm": "aimark_daemon.engines.fake_llm:FakeLLM",
    "stt": "aimark_daemon.engines.fake_voice:FakeSTT",
    "tts": "aimark_daemon.engines.fake_voice:FakeTTS",
}


def usable_processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def engine_spec(
    job: Job, model: str, path: Path, config: Config, voices: Mapping[str, str] | None = None
) -> WorkerSpec:
    """The worker that runs `model`, whose files lie at `path`, as the configuration wants it.

    `voices` maps languages to the voices that speak them instead: a file each, or "espeak".
    """
    settings: dict[str, Any] = {"model": model, "path": str(path)}
    match job:
        case "llm":
            # The loader adds where the layers go.
            settings |= {"n_ctx": config.llm.context, "system": instructions(config)}
            if config.llm.threads is not None:
                settings["threads"] = config.llm.threads
        case "stt":
            settings |= {"threads": config.stt.threads or usable_processors()}
        case "tts":
            # The voice works beside the language model: half the cores each is faster than all for both.
            settings |= {"threads": config.tts.threads or max(1, usable_processors() // 2)}
            settings |= {"voices": dict(voices or {}), "warm": [config.language]}
    return WorkerSpec(name=job, engine=ENGINES[job], settings=settings, makes_room=job == "stt")


def llm_wish(config: Config) -> Wish:
    """What the configuration wants of the language model."""
    llm = config.llm
    return Wish(context=llm.context, gpu_layers=llm.gpu_layers, ubatch=GPU_CHUNK, threads=llm.threads or 0)


def fake_spec(job: Job, settings: dict[str, Any] | None = None) -> WorkerSpec:
    """A worker with the fake engine of `job`: for tests, and for working on clients without models."""
    return WorkerSpec(name=job, engine=FAKE_ENGINES[job], settings={"model": f"fake-{job}", **(settings or {})})
