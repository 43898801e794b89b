"""Model facts: what of a model takes how many bytes, and where. Pure; `gpu.gguf` reads them from a file.

Sizes follow llama.cpp 0c1e57098: where layers, cache and buffers go is read in its source; cache and compute buffers
are compared with its log in the tests, on the processor. On graphics cards they are untested.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

MIB: Final = 1 << 20
KvType = Literal["f16", "q8_0"]
_BLOCK: Final = 32
_BYTES_A_BLOCK: Final[dict[KvType, int]] = {"f16": 64, "q8_0": 34}
_CELLS: Final = 256
"""The cache has a multiple of this many cells."""


class LayerFacts(msgspec.Struct, frozen=True):
    """One repeating layer: bytes of its weights, elements that it caches for each token."""

    weights: int
    experts: int = 0
    """Of `weights`, those of routed experts."""
    k: int = 0
    v: int = 0
    window: int = 0
    """Tokens that its attention looks back; 0 for all."""
    state: int = 0
    """Bytes of recurrent state for each sequence."""


class ModelFacts(msgspec.Struct, frozen=True):
    """What a model needs, by part. Bytes; `layers` in the model's order."""

    architecture: str
    layers: tuple[LayerFacts, ...]
    output: int
    """Output head and norms, wherever they come from."""
    input: int
    """Token embedding; it stays in RAM."""
    largest: int
    """The largest tensor of any layer: what is copied to the card to be multiplied there, if it lives in RAM."""
    context: int
    """Tokens the model was trained for; 0 if the file does not tell."""
    vocabulary: int
    embedding: int
    feed_forward: int = 0
    quantisable: bool = True
    """Whether keys and values can be kept in blocks of 32."""
    template: bool = False
    """Whether the file has a chat template."""
    tied: int = 0
    """Of `output`, what it shares with the input: in RAM it is there once, with layers on the card twice."""
    mmproj: int = 0
    """Bytes of the image projector, if it has one."""

    @property
    def weights(self) -> int:
        """Bytes of the file's tensors, the projector left out."""
        return sum(layer.weights for layer in self.layers) + self.output + self.input - self.tied

    @property
    def experts(self) -> int:
        """Bytes of all routed experts."""
        return sum(layer.experts for layer in self.layers)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is laid out: what decides how many bytes go where."""

    layers: int
    """Repeating layers on the card: the last ones. 0: nothing is on the card."""
    n_ctx: int
    n_ubatch: int
    kv: KvType = "f16"
    experts_on_cpu: bool = False
    mmproj_on_cpu: bool = False
    sequences: int = 4
    swa_full: bool = True
    """Layers with a window cache the whole context, so that a conversation can be rewound."""


def kv_bytes(layer: LayerFacts, layout: Layout) -> int:
    """Bytes that one layer caches: keys and values of every cell, or the state of every sequence."""
    cells = padded(layout.n_ctx)
    if layer.window and not layout.swa_full:
        cells = min(cells, padded(layer.window * layout.sequences + layout.n_ubatch))
    return cells * (layer.k + layer.v) * _BYTES_A_BLOCK[layout.kv] // _BLOCK + layer.state * layout.sequences


def compute_bytes(facts: ModelFacts, layout: Layout) -> int:
    """Bytes of the buffers of one evaluation, with flash attention: logits, activations, the attention mask."""
    logits = facts.vocabulary + 2 * facts.embedding
    activations = 3 * facts.feed_forward + 6 * facts.embedding
    mask = padded(layout.n_ctx) * 3 // 2
    return layout.n_ubatch * 4 * (max(logits, activations) + mask)


def vram_bytes(facts: ModelFacts, layout: Layout) -> int:
    """Bytes on the graphics card, without the driver's own context."""
    if layout.layers <= 0:
        return 0
    on_card = facts.layers[-layout.layers :]
    weights = facts.output + sum(layer.weights for layer in on_card)
    if layout.experts_on_cpu:
        weights -= sum(layer.experts for layer in on_card)
    in_ram = layout.layers < len(facts.layers) or (layout.experts_on_cpu and facts.experts)
    return (
        weights
        + sum(kv_bytes(layer, layout) for layer in on_card)
        + compute_bytes(facts, layout)
        + (facts.largest if in_ram else 0)
        + (0 if layout.mmproj_on_cpu else facts.mmproj)
    )


def ram_bytes(facts: ModelFacts, layout: Layout) -> int:
    """Bytes in RAM: the rest of the weights (mapped from the file), its cache, and the buffers."""
    in_ram = facts.layers[: len(facts.layers) - max(0, layout.layers)]
    weights = facts.input + sum(layer.weights for layer in in_ram)
    if layout.layers <= 0:
        weights += facts.output - facts.tied + facts.mmproj
    else:
        weights += facts.mmproj if layout.mmproj_on_cpu else 0
        if layout.experts_on_cpu:
            weights += sum(layer.experts for layer in facts.layers[-layout.layers :])
    cache = sum(kv_bytes(layer, layout) for layer in in_ram)
    return weights + cache + compute_bytes(facts, layout)


def padded(tokens: int) -> int:
    """Cells of the cache for so many tokens."""
    return -(-tokens // _CELLS) * _CELLS
