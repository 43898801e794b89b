"""The sequence cache against a model of llama.cpp's memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.engines.llama_cache import SequenceCache, common_prefix


class FakeCells:
    """Positions and their tokens by sequence; evaluating is writing into `held`."""

    def __init__(self, sequences, *, rewinds=True):
        self.held = [[] for _ in range(sequences)]
        self.rewinds = rewinds

    def remove(self, sequence, start):
        if start and not self.rewinds:
            return False
        del self.held[sequence][start:]
        return True

    def copy(self, source, target, start, end):
        assert len(self.held[target]) == start
        self.held[target].extend(self.held[source][start:end])

    def first(self, sequence):
        return 0 if self.held[sequence] else -1

    def last(self, sequence):
        return len(self.held[sequence]) - 1


def evaluate(cells, slot, tokens):
    """Evaluate what the slot lacks of `tokens`; returns how many that were."""
    missing = tokens[len(slot.tokens) :]
    cells.held[slot.sequence].extend(missing)
    slot.tokens.extend(missing)
    return len(missing)


tokens = st.lists(st.integers(0, 2), min_size=1, max_size=12)


@given(tokens, tokens)
def test_the_common_prefix_is_the_longest_one(a, b):
    n = common_prefix(a, b)
    assert a[:n] == b[:n]
    assert n == min(len(a), len(b)) or a[n] != b[n]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), tokens, st.integers(0, 5), st.booleans()), max_size=25),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_record_always_equals_what_the_cache_holds(requests, sequences, rewinds):
    cells = FakeCells(sequences, rewinds=rewinds)
    cache = SequenceCache(cells, sequences, rewinds=rewinds)
    for session, prompt, lost, evict in requests:
        slot = cache.claim(session, prompt)
        assert slot.tokens == prompt[: len(slot.tokens)]
        assert len(slot.tokens) < len(prompt), "the last token must be evaluated for its logits"
        assert cells.held[slot.sequence] == slot.tokens
        evaluate(cells, slot, prompt)
        held = cells.held[slot.sequence]
        del held[max(0, len(held) - lost) :]
        cache.settle(slot)
        if evict:
            cache.evict_idle(slot)
        for each in cache.slots:
            assert cells.held[each.sequence] == each.tokens


def test_sessions_used_in_turn_evaluate_only_what_is_new():
    cells = FakeCells(4)
    cache = SequenceCache(cells, 4)
    system = list(range(100))
    talked = {name: [*system, ord(name)] for name in "abc"}
    first = [evaluate(cells, cache.claim(name, prompt), prompt) for name, prompt in talked.items()]
    assert first == [101, 1, 1], "the system prefix is evaluated once"
    for turn in range(10):
        for name, prompt in talked.items():
            prompt.extend([1000 + turn, ord(name)])
            assert evaluate(cells, cache.claim(name, prompt), prompt) == 2


def test_a_fifth_session_takes_the_sequence_unused_for_longest():
    cells = FakeCells(4)
    cache = SequenceCache(cells, 4)
    for name in "abcda":
        evaluate(cells, cache.claim(name, [ord(name), 1]), [ord(name), 1])
    assert cache.claim("e", [5, 5]).tokens == []
    assert cache.of("b") is None
    assert cache.of("a") is not None


def test_making_room_evicts_idle_sequences_oldest_first_and_never_the_busy_one():
    cells = FakeCells(3)
    cache = SequenceCache(cells, 3)
    for name in "abc":
        evaluate(cells, cache.claim(name, [ord(name), 1]), [ord(name), 1])
    busy = cache.of("a")
    assert cache.evict_idle(busy)
    assert cache.of("b") is None
    assert cache.of("c") is not None
    assert cache.evict_idle(busy)
    assert not cache.evict_idle(busy)
    assert busy.tokens == [ord("a"), 1]


@pytest.mark.parametrize(("rewinds", "evaluated"), [(True, 1), (False, 5)])
def test_a_model_that_cannot_rewind_evaluates_a_changed_prompt_anew(rewinds, evaluated):
    cells = FakeCells(2, rewinds=rewinds)
    cache = SequenceCache(cells, 2, rewinds=rewinds)
    evaluate(cells, cache.claim("a", [1, 2, 3, 4, 5]), [1, 2, 3, 4, 5])
    changed = [1, 2, 3, 4, 6]
    assert evaluate(cells, cache.claim("a", changed), changed) == evaluated
    longer = [*changed, 7, 8]
    assert evaluate(cells, cache.claim("a", longer), longer) == 2, "going on needs no rewinding"


def test_a_sequence_whose_beginning_slid_out_of_the_window_is_evaluated_anew():
    cells = FakeCells(1)
    cells.first = lambda _sequence: 3
    cache = SequenceCache(cells, 1)
    evaluate(cells, cache.claim("a", [1, 2, 3, 4, 5]), [1, 2, 3, 4, 5])
    assert cache.claim("a", [1, 2, 3, 4, 5, 6]).tokens == []
