"""Saved conversations: under the cap, and put back when their session returns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.engines.llama_cache import LEAST_SAVED, SequenceCache
from aimark_daemon.engines.llama_states import Saved, SavedStates
from tests.engines.test_llm_cache import FakeCells, evaluate


class SavingCells(FakeCells):
    """A cache of few cells whose sequences can be saved: a token is a byte."""

    def __init__(self, sequences, *, rewinds=True, cells=1 << 20):
        super().__init__(sequences, rewinds=rewinds)
        self.cells = cells

    def size(self, sequence):
        return len(self.held[sequence])

    def save(self, sequence, size):
        assert size == len(self.held[sequence])
        return list(self.held[sequence])

    def restore(self, sequence, data):
        if sum(map(len, self.held)) + len(data) > self.cells:
            return False
        self.held[sequence] = list(data)
        return True


def conversation(name, length=100):
    return [1000 + ord(name), *range(length - 1)]


@given(
    st.integers(0, 100),
    st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 60), st.booleans()), max_size=40),
)
def test_saved_states_never_exceed_the_cap_and_the_oldest_goes_first(cap, steps):
    states, expected = SavedStates(cap), {}
    for session, size, take in steps:
        if take:
            saved = states.take(session)
            assert (saved.size if saved else None) == expected.pop(session, None)
        else:
            expected.pop(session, None)
            room = states.make_room(session, size)
            assert room == (0 < size <= cap)
            if room:
                while sum(expected.values()) + size > cap:
                    del expected[next(iter(expected))]
                states.put(session, Saved([], None, size))
                expected[session] = size
        assert states.size == sum(expected.values()) <= cap


def parked(size):
    return Saved([1], bytes(size), size, parked=True)


def test_parked_states_grow_old_with_the_saved_ones():
    states = SavedStates(1000)
    for name in "가나다":
        states.put(name, parked(50))
    for number in range(10):
        assert states.make_room(f"새 {number}", 100)
        states.put(f"새 {number}", Saved([], None, 100))
    assert states.take("나") is not None, "while there is room they cost nothing"
    assert states.make_room("새 10", 100)
    assert [session for session, _ in states.newest()] == [f"새 {number}" for number in range(9, 0, -1)]
    assert (states.size, states.parked) == (900, 0)


def test_parked_states_have_a_cap_of_their_own_and_the_oldest_goes_first():
    states = SavedStates(100, parked_cap=100)
    states.put("저장", Saved([], None, 100))
    for name in "가나다":
        states.put(name, parked(40))
    assert [session for session, _ in states.newest()] == ["다", "나", "저장"]
    assert (states.size, states.parked) == (100, 80)


@pytest.mark.parametrize("rewinds", [True, False])
def test_a_session_that_lost_its_sequence_goes_on_where_it_was(rewinds):
    cells = SavingCells(2, rewinds=rewinds)
    cache = SequenceCache(cells, 2, rewinds=rewinds, saved=SavedStates(1000))
    for name in "abc":
        evaluate(cells, cache.claim(name, conversation(name)), conversation(name))
    assert cache.of("a") is None
    assert cache.record("a") == conversation("a")
    longer = [*conversation("a"), 7, 8]
    assert evaluate(cells, cache.claim("a", longer), longer) == 2
    assert cells.held[cache.of("a").sequence] == longer


def test_a_saved_conversation_that_was_changed_is_reused_up_to_the_change():
    cells = SavingCells(1)
    cache = SequenceCache(cells, 1, saved=SavedStates(1000))
    for name in "ab":
        evaluate(cells, cache.claim(name, conversation(name)), conversation(name))
    changed = [*conversation("a")[:60], 5, 5]
    assert evaluate(cells, cache.claim("a", changed), changed) == 2


def test_a_model_that_cannot_rewind_is_not_given_back_what_was_changed():
    cells = SavingCells(1, rewinds=False)
    cache = SequenceCache(cells, 1, rewinds=False, saved=SavedStates(1000))
    for name in "ab":
        evaluate(cells, cache.claim(name, conversation(name)), conversation(name))
    changed = [*conversation("a")[:60], 5, 5]
    assert evaluate(cells, cache.claim("a", changed), changed) == len(changed)


def test_without_a_cap_nothing_is_saved():
    cells = SavingCells(1)
    cache = SequenceCache(cells, 1, saved=SavedStates(0))
    for name in "ab":
        evaluate(cells, cache.claim(name, conversation(name)), conversation(name))
    assert cache.record("a") == []


def test_what_is_put_back_makes_room_for_itself_at_the_cost_of_idle_sessions():
    cells = SavingCells(3, cells=250)
    cache = SequenceCache(cells, 3, saved=SavedStates(1000))
    for name in "ab":
        evaluate(cells, cache.claim(name, conversation(name)), conversation(name))
    assert cache.evict_idle(cache.of("b"))
    evaluate(cells, cache.claim("c", conversation("c")), conversation("c"))
    longer = [*conversation("a"), 1]
    assert evaluate(cells, cache.claim("a", longer), longer) == 1
    assert cache.of("b") is None
    assert cache.record("b") == conversation("b")


def test_what_does_not_fit_beside_busy_sequences_is_evaluated_again():
    cells = SavingCells(2, cells=250)
    cache = SequenceCache(cells, 2, saved=SavedStates(1000))
    evaluate(cells, cache.claim("a", conversation("a", 200)), conversation("a", 200))
    cache.evict_idle()
    busy = cache.claim("b", conversation("b"))
    evaluate(cells, busy, conversation("b"))
    slot = cache.claim("a", conversation("a", 200), [busy])
    assert slot is not busy
    assert slot.tokens == cells.held[slot.sequence] == []
    assert cells.held[busy.sequence] == conversation("b")


def test_a_short_conversation_is_not_worth_saving():
    cells = SavingCells(1)
    states = SavedStates(1000)
    cache = SequenceCache(cells, 1, saved=states)
    for name in "ab":
        prompt = conversation(name, LEAST_SAVED - 1)
        evaluate(cells, cache.claim(name, prompt), prompt)
    assert states.size == 0


def test_busy_sequences_are_never_handed_out_twice():
    cells = SavingCells(2)
    cache = SequenceCache(cells, 2)
    first = cache.claim("same", conversation("x"))
    evaluate(cells, first, conversation("x"))
    second = cache.claim("same", [*conversation("x"), 1], [first])
    assert second is not first
    assert second.tokens == conversation("x"), "but what it holds is shared"


def test_the_pinned_beginning_is_shared_and_goes_last():
    cells = SavingCells(3)
    cache = SequenceCache(cells, 2, pinned=True)
    cells.held[2].extend(range(50))
    cache.pinned.tokens.extend(range(50))
    for name in "abc":
        prompt = [*range(50), ord(name)]
        assert evaluate(cells, cache.claim(name, prompt), prompt) == 1
    assert [cache.evict_idle() for _ in range(4)] == [True, True, True, False]
    assert cells.held == [[], [], []]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(33, 300), st.integers(0, 3), st.booleans()), max_size=25),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 1000),
    st.booleans(),
)
def test_with_saving_the_record_always_equals_what_the_cache_holds(requests, sequences, rewinds, cap, compact):
    cells = SavingCells(sequences, rewinds=rewinds, cells=600)
    states = SavedStates(cap)
    cache = SequenceCache(cells, sequences, rewinds=rewinds, saved=states, compact=compact)
    for session, length, change, evict in requests:
        prompt = conversation(session, length)
        prompt[length // 2] += change
        slot = cache.claim(session, prompt)
        assert slot.tokens == prompt[: len(slot.tokens)]
        assert len(slot.tokens) < len(prompt)
        evaluate(cells, slot, prompt)
        if evict:
            cache.evict_idle(slot)
        assert states.size <= cap
        for each in cache.slots:
            assert cells.held[each.sequence] == each.tokens


def test_an_answer_has_no_idle_conversations_beside_it_that_would_slow_it():
    cells = SavingCells(4)
    cache = SequenceCache(cells, 4, saved=SavedStates(10_000), compact=True)
    for name in "abc":
        evaluate(cells, cache.claim(name, conversation(name, 400)), conversation(name, 400))
    assert [len(held) for held in cells.held].count(400) == 1, "those used before were put aside"
    for name in "abc":
        longer = [*conversation(name, 400), 1]
        assert evaluate(cells, cache.claim(name, longer), longer) == 1, "and nothing of them was lost"


def test_a_conversation_moves_together_once_others_have_left():
    cells = SavingCells(4)
    cache = SequenceCache(cells, 4, saved=SavedStates(10_000), compact=True)
    first = cache.claim("a", conversation("a", 400))
    second = cache.claim("b", conversation("b", 400), [first])
    evaluate(cells, first, conversation("a", 400))
    evaluate(cells, second, conversation("b", 400))
    assert cache.of("a") is first, "a busy one stays"
    moved = []
    cells.restore = lambda sequence, data: moved.append(sequence) or SavingCells.restore(cells, sequence, data)
    longer = [*conversation("b", 400), 1]
    assert evaluate(cells, cache.claim("b", longer), longer) == 1
    assert moved == [second.sequence]
    assert cache.of("a") is None
    assert cache.record("a") == conversation("a", 400)


def test_a_conversation_is_not_moved_where_nothing_has_left():
    cells = SavingCells(4)
    cache = SequenceCache(cells, 4, saved=SavedStates(100), compact=True)
    moved = []
    cells.restore = lambda sequence, data: moved.append(sequence) or SavingCells.restore(cells, sequence, data)
    for name in "ab":
        evaluate(cells, cache.claim(name, conversation(name, 400)), conversation(name, 400))
    prompt = conversation("a", 400)
    for turn in range(5):
        prompt.append(turn)
        assert evaluate(cells, cache.claim("a", prompt), prompt) == 1
    assert moved == []
    assert cache.of("b") is not None, "which is too large to be saved"


class SharingCells(SavingCells):
    """Cells as a unified cache has them: a copied position is the same cell, a restored one is its own."""

    def used(self):
        return len({id(cell) for held in self.held for cell in held})

    def save(self, sequence, size):
        return [cell[0] for cell in self.held[sequence]][:size]

    def restore(self, sequence, data):
        if self.used() + len(data) > self.cells:
            return False
        self.held[sequence] = [[token] for token in data]
        return True

    def evaluate(self, slot, tokens):
        missing = tokens[len(slot.tokens) :]
        self.held[slot.sequence].extend([token] for token in missing)
        slot.tokens.extend(missing)
        assert self.used() <= self.cells
        return len(missing)


def test_a_long_conversation_is_not_lost_when_it_moves_away_from_a_shared_beginning():
    cells = SharingCells(5, cells=2048)
    cache = SequenceCache(cells, 4, saved=SavedStates(1 << 30), pinned=True, compact=True)
    system = list(range(300))
    cells.evaluate(cache.pinned, system)
    long = [*system, *[9] * 1500]
    first = cache.claim("긴", long)
    assert cells.evaluate(first, long) == 1500
    short = [*system, *[7] * 20]
    assert cells.evaluate(cache.claim("짧은", short, [first]), short) == 20
    long += [5] * 20
    assert cells.evaluate(cache.claim("긴", long), long) == 20


def test_what_cannot_be_saved_stays_in_the_cache():
    cells = SavingCells(4)
    cache = SequenceCache(cells, 4, saved=SavedStates(100), compact=True)
    for name in "ab":
        evaluate(cells, cache.claim(name, conversation(name, 400)), conversation(name, 400))
    assert cache.of("a").tokens == conversation("a", 400)
