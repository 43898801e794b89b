"""Turns: stored before they are answered, kept as they come, marked when a crash cut them off."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.engines.base import ChatMessage
from aimark_daemon.errors import INTERNAL, AimarkError
from aimark_daemon.protocol.messages import Timings
from aimark_daemon.store import Store
from tests.store.helpers import fault_of, rows, talk


def said(store, session):
    return [(message.role, message.content, message.state) for message in store.messages(session)]


def test_the_question_is_stored_before_it_is_answered(store):
    session = store.create_session().id
    turn = store.begin_turn(session, "대한민국의 수도는?")
    other = Store.open(store.database.path)
    assert said(other, session) == [("user", "대한민국의 수도는?", "complete"), ("assistant", "", "streaming")]
    assert [message.turn for message in other.messages(session)] == [turn, turn]
    other.close()


def test_turns_are_numbered_upwards_also_after_a_purge(store, clock):
    session = store.create_session().id
    first, second = talk(store, session, "하나", "1"), talk(store, session, "둘", "2")
    store.delete_session(session)
    store.purge(clock())
    third = talk(store, store.create_session().id, "셋", "3")
    assert 0 < first < second < third < 2**32


def test_an_answer_grows_and_ends_with_its_times(store):
    session = store.create_session().id
    turn = store.begin_turn(session, "질문")
    store.checkpoint(turn, "서울")
    assert said(store, session)[1] == ("assistant", "서울", "streaming")
    store.end_turn(turn, "complete", "서울입니다.", Timings(first_token_s=0.25), tokens=4)
    assert said(store, session)[1] == ("assistant", "서울입니다.", "complete")
    state, tokens, timings = store.database.connection.execute("SELECT state, tokens, timings FROM turn").fetchone()
    assert (state, tokens, timings) == ("complete", 4, '{"first_token_s":0.25}')


def test_of_an_interrupted_answer_what_was_heard_is_kept_and_found(store):
    session = store.create_session().id
    turn = store.begin_turn(session, "이야기해 줘")
    with pytest.raises(AimarkError, match="turn_not_open"):
        store.cut_answer(turn, lambda reply: reply)
    store.end_turn(turn, "complete", "옛날에 호랑이가 살았습니다.")
    assert store.cut_answer(turn, lambda reply: reply[:8]) == (session, "옛날에 호랑이가")
    assert said(store, session) == [("user", "이야기해 줘", "complete"), ("assistant", "옛날에 호랑이가", "cancelled")]
    assert [m.content for m in store.history(session, 5)] == ["이야기해 줘", "옛날에 호랑이가"]
    assert store.search("호랑이가", 5)
    assert not store.search("살았습니다", 5)


def test_a_failed_turn_keeps_its_fault(store):
    session = store.create_session().id
    turn = store.begin_turn(session, "질문")
    store.end_turn(turn, "failed", "여기까", fault=INTERNAL.fault(detail="깨짐"))
    assert store.messages(session)[1].fault == INTERNAL.fault(detail="깨짐")
    assert said(store, session)[1] == ("assistant", "여기까", "failed")


def test_a_turn_that_is_over_takes_nothing_more(store):
    session = store.create_session().id
    turn = talk(store, session, "질문", "대답")
    before = rows(store)
    for number in (turn, turn + 1, 0, -1, 2**70):
        assert fault_of(store.checkpoint, number, "늦음").code == "turn_not_open"
        assert fault_of(store.end_turn, number, "complete", "늦음").code == "turn_not_open"
    assert rows(store) == before


def test_a_turn_ends_although_its_session_was_deleted_meanwhile(store):
    session = store.create_session().id
    turn = store.begin_turn(session, "질문")
    store.delete_session(session)
    store.end_turn(turn, "complete", "대답")
    assert said(store, session)[1] == ("assistant", "대답", "complete")


def test_after_a_crash_open_turns_are_marked_and_their_text_is_kept_and_found(store):
    session = store.create_session().id
    talk(store, session, "첫 질문", "첫 대답")
    cut_off = store.begin_turn(session, "둘째 질문")
    store.checkpoint(cut_off, "부산에는 바다가")
    store.begin_turn(session, "셋째 질문")
    assert store.search("바다") == []
    assert store.mark_interrupted() == 2
    assert store.mark_interrupted() == 0
    assert [state for *_, state in said(store, session)] == [
        "complete", "complete", "complete", "interrupted", "complete", "interrupted",
    ]  # fmt: skip
    assert [hit.session for hit in store.search("바다")] == [session]
    assert fault_of(store.end_turn, cut_off, "complete", "x").code == "turn_not_open"
    assert [message.content for message in store.history(session, 9)] == [
        "첫 질문", "첫 대답", "둘째 질문", "부산에는 바다가",
    ]  # fmt: skip


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 1000])
def test_history_has_exactly_as_many_turns_as_asked(store, turns):
    session = store.create_session().id
    for number in range(5):
        talk(store, session, f"질문 {number}", f"대답 {number}")
    store.begin_turn(session, "지금 질문")
    expected = []
    for number in range(max(0, 5 - turns), 5):
        expected += [ChatMessage("user", f"질문 {number}"), ChatMessage("assistant", f"대답 {number}")]
    assert store.history(session, turns) == expected


def test_turns_without_an_answer_do_not_use_up_the_history(store):
    session = store.create_session().id
    talk(store, session, "q1", "a1")
    for ending in ("failed", "cancelled"):
        store.end_turn(store.begin_turn(session, f"{ending} mute"), ending, " ")
        store.end_turn(store.begin_turn(session, f"{ending} cut"), ending, "begun")
    assert [message.content for message in store.history(session, 3)] == [
        "q1", "a1", "failed cut", "begun", "cancelled cut", "begun",
    ]  # fmt: skip


def test_imported_messages_count_in_the_history(store):
    (session,) = store.import_text(
        """{"version": 1, "sessions": [{"title": "가져온 대화", "messages": [
        {"role": "system", "content": "짧게"}, {"role": "assistant", "content": "어서 오세요"},
        {"role": "user", "content": "대답 없는 질문"}, {"role": "user", "content": "질문"},
        {"role": "assistant", "content": "하나"}, {"role": "assistant", "content": "둘"}]}]}"""
    )
    talk(store, session.id, "새 질문", "새 대답")
    assert store.history(session.id, 10) == [
        ChatMessage("user", "질문"),
        ChatMessage("assistant", "하나\n\n둘"),
        ChatMessage("user", "새 질문"),
        ChatMessage("assistant", "새 대답"),
    ]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    opened = Store.open(tmp_path_factory.mktemp("turns") / "sessions.db")
    yield opened
    opened.close()


@settings(max_examples=40, deadline=None)
@given(
    turns=st.lists(
        st.tuples(st.text(max_size=5), st.sampled_from(["complete", "failed", "cancelled"]), st.text(max_size=5))
    ),
    limit=st.integers(0, 5),
)
def test_history_alternates_and_is_the_end_of_all_of_it(shared, turns, limit):
    session = shared.create_session("성질").id
    for question, ending, answer in turns:
        shared.end_turn(shared.begin_turn(session, question), ending, answer)
    some, everything = shared.history(session, limit), shared.history(session, 1000)
    assert [message.role for message in some] == ["user", "assistant"] * (len(some) // 2)
    assert some == everything[max(0, len(everything) - 2 * limit) :]
    answered = [(q, a) for q, _, a in turns if q.strip() and a.strip()]
    assert [message.content for message in everything] == [text for pair in answered for text in pair]
