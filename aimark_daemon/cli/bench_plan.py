"""The plans that `aimark bench llm` measures: the daemon's own, and beside it the processor alone."""

from __future__ import annotations

from pathlib import Path

import msgspec

from aimark_daemon.cli.fit import memory_of
from aimark_daemon.config.types import Config
from aimark_daemon.engine_specs import llm_wish
from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.gguf import read_facts
from aimark_daemon.gpu.plan import Plan, cpu_plan, plan
from aimark_daemon.llm_loader import info_of, settings_of
from aimark_daemon.workers.base import WorkerSpec


def planned(spec: WorkerSpec, path: Path, config: Config) -> tuple[WorkerSpec, WorkerSpec | None]:
    """`spec` by the plan that fits now, and by that of the processor alone; None where that is the same.

    Raises:
        AimarkError: the file is no language model, or damaged.
    """
    facts, wish = read_facts(path), llm_wish(config)
    first = plan(facts, memory_of(None, config.llm.vram_reserve_mb * 1_000_000), wish)
    alone = cpu_plan(facts, wish, reasons.asked_for_cpu()) if first.layout.layers else None
    return _by(spec, first), _by(spec, alone) if alone is not None else None


def _by(spec: WorkerSpec, plan: Plan) -> WorkerSpec:
    return msgspec.structs.replace(spec, settings=spec.settings | settings_of(plan), plan=info_of(plan))
