"""`aimark models fit`: how a model would be laid out in memory, and why; nothing is loaded."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

import msgspec

from aimark_daemon.cli.faults import NO_LANGUAGE_MODEL
from aimark_daemon.cli.shell import Shell
from aimark_daemon.engine_specs import llm_wish
from aimark_daemon.errors import Exit
from aimark_daemon.gpu import available
from aimark_daemon.gpu.facts import ModelFacts
from aimark_daemon.gpu.gguf import read_facts
from aimark_daemon.gpu.ladder import next_plan
from aimark_daemon.gpu.nvml import Nvml
from aimark_daemon.gpu.plan import Card, Memory, Plan, budget, plan
from aimark_daemon.gpu.plan_faults import SIZE_UNREADABLE
from aimark_daemon.gpu.reasons import gigabytes
from aimark_daemon.llm_loader import info_of
from aimark_daemon.models.choice import is_path
from aimark_daemon.models.store import ModelStore
from aimark_daemon.names import named

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([MG])i?B", re.IGNORECASE)
_UNITS: Final = {"M": 1 << 20, "G": 1 << 30}


def run(shell: Shell, arguments: Namespace) -> int:
    """Print the plan, and what would be tried after it if memory ran out.

    Raises:
        AimarkError: the model is not installed, its file is unusable, or `--vram` is no amount of memory.
    """
    reserve = shell.loaded.config.llm.vram_reserve_mb * 1_000_000
    memory = memory_of(arguments.vram, reserve)
    path = Path(arguments.model).expanduser() if is_path(arguments.model) else _installed(shell, arguments.model)
    facts = read_facts(path)
    plans = [plan(facts, memory, llm_wish(shell.loaded.config))]
    while (lower := next_plan(plans[-1], facts, None)) is not None:
        plans.append(lower)
    if shell.json:
        shell.emit(_as_json(arguments.model, path, facts, memory, plans))
    else:
        _print(shell, arguments.model, facts, memory, plans)
    return Exit.OK


def _installed(shell: Shell, model: str) -> Path:
    store = ModelStore(shell.paths.models)
    kind = next((info.kind for info in store.list() if info.id == model), "llm")
    if kind != "llm":
        raise NO_LANGUAGE_MODEL(model=model, job=named(kind))
    return store.path(model)


def memory_of(vram: str | None, reserve: int) -> Memory:
    """This machine's memory, or that of one with an empty card of `vram`, whatever engine is installed here."""
    if vram is None:
        nvml = Nvml()
        try:
            return available.memory(nvml.sample(), available.backends(), reserve)
        finally:
            nvml.close()
    size = size_of(vram)
    here = available.memory((), frozenset(), reserve)
    return msgspec.structs.replace(here, cards=(Card(size, size),), offload=True)


def size_of(text: str) -> int:
    """Bytes of an amount like 6GB, as cards are sold: 1 GB is 1024 MB of 1024 KB.

    Raises:
        AimarkError: size_unreadable.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise SIZE_UNREADABLE(text=text)
    return round(float(found[1]) * _UNITS[found[2].upper()])


def _as_json(model: str, path: Path, facts: ModelFacts, memory: Memory, plans: list[Plan]) -> dict[str, Any]:
    first, *rungs = plans
    return {
        "model": model,
        "path": str(path),
        "architecture": facts.architecture,
        "layers": len(facts.layers),
        "bytes": facts.weights,
        "context_trained": facts.context,
        "template": facts.template,
        "vram_free": memory.vram_free,
        "vram_usable": budget(facts, memory, first.layout),
        "ram_free": memory.ram_free,
        "plan": msgspec.to_builtins(info_of(first)),
        "rungs": [msgspec.to_builtins(info_of(rung)) for rung in rungs],
    }


def _print(shell: Shell, model: str, facts: ModelFacts, memory: Memory, plans: list[Plan]) -> None:
    first, *rungs = plans
    text = shell.text
    layers = len(facts.layers)
    shell.out(
        f"{model}: {facts.architecture}, {gigabytes(facts.weights)}, {text(f'{layers} layers', f'{layers}개 층')}"
    )
    shell.out(f"  {first.reason.in_language(shell.language)}")
    if memory.cards:
        usable, free = gigabytes(budget(facts, memory, first.layout)), gigabytes(memory.vram_free)
        shell.out(
            "  "
            + text(
                f"GPU: {gigabytes(first.vram)} expected; {free} free, {usable} of it usable",
                f"GPU: {gigabytes(first.vram)} 사용 예상. {free} 비어 있고 그중 {usable} 사용 가능",
            )
        )
    ram, ram_free = gigabytes(first.ram), gigabytes(memory.ram_free)
    shell.out("  " + text(f"RAM: {ram} expected; {ram_free} free", f"RAM: {ram} 사용 예상. {ram_free} 비어 있음"))
    shell.out("  " + _details(shell, first))
    if rungs:
        shell.out(text("If memory runs out all the same:", "그래도 메모리가 부족하면:"))
    for rung in rungs:
        shell.out(f"  {_details(shell, rung)}")


def _details(shell: Shell, plan: Plan) -> str:
    layout = plan.layout
    return shell.text(
        f"{layout.layers} of {plan.all_layers} layers on the GPU, context {layout.n_ctx} tokens in {layout.kv}, "
        f"batches of {layout.n_ubatch}, {gigabytes(plan.vram)} VRAM, {gigabytes(plan.ram)} RAM",
        f"{plan.all_layers}개 층 중 GPU {layout.layers}개, 컨텍스트 {layout.n_ctx}토큰({layout.kv}), "
        f"배치 {layout.n_ubatch}, VRAM {gigabytes(plan.vram)}, RAM {gigabytes(plan.ram)}",
    )
