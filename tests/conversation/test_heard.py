"""What was heard of an interrupted answer, and what is no interruption."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.backchannel import is_backchannel
from aimark_daemon.conversation.heard import heard_text, reckoned_end

REPLY = "서울은 대한민국의 수도입니다. It has ten million people."
CLAUSES = [(0, "서울은 대한민국의 수도입니다."), (2000, " It has ten million people.")]


@pytest.mark.parametrize(
    ("played", "heard"),
    [
        (0, ""),
        (100, ""),
        (700, "서울은"),
        (1999, CLAUSES[0][1]),
        (2000, CLAUSES[0][1]),
        (2500, CLAUSES[0][1] + " It has"),
        (4000, REPLY),
        (9000, REPLY),
    ],
)
def test_the_answer_is_kept_up_to_the_word_that_was_heard(played, heard):
    assert heard_text(REPLY, CLAUSES, 4000, played) == heard


def test_a_clause_without_sound_is_kept_with_what_follows_it():
    reply = "First. ```code``` Second."
    assert heard_text(reply, [(0, "First."), (1000, " Second.")], 2000, 2000) == reply
    assert heard_text(reply, [(0, "First."), (1000, " Second.")], 2000, 1000) == "First."


def test_of_a_clause_whose_sound_is_not_all_there_less_is_taken_for_heard():
    spoken = [(0, "하나 둘."), (600, " 셋 넷 다섯 여섯.")]
    assert reckoned_end(spoken, 700) == 600 + 1200
    assert reckoned_end(spoken, 3000) == 3000
    assert reckoned_end(spoken[:1], 300) == 300
    assert reckoned_end([], 0) == 0


clauses = st.lists(st.text(alphabet="가나다 abc.,", min_size=1, max_size=12), min_size=1, max_size=6)


@given(clauses, st.lists(st.integers(1, 5000), min_size=6, max_size=6), st.integers(0, 40_000), st.integers(0, 5000))
def test_more_playing_never_means_less_heard_and_it_is_always_a_beginning(texts, lengths, played, more):
    reply, spoken, at = "".join(texts), [], 0
    for text, length in zip(texts, lengths, strict=False):
        spoken.append((at, text))
        at += length
    first, second = (heard_text(reply, spoken, at, samples) for samples in (played, played + more))
    assert reply.startswith(second)
    assert second.startswith(first)
    assert heard_text(reply, spoken, at, at) == reply


@pytest.mark.parametrize(
    "text", ["", "응", "응.", "응, 응", "음...", "네네", "mm-hm", "Uh-huh.", "Yeah, okay.", "I see"]
)
def test_sounds_of_listening_do_not_interrupt(text):
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["잠깐", "그만", "응 그런데 왜", "stop", "no", "wait a second", "yes but why", "네 네 네 네"]
)
def test_words_that_want_something_interrupt(text):
    assert not is_backchannel(text)
