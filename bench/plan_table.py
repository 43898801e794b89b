"""Table of plans: models of four sizes on cards of 2 to 12 GB, and the rungs taken when estimates are too low.

`python bench/plan_table.py [--error 1.5] [--held 0.4]` prints Markdown. The cards are simulated: a plan fails when what
it really takes, `error` times the estimate and the driver's context, is more than the card has. No card is touched.
"""

from __future__ import annotations

import argparse

from aimark_daemon.engines.faults import LLM_OUT_OF_MEMORY
from aimark_daemon.errors import Text
from aimark_daemon.gpu.facts import LayerFacts, ModelFacts
from aimark_daemon.gpu.loading import Began, Ended, GiveUp, Loaded, Loading, Measured, Settle, Spawned, Start
from aimark_daemon.gpu.plan import CONTEXT_BYTES, Card, Memory, Plan, Wish

GIB = 1 << 30
BITS = 4.85
"""Of a weight in Q4_K_M, on average."""
Shape = tuple[int, int, int, int, int, int]
SHAPES: dict[str, Shape] = {
    "0.5B": (24, 896, 4864, 896, 128, 151_936),
    "1.7B": (28, 2048, 6144, 2048, 1024, 151_936),
    "4B": (36, 2560, 9728, 4096, 1024, 151_936),
    "8B": (36, 4096, 12_288, 4096, 1024, 151_936),
}
"""Layers, embedding, feed-forward, width of queries, width of keys and of values, vocabulary."""
CARDS_GB = (2, 3, 4, 6, 8, 12)


def facts_of(shape: Shape, experts: int = 0) -> ModelFacts:
    """Synthetic facts of a dense model, or one whose feed-forward is `experts` times as large and routed."""
    layers, width, inner, queries, keys, vocabulary = shape

    def size(weights: int) -> int:
        return round(weights * BITS / 8)

    attention = size(width * (2 * queries + 2 * keys))
    forward = size(3 * width * inner * max(1, experts))
    layer = LayerFacts(weights=attention + forward, experts=forward if experts else 0, k=keys, v=keys)
    return ModelFacts(
        architecture="synthetic",
        layers=(layer,) * layers,
        output=size(width * vocabulary),
        input=size(width * vocabulary),
        largest=forward // 3,
        context=32_768,
        vocabulary=vocabulary,
        embedding=width,
        feed_forward=inner,
    )


def climb(facts: ModelFacts, card: int, held: int, error: float, wish: Wish) -> tuple[list[Plan], bool]:
    """The plans that a loader tries on a simulated card, and whether the last one loads."""
    free = Memory(cards=(Card(card - held, card),), ram_free=64 * GIB)
    loading = Loading(facts, wish)
    follows = loading.step(Began(free), 0.0)
    tried: list[Plan] = []
    while isinstance(follows, Start):
        tried.append(follows.plan)
        loading.step(Spawned(), 0.0)
        takes = round(follows.plan.vram * error) + CONTEXT_BYTES if follows.plan.vram else 0
        if takes <= card - held:
            loading.step(Loaded(free), 0.0)
            return tried, True
        follows = loading.step(Ended(LLM_OUT_OF_MEMORY.fault(), out_of_memory=True), 0.0)
        while isinstance(follows, Settle):
            follows = loading.step(Measured(free), 0.0)
    assert isinstance(follows, GiveUp)
    return tried, False


def short(plan: Plan) -> str:
    """A plan in a cell."""
    layout = plan.layout
    if layout.layers == 0:
        return "CPU"
    return f"{layout.layers}/{plan.all_layers}, {layout.n_ubatch}, {layout.kv}, {layout.n_ctx}"


def table(error: float, held: float = 0.4, context: int = 4096) -> list[str]:
    """The lines of a Markdown table: what is tried on each card that is taken by `held` GB, one plan below another."""
    wish = Wish(context=context, ubatch=512)
    lines = ["| model | " + " | ".join(f"{size} GB" for size in CARDS_GB) + " |", "| --- " * (len(CARDS_GB) + 1) + "|"]
    for name, shape in SHAPES.items():
        cells = []
        for size in CARDS_GB:
            tried, loaded = climb(facts_of(shape), size * GIB, round(held * GIB), error, wish)
            cells.append("<br>".join(map(short, tried)) + ("" if loaded else "<br>failed"))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=Text(__doc__ or "", "").en)
    parser.add_argument("--error", type=float, default=1.5, help="what is really taken, by what is expected")
    parser.add_argument("--held", type=float, default=0.4, help="GB that the desktop holds")
    parser.add_argument("--context", type=int, default=4096)
    arguments = parser.parse_args()
    for title, error in (
        ("As estimated", 1.0),
        (f"Estimates too low by a factor of {arguments.error}", arguments.error),
    ):
        print(f"\n{title}, {arguments.held} GB held by the desktop, context {arguments.context}\n")
        print("\n".join(table(error, arguments.held, arguments.context)))


if __name__ == "__main__":
    main()
