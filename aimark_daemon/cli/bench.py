"""`aimark bench llm`: how fast the language model is on this machine, beside a bare loop and llama.cpp's server."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import psutil

from aimark_daemon.cli.bench_figures import FIGURES, Figures, Samples, figures
from aimark_daemon.cli.bench_ours import Ours
from aimark_daemon.cli.bench_peer import Peer
from aimark_daemon.cli.bench_plan import planned
from aimark_daemon.cli.bench_report import Conditions, page
from aimark_daemon.cli.bench_script import SHORT, STORY, Talk
from aimark_daemon.cli.connection import call_daemon, run_async
from aimark_daemon.cli.faults import BENCH_DAEMON_BUSY, BENCH_OUT_UNWRITABLE, BENCH_PEER_FAILED
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.states import in_words
from aimark_daemon.client import DaemonClient
from aimark_daemon.engine_specs import engine_spec, fake_spec
from aimark_daemon.engines.base import CHAT, ChatMessage, ChatRequest, Facts, Sampling
from aimark_daemon.errors import Exit, Text
from aimark_daemon.models.choice import choose
from aimark_daemon.models.faults import MODEL_MISSING
from aimark_daemon.models.store import ModelStore
from aimark_daemon.names import named
from aimark_daemon.protocol.messages import GetStatus, StatusReply
from aimark_daemon.provision import NO_MODEL
from aimark_daemon.runtime import is_running
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.supervisor import Supervisor

BARE: Final = "aimark_daemon.engines.llama_bare:BareLoop"
PEER_SCRIPT: Final = Path("..", "shared", "peers", "llama_server.py")
_RESTING: Final = frozenset({"ready", "failed", "absent", "stopped"})


@dataclass
class _Sides:
    """Who is measured; `bare` and `peer` only where peers are asked for."""

    ours: Ours
    bare: Supervisor | None
    bare_samples: Samples
    peer: Peer | None


def run(shell: Shell, arguments: Namespace) -> int:
    """Measure, print, and write the report."""
    _refuse_beside_work(shell)
    model, path = ("fake-llm", Path()) if shell.fake_engines else _model(shell, arguments.model)
    script = Path(arguments.peer_script or PEER_SCRIPT)
    if arguments.peers and not script.is_file():
        raise BENCH_PEER_FAILED(detail=f"no file {script}", command=str(script))
    if arguments.html:
        _write(Path(arguments.html), "")
    before = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    results, facts, reason = run_async(_measure(shell, arguments, model, path, script))
    conditions = Conditions(model, facts.threads, arguments.rounds, before, psutil.cpu_count() or 1, reason)
    if arguments.html:
        _write(Path(arguments.html), page(results, conditions, shell.language))
    if shell.json:
        shell.emit(conditions)
        shell.emit(results)
    else:
        _print(shell, results, conditions)
    return Exit.OK


def _refuse_beside_work(shell: Shell) -> None:
    """Both would be slow, and the figures wrong. Raises AimarkError: `bench_daemon_busy`."""
    if not is_running(shell.base_paths.runtime):
        return

    async def work(client: DaemonClient) -> dict[str, str]:
        status = (await client.request(GetStatus(id=0), StatusReply)).status
        return {job: engine.state for job, engine in status.engines.items() if engine.state not in _RESTING}

    if busy := call_daemon(shell, work, start=False):
        engines = ", ".join(f"{shell.name(job)} ({in_words(state, shell.language)})" for job, state in busy.items())
        raise BENCH_DAEMON_BUSY(engines=engines)


def _model(shell: Shell, wanted: str | None) -> tuple[str, Path]:
    """The model to measure: the one asked for, else the one the daemon would use.

    Raises:
        AimarkError: `model_missing`, `no_model`, or its file is damaged.
    """
    store = ModelStore(shell.paths.models)
    wanted = wanted or shell.loaded.config.llm.model
    choice = choose("llm", wanted, store.list(), None, psutil.virtual_memory().available, shell.loaded.config.language)
    if choice.path:
        return Path(choice.path).stem, Path(choice.path).expanduser()
    if not choice.model:
        raise MODEL_MISSING(model=wanted) if choice.why == "missing" else NO_MODEL(job=named("llm"))
    return choice.model, store.path(choice.model)


async def _measure(
    shell: Shell, arguments: Namespace, model: str, path: Path, script: Path
) -> tuple[dict[str, Figures], Facts, Text | None]:
    alone = None
    if shell.fake_engines:
        spec = fake_spec("llm", {"default": "word " * arguments.tokens, "n_ctx": 1 << 14, "delay_s": 0.001})
    else:
        config = shell.loaded.config
        spec, alone = planned(engine_spec("llm", model, path, config), path, config)
    ours = Ours(spec, arguments.tokens, arguments.session_tokens)
    sides = _Sides(ours, None, {}, None)
    try:
        shell.note(shell.text("Loading ...", "불러오는 중 ..."))
        if alone is not None:
            await ours.load_once(alone)
        await ours.start()
        if arguments.peers:
            threads = ours.facts.threads or 1
            if not shell.fake_engines:
                await _load_bare(sides, spec)
            sides.peer = Peer(Path(arguments.peers), script, path, threads, arguments.tokens)
            await asyncio.to_thread(sides.peer.start)
        for number in range(arguments.rounds):
            shell.note(
                shell.text(f"Round {number + 1} of {arguments.rounds} ...", f"{number + 1}/{arguments.rounds}회 ...")
            )
            await _round(sides, number, arguments.tokens)
    finally:
        if sides.peer is not None:
            await asyncio.to_thread(sides.peer.stop)
        if sides.bare is not None:
            await sides.bare.stop()
        await ours.stop()
    peer_samples = sides.peer.samples if sides.peer is not None else {}
    results = {
        "ours": figures(ours.samples),
        "bare": figures(sides.bare_samples),
        "llama_server": figures(peer_samples),
    }
    return results, ours.facts, spec.plan.reason if spec.plan is not None else None


async def _load_bare(sides: _Sides, spec: WorkerSpec) -> None:
    settings = spec.settings | {"n_ubatch": spec.settings.get("n_batch", 512), "system": "", "sequences": 1}
    sides.bare = Supervisor(msgspec.structs.replace(spec, name="bare", engine=BARE, settings=settings))
    await sides.bare.start()
    facts = await sides.bare.ready()
    sides.bare_samples["load_s"] = [facts.load_s or 0.0]


async def _round(sides: _Sides, number: int, tokens: int) -> None:
    """Everybody does the same, one after another."""
    ours, peer = sides.ours, sides.peer
    await ours.decode(number)
    await _bare(sides, (ChatMessage("user", f"{STORY} ({number},)"),), tokens)
    if peer is not None:
        await asyncio.to_thread(peer.decode, number)
    await ours.sessions(number)
    await _bare(sides, Talk(f"Mina {number}", ours.words).ask(), SHORT)
    if peer is not None:
        await asyncio.to_thread(peer.sessions, number, ours.words)
    await ours.cancels(number)
    await ours.recovery(number)


async def _bare(sides: _Sides, messages: tuple[ChatMessage, ...], tokens: int) -> None:
    """A short answer counts as a prompt, a long one as an answer."""
    if sides.bare is None:
        return
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=tokens)
    result = await sides.bare.call(CHAT, ChatRequest("", messages, sampling)).result()
    if tokens > SHORT:
        sides.bare_samples.setdefault("decode_tokens_per_s", []).append(result.tokens / result.decode_s)
    else:
        sides.bare_samples.setdefault("first_token_cold_s", []).append(result.prefill_s)
        sides.bare_samples.setdefault("prefill_tokens_per_s", []).append(result.prompt_tokens / result.prefill_s)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BENCH_OUT_UNWRITABLE(detail=str(error), file=str(path)) from error


def _print(shell: Shell, results: dict[str, Figures], conditions: Conditions) -> None:
    shell.out(conditions.line(shell.language))
    sides = [side for side, values in results.items() if any(value is not None for value in values.values())]
    shell.out(f"{'':<40}" + "".join(f"{side:>14}" for side in sides))
    for name, figure in FIGURES.items():
        cells = "".join(f"{_number(results[side][name]):>14}" for side in sides)
        unit = f" ({figure.unit})" if figure.unit else ""
        shell.out(f"{figure.en if shell.language != 'ko' else figure.ko}{unit}".ljust(40) + cells)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
