"""Neighbour: when a loaded model makes room on the graphics card for other programs, and when it takes it back. Pure.

It makes room as soon as a turn has ended, and takes room back only after a minute of it in which nobody asked anything.
Between two changes lies time, so that a program that comes and goes does not make the model come and go with it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from aimark_daemon.gpu.facts import MIB
from aimark_daemon.gpu.plan import Memory, Plan

TIGHT_BYTES: Final = 256 * MIB
"""With less free memory other programs, or the model's own pools, run into the wall."""
TIGHT_S: Final = 2.0
"""So long it has to be tight: a program that starts takes and gives back."""
SPARE_BYTES: Final = 512 * MIB
"""So much more than what a larger plan needs has to be free."""
ROOM_S: Final = 60.0
"""So long there has to be room, while nobody asks anything."""
APART_S: Final = 120.0
"""The least time between two changes."""
GAP_S: Final = 30.0
"""After so long without a look nothing is known of the time between."""


class Change(StrEnum):
    """What the model should do."""

    SHRINK = "shrink"
    GROW = "grow"


class Look(msgspec.Struct, frozen=True):
    """The card and the model at one moment."""

    tight: bool = False
    """The plan in force leaves too little, and one made now would take less."""
    roomy: bool = False
    """One made now would put more of the model on the card, and leave `SPARE_BYTES` more than it has to."""
    idle: bool = True
    """Nobody asks anything."""


class Neighbour:
    """Decides from looks. `now` in seconds of any monotonic clock. A decision stands until `changed` is called."""

    def __init__(self) -> None:
        self._looked = float("-inf")
        self._changed = float("-inf")
        self._tight_since: float | None = None
        self._roomy_since: float | None = None

    def look(self, look: Look, now: float) -> Change | None:
        """What should be done now; never anything while somebody asks something."""
        if now - self._looked > GAP_S:
            self.loaded()
        self._looked = now
        self._tight_since = _since(self._tight_since, look.tight, now)
        self._roomy_since = _since(self._roomy_since, look.roomy and look.idle, now)
        if not look.idle or now - self._changed < APART_S:
            return None
        if self._tight_since is not None and now - self._tight_since >= TIGHT_S:
            return Change.SHRINK
        if self._roomy_since is not None and now - self._roomy_since >= ROOM_S:
            return Change.GROW
        return None

    def changed(self, now: float) -> None:
        """What was decided is done."""
        self._changed = now
        self.loaded()

    def loaded(self) -> None:
        """The model was loaded anew, for whatever reason: what was seen before counts no more."""
        self._tight_since = self._roomy_since = None


def look_at(plan: Plan, memory: Memory, foresee: Callable[[int], Plan | None], *, idle: bool) -> Look:
    """What is to be seen of a model that is loaded by `plan`, while `memory` is free beside it.

    `foresee(spare)` gives the plan that would be made now with so many more bytes left alone, None if it is not known.
    It is asked only where the answer matters.
    """
    on_card = plan.layout.layers > 0
    if on_card and _is_tight(memory):
        lower = foresee(0)
        return Look(tight=lower is not None and lower.vram < plan.vram, idle=idle)
    if memory.vram_free <= memory.reserve + SPARE_BYTES:
        return Look(idle=idle)
    larger = foresee(SPARE_BYTES)
    return Look(roomy=larger is not None and _on_card(larger) > _on_card(plan), idle=idle)


def _is_tight(memory: Memory) -> bool:
    return memory.vram_free < memory.reserve or any(card.free < TIGHT_BYTES for card in memory.cards)


def _on_card(plan: Plan) -> tuple[int, int]:
    return (plan.layout.layers, plan.vram)


def _since(before: float | None, holds: bool, now: float) -> float | None:
    """Since when it holds without a break."""
    if not holds:
        return None
    return now if before is None else before
