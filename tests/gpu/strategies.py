"""Any model and any machine."""

from hypothesis import strategies as st

from aimark_daemon.gpu.facts import LayerFacts, ModelFacts
from aimark_daemon.gpu.plan import Card, Memory, Wish

GIB = 1 << 30
sizes = st.integers(0, 24 * GIB)


@st.composite
def layer_facts(draw) -> LayerFacts:
    weights = draw(st.integers(1, GIB))
    attention = draw(st.booleans())
    return LayerFacts(
        weights=weights,
        experts=draw(st.integers(0, weights)) if draw(st.booleans()) else 0,
        k=draw(st.integers(0, 256)) * 32 if attention else 0,
        v=draw(st.integers(0, 256)) * 32 if attention else 0,
        window=draw(st.sampled_from([0, 512, 4096])),
        state=0 if attention else draw(st.integers(0, 1 << 22)),
    )


@st.composite
def model_facts(draw) -> ModelFacts:
    kinds = draw(st.lists(layer_facts(), min_size=1, max_size=3))
    layers = tuple(kinds[n % len(kinds)] for n in range(draw(st.integers(1, 80))))
    output = draw(st.integers(0, GIB))
    return ModelFacts(
        architecture="any",
        layers=layers,
        output=output,
        input=draw(st.integers(0, GIB)),
        largest=draw(st.integers(0, min(layer.weights for layer in layers))),
        context=draw(st.sampled_from([0, 512, 4096, 131_072])),
        vocabulary=draw(st.integers(1, 262_144)),
        embedding=draw(st.integers(1, 8192)),
        feed_forward=draw(st.integers(0, 32_768)),
        quantisable=draw(st.booleans()),
        tied=draw(st.sampled_from([0, output])),
        mmproj=draw(st.sampled_from([0, GIB])),
    )


@st.composite
def cards(draw) -> Card:
    free = draw(sizes)
    return Card(free, draw(st.sampled_from([0, free, free + GIB])))


memories = st.builds(
    Memory,
    cards=st.lists(cards(), max_size=3).map(tuple),
    ram_free=sizes,
    reserve=st.one_of(st.just(0), sizes),
    offload=st.sampled_from([True, True, True, False]),
)
wishes = st.builds(
    Wish,
    context=st.sampled_from([256, 2048, 4096, 32_768]),
    gpu_layers=st.one_of(st.just("auto"), st.integers(0, 100)),
    ubatch=st.sampled_from([128, 256, 512]),
    sequences=st.integers(1, 4),
    threads=st.integers(0, 8),
    swa_full=st.booleans(),
)
