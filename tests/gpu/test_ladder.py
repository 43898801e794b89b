"""Every rung is lower than the one before, there are only a few, and the last ones are on the processor."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.gpu.facts import MIB, LayerFacts
from aimark_daemon.gpu.ladder import CONTEXT_FLOOR, next_plan
from aimark_daemon.gpu.plan import Card, Memory, Wish, plan
from bench.plan_table import SHAPES, facts_of
from tests.gpu.strategies import GIB, memories, model_facts, wishes

deficits = st.one_of(st.none(), st.integers(-GIB, 32 * GIB))


@given(facts=model_facts(), memory=memories, wish=wishes, missing=st.lists(deficits, min_size=8, max_size=8))
def test_each_rung_is_lower_and_the_ladder_ends_on_the_processor(facts, memory, wish, missing):
    rungs = [plan(facts, memory, wish)]
    for deficit in missing:
        lower = next_plan(rungs[-1], facts, deficit)
        if lower is None:
            break
        assert lower.measure < rungs[-1].measure
        assert lower.attempt == rungs[-1].attempt + 1
        rungs.append(lower)
    else:
        pytest.fail("there was always another rung")
    assert rungs[-1].layout.layers == 0
    assert len(rungs) <= 6
    assert all(rung.layout.n_ctx >= min(CONTEXT_FLOOR, rungs[0].layout.n_ctx) for rung in rungs)


@given(facts=model_facts(), wish=wishes, deficit=st.integers(1, 8 * GIB))
def test_a_rung_frees_what_was_missing_or_leaves_the_card(facts, wish, deficit):
    first = plan(facts, Memory(cards=(Card(64 * GIB),)), msgspec.structs.replace(wish, gpu_layers="auto"))
    lower = next_plan(first, facts, deficit)
    if first.layout.layers and lower is not None and lower.layout.layers:
        assert first.vram - lower.vram >= min(deficit, first.vram)


def test_layers_without_attention_free_less_than_the_average_one():
    plain = LayerFacts(weights=MIB, experts=0, k=0, v=0, window=0, state=0)
    attending = msgspec.structs.replace(plain, k=4800, v=2656)
    facts = msgspec.structs.replace(EIGHT_B, layers=(plain, plain, attending) * 8, quantisable=False)
    first = plan(facts, Memory(cards=(Card(64 * GIB),)), Wish(context=16_384))
    for missing in range(8 * MIB, first.vram, 8 * MIB):
        lower = next_plan(first, facts, missing)
        assert first.vram - lower.vram >= missing or lower.layout.layers == 0


EIGHT_B = facts_of(SHAPES["8B"])
FULL = plan(EIGHT_B, Memory(cards=(Card(12 * GIB),)), Wish())


def changed(plan, lower):
    return {name for name in plan.layout.__struct_fields__ if getattr(plan.layout, name) != getattr(lower.layout, name)}


@pytest.mark.parametrize(
    ("deficit", "what"),
    [
        (100 * MIB, {"n_ubatch"}),
        (400 * MIB, {"n_ubatch", "kv"}),
        (600 * MIB, {"n_ubatch", "kv", "n_ctx"}),
        (1500 * MIB, {"n_ubatch", "kv", "n_ctx", "layers"}),
    ],
)
def test_what_costs_little_is_given_up_first(deficit, what):
    lower = next_plan(FULL, EIGHT_B, deficit)
    assert changed(FULL, lower) == what


def test_layers_are_left_out_by_what_is_missing_and_one_more():
    lower = next_plan(FULL, EIGHT_B, 2000 * MIB)
    freed = FULL.vram - lower.vram
    assert freed >= 2000 * MIB
    assert freed - 2000 * MIB < 2.2 * EIGHT_B.layers[0].weights


def test_the_third_failure_halves_the_layers_and_the_fourth_leaves_the_card():
    second = next_plan(next_plan(FULL, EIGHT_B, MIB), EIGHT_B, MIB)
    third = next_plan(second, EIGHT_B, MIB)
    assert third.layout.layers == second.layout.layers // 2
    fourth = next_plan(third, EIGHT_B, MIB)
    assert fourth.layout.layers == 0
    assert fourth.layout.n_ctx == 4096, "the processor gets the whole context"
    fifth = next_plan(fourth, EIGHT_B, MIB)
    assert (fifth.layout.n_ctx, fifth.layout.kv) == (CONTEXT_FLOOR, "q8_0")
    assert next_plan(fifth, EIGHT_B, MIB) is None


def test_a_rung_says_that_memory_ran_out_and_what_became_of_the_context():
    lower = next_plan(FULL, EIGHT_B, 1500 * MIB)
    assert lower.reason.en.endswith("with a context of 2048 tokens, because memory ran out with more.")
    assert "컨텍스트는 2048토큰으로 줄였습니다" in lower.reason.ko
    assert "context" not in next_plan(FULL, EIGHT_B, MIB).reason.en


def test_experts_leave_the_card_before_layers_do():
    moe = facts_of(SHAPES["1.7B"], experts=8)
    first = plan(moe, Memory(cards=(Card(24 * GIB),)), Wish())
    lower = next_plan(first, moe, 3 * GIB)
    assert (lower.layout.experts_on_cpu, lower.layout.layers) == (True, 28)
