"""The good neighbour's decisions: for any course of events it never flaps, never hurries, and never disturbs a turn."""

import functools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.gpu.facts import MIB
from aimark_daemon.gpu.loading import Began, Loaded, Loading, Spawned
from aimark_daemon.gpu.neighbour import (
    APART_S,
    GAP_S,
    ROOM_S,
    SPARE_BYTES,
    TIGHT_BYTES,
    TIGHT_S,
    Change,
    Look,
    Neighbour,
    look_at,
)
from aimark_daemon.gpu.plan import Card, Memory, Wish, plan
from bench.plan_table import SHAPES, facts_of
from tests.gpu.strategies import GIB, model_facts

FOUR_B = facts_of(SHAPES["4B"])
TIGHT, ROOMY, QUIET = Look(tight=True), Look(roomy=True), Look()
BUSY_TIGHT, BUSY_ROOMY = Look(tight=True, idle=False), Look(roomy=True, idle=False)

looks = st.builds(Look, tight=st.booleans(), roomy=st.booleans(), idle=st.booleans())
moments = st.lists(st.tuples(looks, st.floats(0.1, 40)), max_size=200)


def after(*steps):
    """What is decided at the last of (look, seconds since the one before)."""
    neighbour, now, change = Neighbour(), 0.0, None
    for look, seconds in steps:
        now += seconds
        change = neighbour.look(look, now)
    return change


@given(moments, st.booleans())
def test_changes_lie_apart_come_only_while_nobody_asks_and_growth_only_after_a_minute_of_room(steps, done):
    neighbour, now, last, roomy_for, tight_for = Neighbour(), 0.0, None, None, None
    for look, seconds in steps:
        now += seconds
        if seconds > GAP_S:
            roomy_for = tight_for = None
        roomy_for = (now if roomy_for is None else roomy_for) if look.roomy and look.idle else None
        tight_for = (now if tight_for is None else tight_for) if look.tight else None
        change = neighbour.look(look, now)
        if change is None:
            continue
        assert look.idle
        assert last is None or now - last >= APART_S
        if change is Change.GROW:
            assert now - roomy_for >= ROOM_S
        else:
            assert now - tight_for >= TIGHT_S
        if done:
            neighbour.changed(now)
            last, roomy_for, tight_for = now, None, None


def test_it_makes_room_when_it_is_tight_at_two_looks():
    assert after((TIGHT, 0)) is None
    assert after((TIGHT, 0), (TIGHT, TIGHT_S)) is Change.SHRINK
    assert after((TIGHT, 0), (QUIET, 1), (TIGHT, 1)) is None


def test_it_makes_room_as_soon_as_the_turn_has_ended():
    assert after((BUSY_TIGHT, 0), (BUSY_TIGHT, 10)) is None
    assert after((BUSY_TIGHT, 0), (BUSY_TIGHT, 10), (TIGHT, 0)) is Change.SHRINK


def test_a_minute_with_a_question_in_it_is_no_idle_minute():
    assert after((ROOMY, 0), (ROOMY, 20), (ROOMY, 20), (ROOMY, 20)) is Change.GROW
    assert after((ROOMY, 0), (ROOMY, 20), (BUSY_ROOMY, 10), (ROOMY, 10), (ROOMY, 20)) is None


def test_a_sleep_of_the_computer_is_no_minute_of_room():
    assert after((ROOMY, 0), (ROOMY, 8 * 3600)) is None


def test_a_decision_that_could_not_be_carried_out_stands():
    neighbour = Neighbour()
    neighbour.look(TIGHT, 0)
    assert neighbour.look(TIGHT, 10) is neighbour.look(TIGHT, 11) is Change.SHRINK
    neighbour.changed(11)
    assert neighbour.look(TIGHT, 12) is None


def test_a_load_by_others_makes_it_look_afresh_but_not_more_often():
    neighbour = Neighbour()
    neighbour.look(TIGHT, 0)
    neighbour.loaded()
    assert neighbour.look(TIGHT, 10) is None
    assert neighbour.look(TIGHT, 12) is Change.SHRINK


def test_only_a_plan_that_takes_less_is_worth_making_room_for():
    now = plan(FOUR_B, Memory(cards=(Card(6 * GIB, 8 * GIB),)), Wish())
    lower = plan(FOUR_B, Memory(cards=(Card(2 * GIB, 8 * GIB),)), Wish())
    full = Memory(cards=(Card(TIGHT_BYTES - 1, 8 * GIB),))
    assert look_at(now, full, lambda _spare: lower, idle=True).tight
    assert not look_at(now, full, lambda _spare: now, idle=True).tight
    assert not look_at(now, full, lambda _spare: None, idle=True).tight
    reserved = Memory(cards=(Card(900 * MIB, 8 * GIB),), reserve=GIB)
    assert look_at(now, reserved, lambda _spare: lower, idle=True).tight


def test_where_it_is_neither_tight_nor_roomy_nothing_is_planned():
    now = plan(FOUR_B, Memory(cards=(Card(6 * GIB, 8 * GIB),)), Wish())

    def foresee(_spare):
        raise AssertionError("nobody needs to know")

    assert look_at(now, Memory(cards=(Card(SPARE_BYTES, 8 * GIB),)), foresee, idle=True) == QUIET


class Machine:
    """A card that other programs share, and a model on it that follows the neighbour."""

    def __init__(self, facts, total, wish):
        self.total, self.others, self.now = total, 0, 0.0
        self.loading, self.neighbour = Loading(facts, wish), Neighbour()
        self.changes = []
        self.load()

    def memory(self, own):
        return Memory(cards=(Card(max(0, self.total - self.others - own), self.total),), reserve=self.reserve)

    reserve = 0

    @property
    def own(self):
        made = self.loading.plan
        return made.vram + 300 * MIB if made.layout.layers else 0

    def load(self):
        self.loading.step(Began(self.memory(0)), self.now)
        self.loading.step(Spawned(), self.now)
        self.loading.step(Loaded(self.memory(self.own)), self.now)

    def run(self, seconds, *, idle=True):
        @functools.cache
        def foreseen(memory, _changes):
            return self.loading.foresee(memory)

        def foresee(spare):
            memory = msgspec.structs.replace(self.memory(0), reserve=self.reserve + spare)
            return foreseen(memory, len(self.changes))

        for _ in range(int(seconds // 10)):
            self.now += 10
            seen = look_at(self.loading.plan, self.memory(self.own), foresee, idle=idle)
            if (change := self.neighbour.look(seen, self.now)) is not None:
                layers = self.loading.plan.layout.layers
                self.load()
                self.neighbour.changed(self.now)
                self.changes.append((change, layers, self.loading.plan.layout.layers))


@settings(max_examples=60, deadline=None)
@given(
    facts=model_facts(),
    total=st.integers(1, 24).map(lambda gib: gib * GIB),
    reserve=st.sampled_from([0, GIB]),
    held=st.lists(st.integers(0, 24 * GIB), min_size=1, max_size=4),
)
def test_while_nothing_changes_on_the_card_the_model_changes_once_at_most(facts, total, reserve, held):
    machine = Machine(facts, total, Wish())
    machine.reserve = reserve
    machine.run(600)
    for others in held:
        machine.others, machine.changes = min(others, total), []
        machine.run(900)
        assert len(machine.changes) <= 1, machine.changes
        for change, before, now in machine.changes:
            assert now >= before if change is Change.GROW else now <= before


def test_a_game_takes_the_card_and_gives_it_back():
    machine = Machine(FOUR_B, 6 * GIB, Wish())
    everything = machine.loading.plan.layout.layers
    machine.run(600)
    machine.others = 4 * GIB
    machine.run(600)
    assert [change for change, _, _ in machine.changes] == [Change.SHRINK]
    assert machine.loading.plan.layout.layers < everything
    machine.others = 0
    machine.run(50)
    assert len(machine.changes) == 1
    machine.run(120)
    assert machine.changes[1][0] is Change.GROW
    assert machine.loading.plan.layout.layers == everything


def test_a_program_that_comes_and_goes_every_half_minute_makes_the_model_small_once():
    machine = Machine(FOUR_B, 6 * GIB, Wish())
    for turn in range(60):
        machine.others = 4 * GIB if turn % 2 else 0
        machine.run(30)
    assert [change for change, _, _ in machine.changes] == [Change.SHRINK]
