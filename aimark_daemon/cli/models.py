"""`aimark models`: list, pull, use, rm, fit. Without a daemon they work on the store and the configuration directly."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from aimark_daemon.cli import fit
from aimark_daemon.cli.connection import call_daemon
from aimark_daemon.cli.shell import Shell, padded
from aimark_daemon.cli.starter import pull
from aimark_daemon.client import DaemonClient
from aimark_daemon.config import set_value
from aimark_daemon.errors import Exit
from aimark_daemon.models.choice import AUTO
from aimark_daemon.models.store import ModelStore
from aimark_daemon.protocol.messages import (
    ListModels,
    ModelInfo,
    ModelsReply,
    Ok,
    PullModel,
    RemoveModel,
    Request,
    UseModel,
)
from aimark_daemon.provision import MODEL_IN_USE
from aimark_daemon.roster import JOBS
from aimark_daemon.runtime import is_running

_SLOW_S = 600.0


def run(shell: Shell, arguments: Namespace) -> int:
    """Do what the action says."""
    if arguments.action == "fit":
        return fit.run(shell, arguments)
    store = ModelStore(shell.paths.models)
    running = is_running(shell.base_paths.runtime)
    match arguments.action:
        case "list":
            for info in _list(shell, store, running=running):
                shell.emit(info) if shell.json else shell.out(_line(shell, info))
            return Exit.OK
        case "pull":
            # Here rather than in the daemon: Ctrl-C stops it, and the bar needs no messages.
            pull(shell, store, arguments.id)
            if running:
                _ask(shell, PullModel(id=0, model=arguments.id))
            done = shell.text("installed", "설치했습니다")
        case "use":
            _use(shell, store, arguments.id, running=running)
            done = shell.text("in use", "사용합니다")
            if arguments.id == AUTO:
                done = shell.text("every model is chosen automatically", "모든 모델을 자동으로 고릅니다")
        case _:
            if running:
                _ask(shell, RemoveModel(id=0, model=arguments.id))
            else:
                _remove(shell, store, arguments.id)
            done = shell.text("removed", "지웠습니다")
    if shell.json:
        infos = _list(shell, store, running=running)
        shell.emit(next((info for info in infos if info.id == arguments.id), {"id": arguments.id}))
    else:
        shell.out(f"{arguments.id}: {done}")
    return Exit.OK


def _use(shell: Shell, store: ModelStore, model: str, *, running: bool) -> None:
    if model != AUTO:
        store.path(model)
    if running:
        _ask(shell, UseModel(id=0, model=model))
        return
    kinds = [info.kind for info in store.list() if info.id == model] if model != AUTO else JOBS
    for kind in kinds:
        set_value(shell.loaded, f"{kind}.model", model)


def _remove(shell: Shell, store: ModelStore, model: str) -> None:
    """Without a daemon, what the configuration names counts as in use: the next start would miss it."""
    config = shell.loaded.config
    if model in (config.llm.model, config.stt.model, config.tts.model):
        raise MODEL_IN_USE(model=model)
    store.remove(model)


def _ask(shell: Shell, request: Request) -> None:
    async def work(client: DaemonClient) -> None:
        await client.request(request, Ok, timeout_s=_SLOW_S)

    call_daemon(shell, work)


def _list(shell: Shell, store: ModelStore, *, running: bool) -> list[ModelInfo]:
    """The catalogue; what is used is known while a daemon runs, and else from what the configuration asks for."""

    async def work(client: DaemonClient) -> tuple[ModelInfo, ...]:
        return (await client.request(ListModels(id=0), ModelsReply)).models

    if running:
        return list(call_daemon(shell, work))
    config = shell.loaded.config
    asked = {config.llm.model, config.stt.model, config.tts.model}
    return [msgspec.structs.replace(info, used=info.installed and info.id in asked) for info in store.list()]


def _line(shell: Shell, info: ModelInfo) -> str:
    if info.used:
        state = shell.text("in use", "사용 중")
    elif info.installed:
        state = shell.text("installed", "설치됨")
    else:
        state = ""
    name, kind, languages = f"{info.id:<44}", padded(shell.name(info.kind), 8), ",".join(info.languages)
    return f"{name} {kind} {info.bytes / 1e6:>7.0f} MB  {languages:<6} {info.licence:<16} {state}".rstrip()
