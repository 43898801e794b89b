"""How an answer that goes on in a new process catches up: in which steps, and until when."""

from types import SimpleNamespace

import pytest

from aimark_daemon.conversation.prompt import ChatMessage
from aimark_daemon.conversation.stops import TextStream
from aimark_daemon.engines import llama_answer
from aimark_daemon.engines.base import ChatRequest, Sampling
from aimark_daemon.engines.llama_answer import REPLAY_S, REPLAY_TOGETHER, Answer
from aimark_daemon.engines.llama_cache import Slot
from tests.engines.calls import RecordedCall

PROMPT, SHOWN = range(40), range(100, 110)


class Clock:
    now = 1000.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(llama_answer, "time", clock)
    return clock


def going_on(*, temperature=0.0, offloads=False):
    request = ChatRequest("s", (ChatMessage("user", "바다?"),), Sampling(temperature=temperature))
    model = SimpleNamespace(offloads=offloads, n_vocab=200)
    answer = Answer(request, RecordedCall(), model, PROMPT, None, lambda: None)
    answer.begin(SHOWN, TextStream(()))
    answer.slot = Slot(0)
    return answer


def steps(answer, clock, seconds):
    """The sizes of the steps that take `seconds` each."""
    taken = []
    while count := answer.missing:
        at = len(answer.slot.tokens)
        answer.slot.tokens.extend(answer.tokens[at : at + count])
        taken.append(count)
        clock.now += seconds
    answer.end()
    return taken


def test_a_greedy_answer_is_replayed_in_threes_on_a_processor_and_singly_on_a_card(clock):
    assert steps(going_on(), clock, 0.01) == [40, REPLAY_TOGETHER, REPLAY_TOGETHER, REPLAY_TOGETHER, 1]
    assert steps(going_on(offloads=True), clock, 0.01) == [40, *[1] * 10]


def test_one_that_is_chosen_by_chance_catches_up_at_once(clock):
    assert steps(going_on(temperature=0.7), clock, 0.01) == [50]


def test_a_slow_prompt_takes_nothing_from_the_time_for_the_replay_and_a_slow_replay_ends(clock):
    assert steps(going_on(), clock, REPLAY_S * 0.6) == [40, REPLAY_TOGETHER, REPLAY_TOGETHER, 4]
