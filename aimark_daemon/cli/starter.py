"""Starter models: fetched before a command starts a daemon that needs them, so that the progress can be seen."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Any

from aimark_daemon.cli.progress import Downloads
from aimark_daemon.cli.shell import Shell
from aimark_daemon.models.store import ModelStore


def fetch_starter(shell: Shell, jobs: tuple[str, ...]) -> None:
    """Download the starter model of each of `jobs` that has none and may be chosen freely.

    Raises:
        AimarkError: no mirror, wrong digest, full disk, `pull_cancelled` after Ctrl-C.
    """
    config = shell.loaded.config
    if not config.download_starter_models:
        return
    store = ModelStore(shell.paths.models)
    infos = store.list()
    wanted = {"llm": config.llm.model, "stt": config.stt.model, "tts": config.tts.model}
    for job in jobs:
        of_kind = [info for info in infos if info.kind == job]
        if wanted[job] == "auto" and not any(info.installed for info in of_kind):
            for info in of_kind:
                if info.starter:
                    pull(shell, store, info.id)
                    break


def pull(shell: Shell, store: ModelStore, model: str) -> Path:
    """Download a model with its progress on stderr; Ctrl-C stops it, and what was fetched is kept for the next time.

    Raises:
        AimarkError: see `ModelStore.pull`.
    """
    shell.paths.create()
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    before: Any = signal.signal(signal.SIGINT, stop)
    try:
        with Downloads() as downloads:
            return store.pull(
                model,
                lambda done, total: downloads.update(model, done, total),
                lambda: stopped,
            )
    finally:
        signal.signal(signal.SIGINT, before)
