"""Prompt order and history limits, as properties of any conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.prompt import (
    ChatMessage,
    build_messages,
    drop_oldest_turns,
    join,
    limit_history,
    split,
    system_prompt,
)

texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["안녕하세요", "\u1112\u1161\u11ab\u1100\u1173\u11af", "뭐라고요?"])
)
words = texts.filter(bool)


@st.composite
def completed_turns(draw, most=8):
    return [
        (ChatMessage("user", draw(words)), ChatMessage("assistant", draw(words)))
        for _ in range(draw(st.integers(0, most)))
    ]


messages = st.lists(st.builds(ChatMessage, st.sampled_from(["system", "user", "assistant"]), texts), max_size=20)


@given(completed_turns(), words, st.integers(0, 12), st.sampled_from(["", "너는 비서다."]))
def test_exactly_the_last_turns_of_the_configured_number_are_kept(turns, text, number, system):
    history = [message for turn in turns for message in turn]
    built = build_messages(system, history, text, number)
    head = [ChatMessage("system", system)] if system else []
    kept = turns[len(turns) - min(number, len(turns)) :]
    assert list(built) == [*head, *(m for turn in kept for m in turn), ChatMessage("user", text)]


def test_no_history_leaves_the_system_message_and_the_question():
    history = (ChatMessage("user", "이름이 뭐예요?"), ChatMessage("assistant", "마크입니다."))
    assert build_messages("지시", history, "몇 시예요?", 0) == (
        ChatMessage("system", "지시"),
        ChatMessage("user", "몇 시예요?"),
    )


def test_a_question_that_was_never_answered_is_not_a_completed_turn():
    history = (
        ChatMessage("user", "하나"),
        ChatMessage("assistant", "일"),
        ChatMessage("user", "cut off by a crash"),
        ChatMessage("user", "empty answer"),
        ChatMessage("assistant", ""),
    )
    assert [m.content for m in build_messages("", history, "둘", 1)] == ["하나", "일", "둘"]


def test_a_negative_number_of_turns_is_an_error():
    with pytest.raises(ValueError, match="-1"):
        limit_history((ChatMessage("user", "x"),), -1)


@given(messages)
def test_limiting_never_reorders_or_invents_messages(conversation):
    limited = limit_history(conversation, 3)
    rest = iter(conversation)
    assert all(any(message is other for other in rest) for message in limited)


@given(messages, st.integers(0, 5))
def test_limiting_twice_changes_nothing_more(conversation, turns):
    once = limit_history(conversation, turns)
    assert limit_history(once, turns) == once


@given(st.lists(st.text(max_size=5), max_size=2), completed_turns())
def test_split_and_join_are_inverse(system, turns):
    head = tuple(ChatMessage("system", text) for text in system)
    assert split(join(head, turns)) == (head, tuple(turns))


def characters(kept):
    return sum(len(m.content) for m in kept)


@given(completed_turns(most=30), words, st.integers(0, 200))
def test_as_few_of_the_oldest_turns_as_possible_are_dropped(turns, text, limit):
    system = ChatMessage("system", "s" * 10)
    last = ChatMessage("user", text)
    kept, dropped, size = drop_oldest_turns(join([system], [*turns, (last,)]), characters, limit)
    assert kept == join([system], [*turns[dropped:], (last,)])
    assert size == characters(kept)
    assert size <= limit or dropped == len(turns)
    if dropped:
        assert characters(join([system], [*turns[dropped - 1 :], (last,)])) > limit


def test_the_system_prompts_are_static_and_speak_their_language():
    assert system_prompt("ko") == system_prompt("ko")
    assert "음성 비서" in system_prompt("ko")
    assert "voice assistant" in system_prompt("en")
    assert system_prompt("fr") == system_prompt("en")
    assert not any(character.isdigit() for language in ("ko", "en") for character in system_prompt(language))
