"""Branches: a conversation copied up to a message, cut off from one, and kept at the top of the list."""

import pytest

from aimark_daemon.store.sessions import new_identity
from tests.store.helpers import fault_of, rows, talk


def said(store, session):
    return [(message.role, message.content) for message in store.messages(session)]


@pytest.fixture
def talked(store):
    """A conversation of three turns and another one beside it."""
    session = store.create_session("수도 이야기").id
    other = store.create_session("다른 대화").id
    for number in range(3):
        talk(store, session, f"질문 {number}", f"대답 {number}")
    talk(store, other, "남의 질문", "남의 대답")
    return session, other


def test_a_branch_holds_what_was_said_before_and_the_old_conversation_stays(store, talked):
    session, _ = talked
    before = store.messages(session)
    branch = store.branch_session(session, before[2].id)
    assert branch.title == "수도 이야기"
    assert branch.id != session
    assert said(store, branch.id) == [("user", "질문 0"), ("assistant", "대답 0")]
    assert store.messages(session) == before
    assert {hit.session for hit in store.search("대답 0")} == {session, branch.id}
    assert [m.content for m in store.history(branch.id, 9)] == ["질문 0", "대답 0"]


def test_a_replaced_question_takes_all_that_came_after_it_along(store, talked):
    session, other = talked
    message = store.messages(session)[2]
    turn = store.begin_turn(session, "고친 질문", replaces=message.id)
    store.end_turn(turn, "complete", "새 대답")
    expected = [("user", "질문 0"), ("assistant", "대답 0"), ("user", "고친 질문"), ("assistant", "새 대답")]
    assert said(store, session) == expected
    assert said(store, other) == [("user", "남의 질문"), ("assistant", "남의 대답")]
    assert store.search("대답 2") == []
    assert len(rows(store)["turn"]) == 3


@pytest.mark.parametrize("which", ["answer", "foreign", 0, -1, 2**70])
def test_only_the_sessions_own_questions_can_be_replaced(store, talked, which):
    session, other = talked
    named = {"answer": store.messages(session)[1].id, "foreign": store.messages(other)[0].id}
    before = rows(store)
    assert fault_of(store.begin_turn, session, "고친 질문", replaces=named.get(which, which)).code == "message_unknown"
    assert rows(store) == before


def test_a_refused_question_leaves_no_new_session_behind(store, talked):
    before = rows(store)
    asked = {"replaces": store.messages(talked[0])[0].id, "new": True}
    assert fault_of(store.begin_turn, new_identity(), "고친 질문", **asked).code == "message_unknown"
    assert rows(store) == before
    session = new_identity()
    store.begin_turn(session, "새 대화의 질문", new=True)
    assert (store.get_session(session).title, store.get_session(session).messages) == ("새 대화의 질문", 2)


def test_an_answer_that_is_being_written_is_not_replaced(store, talked):
    session, _ = talked
    store.begin_turn(session, "아직")
    before = rows(store)
    question = store.messages(session)[0].id
    assert fault_of(store.begin_turn, session, "고친 질문", replaces=question).code == "message_busy"
    assert rows(store) == before


def test_a_branch_before_a_foreign_message_is_refused(store, talked):
    session, other = talked
    before = rows(store)
    assert fault_of(store.branch_session, session, store.messages(other)[0].id).code == "message_unknown"
    assert rows(store) == before


def test_a_branch_before_the_first_question_is_empty_and_gets_its_title_from_the_new_one(store, talked):
    session, _ = talked
    branch = store.branch_session(session, store.messages(session)[0].id)
    assert (branch.title, branch.messages) == ("", 0)
    store.begin_turn(branch.id, "다른 질문")
    assert store.get_session(branch.id).title == "다른 질문"


def test_pinned_conversations_come_first_whenever_they_were_used(store, talked):
    session, other = talked
    assert [info.id for info in store.list_sessions()] == [other, session]
    assert store.pin_session(session, pinned=True).pinned
    assert [(info.id, info.pinned) for info in store.list_sessions()] == [(session, True), (other, False)]
    assert [info.id for info in store.list_sessions(limit=1)] == [session]
    assert not store.pin_session(session, pinned=False).pinned
    assert [info.id for info in store.list_sessions()] == [other, session]
