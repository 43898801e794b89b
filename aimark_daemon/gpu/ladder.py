"""Ladder: what to try after memory ran out. Pure.

Each rung is strictly below the last one in `Plan.measure`: fewer bytes of VRAM, or as many and fewer bytes of RAM. The
order is from what costs least to what costs most:

    batch 512 > 256 > 128; context in 8 bits; a shorter context; image projector to RAM; experts to RAM; fewer layers

Steps are taken together until they free what was missing. The third failure halves the layers, the fourth goes to the
processor, and there one lean plan is the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.facts import MIB, Layout, ModelFacts, vram_bytes
from aimark_daemon.gpu.plan import CPU_UBATCH, Plan, cpu_plan, leaner, make_plan

CONTEXT_FLOOR: Final = 2048
"""Tokens below which the context is not cut."""
GUESS_BYTES: Final = 256 * MIB
"""What is freed when nobody tells how much was missing; doubled with every failure."""
HALVE_AT: Final = 2
CPU_AT: Final = 3


def next_plan(plan: Plan, facts: ModelFacts, deficit: int | None) -> Plan | None:
    """The next lower rung after `plan` failed for want of `deficit` bytes (None: unknown), or None at the bottom."""
    layout, attempt = plan.layout, plan.attempt + 1
    if layout.layers == 0:
        return _below(plan, facts, _lean_on_cpu(facts, layout))
    for candidate in _candidates(plan, facts, deficit):
        if candidate.layers > 0 and (lower := _below(plan, facts, candidate)) is not None:
            return lower
    return cpu_plan(facts, plan.wish, reasons.no_memory_on_card(), attempt)


def _candidates(plan: Plan, facts: ModelFacts, deficit: int | None) -> Iterator[Layout]:
    """What to try on the card after so many failures, best first."""
    if plan.attempt < HALVE_AT:
        missing = deficit if deficit is not None and deficit > 0 else _guess(plan)
        yield from _freeing(facts, plan.layout, missing)
    elif plan.attempt < CPU_AT:
        lean = [plan.layout, *leaner(facts, plan.layout, CONTEXT_FLOOR)][-1]
        yield msgspec.structs.replace(lean, layers=lean.layers // 2)


def _guess(plan: Plan) -> int:
    return max(GUESS_BYTES, plan.vram // 8) << plan.attempt


def _freeing(facts: ModelFacts, layout: Layout, missing: int) -> Iterator[Layout]:
    """Layouts that free at least `missing` bytes: by the cheap steps, else by leaving out layers as well."""
    before = vram_bytes(facts, layout)
    steps = leaner(facts, layout, CONTEXT_FLOOR)
    yield from (step for step in steps if before - vram_bytes(facts, step) >= missing)
    lean = steps[-1] if steps else layout
    # Layers differ (some have no attention, some have experts), so that an average would leave out too few.
    for layers in range(lean.layers - 1, 0, -1):
        fewer = msgspec.structs.replace(lean, layers=layers)
        if before - vram_bytes(facts, fewer) >= missing:
            yield msgspec.structs.replace(lean, layers=layers - 1)
            return
    yield msgspec.structs.replace(lean, layers=0)


def _lean_on_cpu(facts: ModelFacts, layout: Layout) -> Layout:
    return msgspec.structs.replace(
        layout,
        n_ubatch=min(layout.n_ubatch, CPU_UBATCH // 2),
        kv="q8_0" if facts.quantisable else layout.kv,
        n_ctx=min(layout.n_ctx, CONTEXT_FLOOR),
    )


def _below(plan: Plan, facts: ModelFacts, layout: Layout) -> Plan | None:
    """The plan of `layout` if it is below `plan`."""
    cut = layout.n_ctx if layout.n_ctx < plan.wish.context else 0
    reason = reasons.after_out_of_memory(layout, plan.all_layers, cut)
    lower = make_plan(facts, layout, plan.wish, reason, attempt=plan.attempt + 1, measured=plan.measured)
    return lower if lower.measure < plan.measure else None
