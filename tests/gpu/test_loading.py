"""Whatever happens, loading ends after a few starts: ready, on the processor, or with one fault."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.engines.crashes import CRASHES
from aimark_daemon.engines.faults import LLM_OUT_OF_MEMORY, MODEL_INVALID
from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.facts import MIB
from aimark_daemon.gpu.loading import (
    HEALTHY_S,
    SETTLE_S,
    Began,
    Ended,
    GiveUp,
    Loaded,
    Loading,
    LoadState,
    Measured,
    Remember,
    Settle,
    Spawned,
    Start,
    Unloaded,
    Worked,
)
from aimark_daemon.gpu.plan import CONTEXT_BYTES, SLACK_BYTES, Card, Memory, Wish
from aimark_daemon.gpu.recall import LastGood
from aimark_daemon.workers.faults import CRASHED
from bench.plan_table import CARDS_GB, SHAPES, climb, facts_of
from tests.gpu.strategies import GIB, memories, model_facts, wishes

FOUR_B = facts_of(SHAPES["4B"])
OOM = LLM_OUT_OF_MEMORY.fault("allocating 100.00 MiB on device 0: cudaMalloc failed: out of memory")
CRASH = CRASHED.fault("SIGSEGV", name="llm")
BROKEN = MODEL_INVALID.fault(path="모델.gguf")


def card(free_gb):
    return Memory(cards=(Card(round(free_gb * GIB), 8 * GIB),), ram_free=16 * GIB)


def loading(memory, facts=FOUR_B, **wish):
    machine = Loading(facts, Wish(**wish))
    return machine, machine.step(Began(memory), 0.0).plan


ends = st.one_of(
    st.just(None),
    st.builds(Ended, st.just(OOM), st.just(True), wanted=st.one_of(st.none(), st.integers(1, 16 * GIB))),
    st.builds(Ended, st.just(CRASH), counts=st.booleans()),
    st.builds(Ended, st.just(BROKEN), heals=st.just(False)),
)


@given(
    facts=model_facts(),
    wish=wishes,
    before=memories,
    script=st.lists(st.tuples(ends, ends, st.lists(memories, min_size=1, max_size=4)), min_size=1, max_size=40),
)
def test_any_failures_and_any_free_memory_end_after_a_few_starts(facts, wish, before, script):
    """Each step: how loading ends, how working ends, what is free while memory settles. Kills from outside repeat."""
    machine = Loading(facts, wish)
    follows = machine.step(Began(before), 0.0)
    measures = [follows.plan.measure]
    own_fault, now = 0, 0.0
    for at_load, at_work, free in script:
        machine.step(Spawned(), now)
        end = at_load
        if at_load is None:
            follows = machine.step(Loaded(before), now)
            assert machine.state is LoadState.READY
            if follows is not None:
                assert isinstance(follows, Remember)
            machine.step(Worked(True), now)
            end = at_work
        if end is None:
            machine.step(Worked(False), now)
            assert machine.state is LoadState.READY
            return
        own_fault += end.out_of_memory or end.counts
        follows = machine.step(end, now)
        if isinstance(follows, Settle):
            assert follows.until == now + SETTLE_S
            for memory in free:
                now += SETTLE_S / 4
                follows = machine.step(Measured(memory), now)
                if not isinstance(follows, Settle):
                    break
            else:
                now += SETTLE_S
                follows = machine.step(Measured(free[-1]), now)
            assert not isinstance(follows, Settle), "five seconds are the most"
        if isinstance(follows, GiveUp):
            assert machine.state in (LoadState.FAILED, LoadState.DEGRADED)
            return
        if isinstance(follows, Start):
            assert follows.plan.measure < measures[-1]
            measures.append(follows.plan.measure)
        else:
            assert machine.state is LoadState.CRASHED
    assert len(measures) <= 7
    assert own_fault < 7 + 2 * CRASHES


def test_a_model_that_fits_is_ready_and_its_plan_is_remembered_with_what_it_took():
    machine, plan = loading(card(8))
    assert machine.state is LoadState.SPAWN
    machine.step(Spawned(), 0.1)
    assert machine.state is LoadState.LOAD
    kept = machine.step(Loaded(card(4)), 1.0)
    assert kept == Remember(LastGood(plan, 4 * GIB, 8 * GIB))
    machine.step(Worked(True), 2.0)
    assert machine.state is LoadState.BUSY


def test_memory_is_waited_for_and_then_the_next_rung_is_tried():
    machine, plan = loading(card(8))
    machine.step(Spawned(), 0.0)
    assert machine.step(Ended(OOM, out_of_memory=True), 10.0) == Settle(15.0)
    assert machine.step(Measured(card(5)), 10.2) == Settle(15.0)
    follows = machine.step(Measured(card(7.99)), 10.4)
    assert isinstance(follows, Start)
    assert follows.plan.vram < plan.vram
    assert follows.plan.attempt == 1


def test_after_five_seconds_what_is_free_is_what_there_is():
    machine, plan = loading(card(8))
    machine.step(Ended(OOM, out_of_memory=True), 10.0)
    follows = machine.step(Measured(card(2.5)), 15.0)
    assert isinstance(follows, Start)
    assert follows.plan.vram <= 2.5 * GIB - CONTEXT_BYTES - SLACK_BYTES
    assert follows.plan.layout.layers < plan.layout.layers


def test_without_a_card_nothing_is_waited_for():
    machine, plan = loading(Memory(ram_free=GIB, offload=False))
    machine.step(Ended(OOM, out_of_memory=True), 10.0)
    follows = machine.step(Measured(Memory(ram_free=GIB, offload=False)), 10.0)
    assert (follows.plan.layout.layers, follows.plan.layout.n_ctx) == (0, 2048)
    machine.step(Ended(OOM, out_of_memory=True), 11.0)
    assert machine.step(Measured(Memory(ram_free=GIB, offload=False)), 11.0) == GiveUp(OOM)
    assert machine.state is LoadState.FAILED
    assert plan.layout.n_ctx == 4096


def test_the_size_of_all_weights_is_not_taken_for_what_was_missing():
    machine, plan = loading(card(8))
    machine.step(Ended(OOM, out_of_memory=True, wanted=plan.vram), 0.0)
    assert machine.step(Measured(card(8)), 0.0).plan.layout.layers > 0


def test_a_broken_model_is_given_up_at_once():
    machine, _ = loading(card(8))
    assert machine.step(Ended(BROKEN, heals=False), 0.0) == GiveUp(BROKEN)
    assert machine.state is LoadState.FAILED


def test_three_crashes_in_five_minutes_leave_the_card_and_three_more_the_model():
    machine, _ = loading(card(8))
    for at in (0.0, 100.0):
        assert machine.step(Ended(CRASH), at) is None
        machine.step(Spawned(), at)
    follows = machine.step(Ended(CRASH), 200.0)
    assert (follows.plan.layout.layers, follows.plan.vram) == (0, 0)
    assert "crashed again and again" in follows.plan.reason.en
    for at in (210.0, 220.0):
        assert machine.step(Ended(CRASH), at) is None
    follows = machine.step(Ended(CRASH), 230.0)
    assert follows.fault.code == "worker_keeps_crashing"
    assert machine.state is LoadState.DEGRADED
    machine.step(Spawned(), 300.0)
    assert machine.step(Ended(CRASH), 301.0) is None, "who starts it anew begins to count anew"


def test_crashes_far_apart_or_caused_from_outside_do_not_add_up():
    machine, _ = loading(card(8))
    for at in range(0, 5000, 301):
        assert machine.step(Ended(CRASH), float(at)) is None
    for _ in range(50):
        assert machine.step(Ended(CRASH, counts=False), 5000.0) is None


def test_after_five_good_minutes_a_failure_is_a_first_one():
    def second_rung(healthy_s):
        machine, _ = loading(card(8))
        machine.step(Ended(OOM, out_of_memory=True), 0.0)
        machine.step(Measured(card(8)), 0.0)
        machine.step(Spawned(), 0.0)
        machine.step(Loaded(card(5)), 1.0)
        machine.step(Ended(OOM, out_of_memory=True), 1.0 + healthy_s)
        return machine.step(Measured(card(8)), 1.0 + healthy_s).plan.attempt

    assert (second_rung(HEALTHY_S), second_rung(HEALTHY_S - 1)) == (1, 2)


@pytest.mark.parametrize("happening", [Loaded(card(1)), Worked(True), Measured(card(1)), Ended(OOM)])
def test_what_cannot_happen_is_an_error(happening):
    machine = Loading(FOUR_B, Wish())
    with pytest.raises(ValueError, match="in state absent"):
        machine.step(happening, 0.0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", CARDS_GB)
@pytest.mark.parametrize("error", [0.8, 1.0, 1.5, 3.0])
def test_every_model_loads_on_every_card_however_wrong_the_estimate(shape, size, error):
    tried, loaded = climb(facts_of(SHAPES[shape]), size * GIB, 400 * MIB, error, Wish())
    assert loaded
    assert len(tried) <= 5
    assert error > 1 or len(tried) == 1
    assert all(after.vram < before.vram for before, after in pairwise(tried))


def remembered(plan, taken, free):
    return Loading(FOUR_B, Wish(), LastGood(plan, round(taken * GIB), round(free * GIB)))


def stepped_down():
    machine, plan = loading(card(5))
    machine.step(Ended(OOM, out_of_memory=True), 0.0)
    return plan, machine.step(Measured(card(5)), 0.0).plan


def test_a_plan_that_stepped_down_is_begun_with_next_time():
    _, lower = stepped_down()
    plan = remembered(lower, 4, 5).step(Began(card(5)), 0.0).plan
    assert (plan.layout, plan.attempt) == (lower.layout, 0)
    assert "as it worked last time" in plan.reason.en


def test_a_plan_that_stepped_down_is_forgotten_when_there_is_far_more_room():
    first, lower = stepped_down()
    assert remembered(lower, 4, 5).step(Began(card(7)), 0.0).plan.vram >= first.vram


def test_a_plan_that_does_not_fit_any_more_is_not_tried():
    _, lower = stepped_down()
    assert remembered(lower, 4, 5).step(Began(card(4)), 0.0).plan.layout != lower.layout


def test_a_plan_of_another_wish_or_another_model_is_not_taken():
    _, lower = stepped_down()
    other = msgspec.structs.replace(lower, vram=lower.vram + 1)
    foreign = msgspec.structs.replace(lower, wish=Wish(context=512))
    for last in (other, foreign):
        assert "last time" not in remembered(last, 1, 5).step(Began(card(5)), 0.0).plan.reason.en


def test_the_card_is_left_alone_as_long_as_that_is_asked_for():
    machine, on_card = loading(card(8))
    away = machine.step(Began(card(8), reasons.game_mode()), 1.0).plan
    assert (away.layout.layers, away.reason, machine.away) == (0, reasons.game_mode(), True)
    assert not machine.held_back
    assert machine.step(Began(card(8)), 2.0).plan == on_card
    assert not machine.away


def test_a_model_is_held_back_while_more_of_it_would_go_to_the_card_if_there_were_room():
    assert not loading(card(8))[0].held_back
    assert loading(card(2))[0].held_back
    assert loading(card(0.5))[0].held_back
    assert not loading(card(2), gpu_layers=4)[0].held_back
    assert not loading(Memory(ram_free=16 * GIB))[0].held_back


def test_what_crashed_on_the_card_again_and_again_stays_off_it_however_often_it_is_loaded_anew():
    machine, _ = loading(card(8))
    for _ in range(CRASHES):
        machine.step(Spawned(), 1.0)
        machine.step(Loaded(card(4)), 2.0)
        machine.step(Ended(CRASH), 3.0)
    machine.step(Unloaded(), 4.0)
    assert machine.state is LoadState.ABSENT
    assert not machine.may(Ended)
    again = machine.step(Began(card(8)), 900.0).plan
    assert (again.layout.layers, again.reason) == (0, reasons.after_crashes())
    assert not machine.held_back
    assert machine.foresee(card(8)).layout.layers == 0


def test_what_is_foreseen_is_what_a_load_then_does():
    machine, first = loading(card(8))
    machine.step(Spawned(), 1.0)
    machine.step(Loaded(card(4)), 2.0)
    for free in (8, 5, 3, 1):
        foreseen = machine.foresee(card(free))
        assert machine.step(Began(card(free)), 3.0).plan == foreseen
        assert foreseen.vram <= first.vram
