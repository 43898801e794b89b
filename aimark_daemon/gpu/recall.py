"""Recall: the plan that worked last time, and whether to use it again. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.facts import MIB, ModelFacts, vram_bytes
from aimark_daemon.gpu.plan import SLACK_BYTES, Memory, Plan

MORE_BYTES: Final = 512 * MIB
"""When so much more is free than last time, a plan that was made for less is not used again."""


class LastGood(msgspec.Struct, frozen=True):
    """A plan that was loaded, the bytes of VRAM it was measured to take, and how many were free before it."""

    plan: Plan
    taken: int
    free: int


def recall(fresh: Plan, last: LastGood | None, facts: ModelFacts, memory: Memory) -> Plan:
    """The plan to begin with: `last` again if it still fits and `fresh` promises nothing better, else `fresh`.

    A plan that stepped down is used again so that the same failures are not gone through at each start; one that was
    measured to take less than expected may be larger than what the estimate dares.
    """
    if last is None or fresh.wish != last.plan.wish or not memory.cards:
        return fresh
    layout = last.plan.layout
    if layout.layers == 0 or layout.layers > len(facts.layers) or last.plan.vram != vram_bytes(facts, layout):
        return fresh
    fits = last.taken + SLACK_BYTES + memory.reserve <= memory.vram_free
    roomier = memory.vram_free > last.free + MORE_BYTES
    if not fits or (roomier and fresh.vram > last.plan.vram):
        return fresh
    return msgspec.structs.replace(last.plan, attempt=0, reason=reasons.remembered(layout, last.plan.all_layers))
