"""Plans never take more than there is, keep the context, and say why in both languages."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.gpu.facts import Layout, compute_bytes, vram_bytes
from aimark_daemon.gpu.plan import CONTEXT_BYTES, CPU_UBATCH, SLACK_BYTES, Card, Memory, Wish, budget, plan
from bench.plan_table import SHAPES, facts_of
from tests.gpu.strategies import GIB, memories, model_facts, sizes, wishes

FOUR_B = facts_of(SHAPES["4B"])


def card(free_gb, total_gb=0, **more):
    return Memory(cards=(Card(round(free_gb * GIB), round(total_gb * GIB)),), ram_free=16 * GIB, **more)


free_wishes = wishes.map(lambda wish: msgspec.structs.replace(wish, gpu_layers="auto"))


@given(facts=model_facts(), memory=memories, wish=free_wishes)
def test_a_plan_never_takes_more_than_the_budget(facts, memory, wish):
    made = plan(facts, memory, wish)
    if memory.cards:
        assert made.vram <= budget(facts, memory, made.layout)
        assert made.vram <= max(0, memory.vram_free - memory.reserve)
    assert made.vram == vram_bytes(facts, made.layout)
    assert 0 <= made.layout.layers <= len(facts.layers)
    assert made.layout.n_ctx == (min(wish.context, facts.context) if facts.context else wish.context)


@given(facts=model_facts(), free=sizes, more=sizes, wish=free_wishes)
def test_more_free_memory_never_puts_fewer_layers_on_the_card(facts, free, more, wish):
    little, much = (plan(facts, Memory(cards=(Card(size),)), wish) for size in (free, free + more))
    assert much.layout.layers >= little.layout.layers


@given(facts=model_facts(), wish=wishes, layers=st.integers(1, 80), context=st.integers(256, 65_536))
def test_expected_bytes_grow_with_layers_context_and_batch(facts, wish, layers, context):
    layers = min(layers, len(facts.layers))
    layout = Layout(layers=layers, n_ctx=context, n_ubatch=256, sequences=wish.sequences, swa_full=wish.swa_full)

    def larger(**changes):
        return vram_bytes(facts, msgspec.structs.replace(layout, **changes))

    size = vram_bytes(facts, layout)
    assert larger(layers=layers - 1) <= size
    assert larger(n_ctx=context + 256) >= size
    assert larger(n_ubatch=512) > size
    assert larger(mmproj_on_cpu=True) <= size
    if facts.quantisable:
        assert larger(kv="q8_0") <= size


@given(facts=model_facts(), memory=memories, wish=wishes)
def test_every_reason_is_a_sentence_in_both_languages(facts, memory, wish):
    reason = plan(facts, memory, wish).reason
    assert reason.en[0].isupper() or reason.en[0].isdigit()
    assert reason.en.endswith(".")
    assert reason.ko.endswith("다.")
    assert any("가" <= letter <= "힣" for letter in reason.ko)


def test_what_fits_is_wholly_on_the_card_and_one_thread_is_enough():
    made = plan(FOUR_B, card(12), Wish())
    assert (made.layout.layers, made.n_gpu_layers, made.threads) == (36, 37, 1)
    assert (made.layout.n_ubatch, made.layout.kv) == (512, "f16")
    assert made.reason.en == "All 36 layers on the GPU."


def test_lean_batches_and_an_eight_bit_context_come_before_layers_are_left_out():
    rooms = [plan(FOUR_B, card(gb / 100), Wish()).layout for gb in range(600, 200, -2)]
    assert [layout.layers for layout in rooms] == sorted((layout.layers for layout in rooms), reverse=True)
    full = [(layout.n_ubatch, layout.kv) for layout in rooms if layout.layers == 36]
    assert list(dict.fromkeys(full)) == [(512, "f16"), (256, "f16"), (128, "f16"), (128, "q8_0")]
    assert {(layout.n_ubatch, layout.kv) for layout in rooms if 0 < layout.layers < 36} == {(128, "q8_0")}


def test_other_programs_are_named_with_what_they_hold():
    made = plan(FOUR_B, card(2.9, 6), Wish())
    rest = 36 - made.layout.layers
    assert made.reason.en == (
        f"{made.layout.layers} of 36 layers on the GPU, {rest} on the CPU, because 3.3 GB are held by other programs."
    )
    assert made.reason.ko == (
        f"36개 층 중 {made.layout.layers}개는 GPU에, {rest}개는 CPU에 있습니다. "
        "다른 프로그램이 3.3 GB를 쓰고 있기 때문입니다."
    )


def test_a_program_that_holds_most_of_it_is_named_also_beside_a_reserve_and_a_small_one_is_not():
    held = {"ram_free": 16 * GIB, "cards": (Card(3 * GIB, 6 * GIB),), "program": "게임.exe"}
    game = plan(FOUR_B, Memory(**held, program_bytes=2 * GIB, reserve=GIB), Wish()).reason
    assert game.en.endswith("because 게임.exe holds 2.1 GB.")
    assert game.ko.endswith("있습니다. 게임.exe 프로그램이 2.1 GB를 쓰고 있기 때문입니다.")
    several = plan(FOUR_B, Memory(**held, program_bytes=GIB), Wish()).reason
    assert several.en.endswith("because 3.2 GB are held by other programs.")


@pytest.mark.parametrize(
    ("memory", "wish", "words"),
    [
        (Memory(ram_free=GIB, offload=False), Wish(), "uses no graphics card"),
        (card(0.5), Wish(), "has 0.5 GB free"),
        (card(8, reserve=100 * GIB), Wish(), "107.4 GB of it stay reserved"),
        (card(8), Wish(gpu_layers=0), "as the settings ask"),
    ],
)
def test_on_the_processor_everything_is_as_without_a_card(memory, wish, words):
    made = plan(FOUR_B, memory, wish)
    assert (made.n_gpu_layers, made.layout.n_ubatch, made.kv_type, made.vram) == (0, CPU_UBATCH, 1, 0)
    assert made.threads == 0
    assert words in made.reason.en


def test_a_number_of_layers_is_taken_at_its_word():
    made = plan(FOUR_B, card(2), Wish(gpu_layers=20))
    assert (made.layout.layers, made.n_gpu_layers) == (20, 21)
    assert plan(FOUR_B, card(2), Wish(gpu_layers=1000)).layout.layers == 36


def test_a_card_that_nobody_can_measure_is_tried_with_everything():
    made = plan(FOUR_B, Memory(ram_free=GIB), Wish())
    assert (made.layout.layers, made.measured, made.threads) == (36, False, 0)


def test_experts_go_to_ram_before_layers_do():
    moe = facts_of(SHAPES["1.7B"], experts=8)
    made = plan(moe, card(4), Wish())
    assert (made.layout.layers, made.layout.experts_on_cpu) == (28, True)
    assert "experts on the CPU" in made.reason.en
    assert not plan(moe, card(24), Wish()).layout.experts_on_cpu


def test_several_cards_are_one_room_with_walls():
    apart = Memory(cards=(Card(3 * GIB), Card(3 * GIB)), ram_free=16 * GIB)
    layout = plan(FOUR_B, apart, Wish()).layout
    wall = max(layer.weights for layer in FOUR_B.layers) + compute_bytes(FOUR_B, layout)
    assert budget(FOUR_B, apart, layout) == 2 * (3 * GIB - CONTEXT_BYTES - SLACK_BYTES) - wall
    assert layout.layers > plan(FOUR_B, card(3), Wish()).layout.layers
    small = Memory(cards=(Card(3 * GIB), Card(100)), ram_free=16 * GIB)
    assert budget(FOUR_B, small, layout) == budget(FOUR_B, card(3), layout)
