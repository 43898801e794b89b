"""Planner: how a model is laid out on this machine. Pure: what is free and what is wished are arguments."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from aimark_daemon.errors import Text
from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.facts import MIB, KvType, Layout, ModelFacts, compute_bytes, ram_bytes, vram_bytes

CONTEXT_BYTES: Final = 600 * MIB
"""What the driver's own context takes on each card, as seen upstream; not measured here."""
SLACK_BYTES: Final = 320 * MIB
"""Left free on each card for pools that grow while it works."""
UBATCHES: Final = (512, 256, 128)
"""Tokens evaluated at once, from quick to lean."""
CPU_UBATCH: Final = 128
N_BATCH: Final = 512
GGML_TYPES: Final[dict[KvType, int]] = {"f16": 1, "q8_0": 8}
"""ggml.h, `ggml_type`."""


class Card(msgspec.Struct, frozen=True):
    """A graphics card. Bytes; `total` is 0 where the driver does not tell."""

    free: int
    total: int = 0


class Memory(msgspec.Struct, frozen=True):
    """What is free. `reserve` is what the user wants to keep free on the cards for other programs. Bytes."""

    cards: tuple[Card, ...] = ()
    ram_free: int = 0
    reserve: int = 0
    offload: bool = True
    """Whether the installed engine can use a graphics card at all."""
    late: bool = False
    """Whether there may be cards whose driver has not answered yet."""
    program: str = ""
    """The other program that holds most of the cards, where the driver tells."""
    program_bytes: int = 0
    """What it holds."""

    @property
    def vram_free(self) -> int:
        """Free bytes of all cards."""
        return sum(card.free for card in self.cards)

    @property
    def held(self) -> int:
        """Bytes of all cards that other programs hold."""
        return sum(max(0, card.total - card.free) for card in self.cards)


class Wish(msgspec.Struct, frozen=True):
    """What is wanted of the model."""

    context: int = 4096
    gpu_layers: int | Literal["auto"] = "auto"
    """Repeating layers on the card; a number is taken at its word."""
    ubatch: int = 512
    """The most tokens that the engine evaluates at once."""
    sequences: int = 4
    threads: int = 0
    """0: the engine's own choice."""
    swa_full: bool = True


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine is laid out in memory; `vram` and `ram` are the bytes that this is expected to take."""

    layout: Layout
    wish: Wish
    all_layers: int
    n_batch: int
    threads: int
    vram: int
    ram: int
    reason: Text
    attempt: int = 0
    """How many plans were tried and failed before this one."""
    measured: bool = True
    """False: nobody knows how much VRAM is free, so this is only a first try."""

    @property
    def n_gpu_layers(self) -> int:
        """llama.cpp's number: it counts the output head as one layer, and that one goes to the card first."""
        return self.layout.layers + 1 if self.layout.layers > 0 else 0

    @property
    def kv_type(self) -> int:
        """Ggml type of cached keys and values; both are the same."""
        return GGML_TYPES[self.layout.kv]

    @property
    def measure(self) -> tuple[int, int]:
        """What every rung of the ladder makes smaller: bytes of VRAM, then bytes of RAM."""
        return (self.vram, self.ram)


def make_plan(
    facts: ModelFacts, layout: Layout, wish: Wish, reason: Text, *, attempt: int = 0, measured: bool = True
) -> Plan:
    """The plan of a layout, with its expected bytes. What is wholly on the card needs no second thread."""
    everything = measured and 0 < layout.layers == len(facts.layers) and not layout.experts_on_cpu
    return Plan(
        layout=layout,
        wish=wish,
        all_layers=len(facts.layers),
        n_batch=max(N_BATCH, layout.n_ubatch),
        threads=wish.threads or (1 if everything else 0),
        vram=vram_bytes(facts, layout),
        ram=ram_bytes(facts, layout),
        reason=reason,
        attempt=attempt,
        measured=measured,
    )


def budget(facts: ModelFacts, memory: Memory, layout: Layout) -> int:
    """Bytes of VRAM that a plan may take: what is free without the driver's context, slack and the user's reserve.

    Each further card costs a layer, because layers are not cut, and buffers of its own.
    """
    spare = [card.free - CONTEXT_BYTES - SLACK_BYTES for card in memory.cards]
    usable = [size for size in spare if size > 0]
    largest = max(layer.weights for layer in facts.layers)
    further = max(0, len(usable) - 1) * (largest + compute_bytes(facts, layout))
    return max(0, sum(usable) - memory.reserve - further)


def plan(facts: ModelFacts, memory: Memory, wish: Wish) -> Plan:
    """The plan that is tried first.

    As many layers on the card as fit, and before layers are left out, what costs less: smaller batches, the context
    in 8 bits, the image projector in RAM, experts in RAM. The context's length is never cut here. Without a card that
    can be used, or with room for no layer, everything is on the processor.
    """
    everything = len(facts.layers)
    if wish.gpu_layers == 0:
        return cpu_plan(facts, wish, reasons.asked_for_cpu())
    if not memory.offload:
        return cpu_plan(facts, wish, reasons.driver_late() if memory.late else reasons.no_backend())
    if not memory.cards:
        layout = _layout(facts, wish, everything if wish.gpu_layers == "auto" else min(wish.gpu_layers, everything))
        return make_plan(facts, layout, wish, reasons.unmeasured(), measured=False)
    if wish.gpu_layers != "auto":
        layout = _layout(facts, wish, min(wish.gpu_layers, everything))
        return make_plan(facts, layout, wish, reasons.asked(layout.layers, everything))
    layout = _largest(facts, memory, wish)
    if layout.layers == 0:
        return cpu_plan(facts, wish, reasons.no_room(_room(memory)))
    reason = reasons.fits(layout, everything, _room(memory))
    return make_plan(facts, layout, wish, reason)


def cpu_plan(facts: ModelFacts, wish: Wish, reason: Text, attempt: int = 0) -> Plan:
    """Everything on the processor, as without a card."""
    layout = msgspec.structs.replace(_layout(facts, wish, 0), n_ubatch=min(CPU_UBATCH, wish.ubatch))
    return make_plan(facts, layout, wish, reason, attempt=attempt)


def leaner(facts: ModelFacts, layout: Layout, context_floor: int = 0) -> list[Layout]:
    """Layouts that take less without leaving out layers, each one leaner than the one before.

    The context is halved down to `context_floor` tokens on the way; 0 leaves it as it is.
    """
    steps: list[dict[str, object]] = [{"n_ubatch": size} for size in UBATCHES if size < layout.n_ubatch]
    if layout.kv == "f16" and facts.quantisable:
        steps.append({"kv": "q8_0"})
    context = layout.n_ctx
    while 0 < context_floor < context:
        context = max(context_floor, context // 2)
        steps.append({"n_ctx": context})
    if facts.mmproj and not layout.mmproj_on_cpu:
        steps.append({"mmproj_on_cpu": True})
    if facts.experts and not layout.experts_on_cpu:
        steps.append({"experts_on_cpu": True})
    layouts = []
    for step in steps:
        layout = msgspec.structs.replace(layout, **step)
        layouts.append(layout)
    return layouts


def _room(memory: Memory) -> reasons.Room:
    return reasons.Room(memory.vram_free, memory.held, memory.reserve, memory.program, memory.program_bytes)


def _layout(facts: ModelFacts, wish: Wish, layers: int) -> Layout:
    context = min(wish.context, facts.context) if facts.context else wish.context
    return Layout(layers=layers, n_ctx=context, n_ubatch=wish.ubatch, sequences=wish.sequences, swa_full=wish.swa_full)


def _largest(facts: ModelFacts, memory: Memory, wish: Wish) -> Layout:
    """The layout that fits with the most layers; among those with all layers, the least lean."""
    first = _layout(facts, wish, len(facts.layers))
    candidates = [first, *leaner(facts, first)]
    for layout in candidates:
        if vram_bytes(facts, layout) <= budget(facts, memory, layout):
            return layout
    leanest = candidates[-1]
    for layers in range(len(facts.layers), 0, -1):
        layout = msgspec.structs.replace(leanest, layers=layers)
        if vram_bytes(facts, layout) <= budget(facts, memory, layout):
            return layout
    return msgspec.structs.replace(leanest, layers=0)
