"""Sessions: made, listed, renamed, deleted, brought back and purged."""

import tempfile
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from aimark_daemon.store import Store
from aimark_daemon.store.text import tidy
from tests.store.conftest import Clock
from tests.store.helpers import fault_of, plans, rows, talk

titles = st.text(min_size=1, max_size=30).filter(lambda text: tidy(text) != "")


@pytest.fixture(scope="module")
def fifty(tmp_path_factory):
    """A store with fifty conversations, some of the same title, one deleted."""
    store = Store.open(tmp_path_factory.mktemp("fifty") / "sessions.db", Clock())
    ids = []
    for number in range(50):
        session = store.create_session("같은 제목" if number % 5 == 0 else f"대화 {number}")
        talk(store, session.id, f"질문 {number}", f"대답 {number}")
        ids.append(session.id)
    deleted = store.create_session("지운 대화")
    store.delete_session(deleted.id)
    yield store, ids
    store.close()


@settings(max_examples=60, deadline=None)
@given(which=st.integers(0, 49), title=titles)
def test_renaming_one_session_changes_that_one_only(fifty, which, title):
    store, ids = fifty
    before = rows(store)
    renamed = store.rename_session(ids[which], title)
    after = rows(store)
    assert renamed.title == tidy(title)
    (key,) = [key for key, row in before["session"].items() if ids[which] in row]
    expected = {table: dict(content) for table, content in before.items()}
    expected["session"][key] = tuple(
        renamed.title if position == 2 else value for position, value in enumerate(before["session"][key])
    )
    expected["search"][2 * key + 1] = after["search"][2 * key + 1]
    assert after == expected


def test_a_refused_title_changes_nothing(fifty):
    store, ids = fifty
    before = rows(store)
    assert fault_of(store.rename_session, ids[3], " \n ").code == "title_invalid"
    assert fault_of(store.rename_session, ids[3], "가" * 201).code == "title_invalid"
    assert fault_of(store.rename_session, "' OR 1=1 --", "모두").code == "session_unknown"
    assert fault_of(store.rename_session, "\ud800", "모두").code == "session_unknown"
    assert rows(store) == before


def test_an_unknown_session_is_named(store):
    fault = fault_of(store.get_session, "없는대화")
    assert fault.code == "session_unknown"
    assert "없는대화" in fault.message.ko
    for call in (store.messages, store.delete_session, store.restore_session):
        assert fault_of(call, "x").code == "session_unknown"
    assert fault_of(store.begin_turn, "x", "안녕").code == "session_unknown"
    assert fault_of(store.history, "x", 3).code == "session_unknown"


def test_sessions_are_listed_last_used_first_in_pages(store):
    ids = [store.create_session(f"{number}").id for number in range(5)]
    talk(store, ids[1], "안녕", "안녕하세요")
    order = [ids[1], ids[4], ids[3], ids[2], ids[0]]
    assert [session.id for session in store.list_sessions()] == order
    assert [session.id for session in store.list_sessions(2, 1)] == order[1:3]
    assert store.list_sessions(-1) == store.list_sessions(5, 10**30) == []
    assert len(store.list_sessions(10**30, -5)) == 5
    assert store.list_sessions()[0].messages == 2


def test_an_untitled_session_takes_its_first_message_as_title(store):
    session = store.create_session("  \n")
    assert session.title == ""
    talk(store, session.id, unicodedata.normalize("NFD", "생일 선물 추천해 줘\n예산은 5만 원"), "책은 어떨까요?")
    assert store.get_session(session.id).title == "생일 선물 추천해 줘"
    talk(store, session.id, "다른 말", "네")
    assert store.get_session(session.id).title == "생일 선물 추천해 줘"


def test_a_given_title_stays(store):
    session = store.create_session("내 제목")
    talk(store, session.id, "질문", "대답")
    assert store.get_session(session.id).title == "내 제목"
    assert fault_of(store.create_session, "가" * 201).code == "title_invalid"


def test_a_deleted_session_is_hidden_until_it_is_restored(store):
    session = store.create_session("비밀 회의")
    talk(store, session.id, "서울 회의 자료", "준비했습니다")
    before = store.get_session(session.id), store.messages(session.id), store.search("회의")
    deleted = store.delete_session(session.id)
    assert deleted.deleted
    first = rows(store)
    store.delete_session(session.id)
    assert rows(store) == first
    assert store.list_sessions() == store.search("회의") == []
    assert store.count_sessions() == 0
    assert store.get_session(session.id).deleted
    assert fault_of(store.rename_session, session.id, "새 이름").code == "session_unknown"
    assert fault_of(store.begin_turn, session.id, "안녕").code == "session_unknown"
    store.restore_session(session.id)
    assert (store.get_session(session.id), store.messages(session.id), store.search("회의")) == before


def test_purging_removes_what_was_deleted_before_and_nothing_else(store, clock):
    kept, old, recent = (store.create_session(name).id for name in ("남길 것", "오래전", "방금"))
    for session in (kept, old, recent):
        talk(store, session, "회의 기록", "네")
    store.delete_session(old)
    border = clock() + timedelta(seconds=1)
    clock()
    store.delete_session(recent)
    assert store.purge(border) == 1
    assert fault_of(store.restore_session, old).code == "session_unknown"
    store.restore_session(recent)
    assert store.count_sessions() == 2
    content = rows(store)
    assert (len(content["session"]), len(content["message"]), len(content["search"])) == (2, 4, 6)


def test_two_thousand_sessions_are_listed_and_counted_through_an_index(store):
    with store.database.writing() as db:
        db.executemany(
            "INSERT INTO session (id, title, created, updated) VALUES (?, '', '', ?)",
            [(f"id{number}", f"{number:05}") for number in range(2000)],
        )
        db.executemany(
            """INSERT INTO message (session, role, content, created, state)
            SELECT key, 'user', '안녕', '', 'complete' FROM session WHERE id = ?""",
            [(f"id{number}",) for number in range(2000)],
        )
    plan = plans(store, store.list_sessions, 50, 500)
    assert "SCAN session USING INDEX session_listed" in plan
    assert any(step.startswith("SEARCH message USING COVERING INDEX message_of_session") for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan)
    assert plans(store, store.count_sessions) == ["SCAN session USING INDEX session_listed"]
    for call, args in ((store.messages, ("id7",)), (store.history, ("id7", 10)), (store.get_session, ("id7",))):
        for step in plans(store, call, *args):
            assert step.startswith(("SEARCH", "CORRELATED SCALAR SUBQUERY")), (call, step)


class Conversations(RuleBasedStateMachine):
    """Whatever is done to some sessions, each one holds exactly what was put into it."""

    sessions = Bundle("sessions")

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "sessions.db"
        self.store = Store.open(self.path)
        self.model = {}

    @rule(target=sessions, title=titles)
    def create(self, title):
        session = self.store.create_session(title).id
        self.model[session] = [tidy(title), False, []]
        return session

    @rule(session=sessions, title=titles)
    def rename(self, session, title):
        if self.model[session][1]:
            assert fault_of(self.store.rename_session, session, title).code == "session_unknown"
        else:
            self.store.rename_session(session, title)
            self.model[session][0] = tidy(title)

    @rule(session=sessions, question=st.text(), answer=st.text())
    def talk(self, session, question, answer):
        if not self.model[session][1]:
            talk(self.store, session, question, answer)
            self.model[session][2] += [question, answer]

    @rule(session=sessions)
    def delete(self, session):
        self.store.delete_session(session)
        self.model[session][1] = True

    @rule(session=sessions)
    def restore(self, session):
        self.store.restore_session(session)
        self.model[session][1] = False

    @rule(session=consumes(sessions))
    def export_and_import(self, session):
        if not self.model[session][1]:
            (copy,) = self.store.import_text(self.store.export([session]))
            self.model[copy.id] = [self.model[session][0], False, list(self.model[session][2])]

    @rule()
    def close_and_open(self):
        self.store.close()
        self.store = Store.open(self.path)
        assert self.store.mark_interrupted() == 0

    @invariant()
    def every_session_is_as_it_was_left(self):
        listed = {session.id: session.title for session in self.store.list_sessions()}
        assert listed == {session: title for session, (title, deleted, _) in self.model.items() if not deleted}
        for session, (title, deleted, said) in self.model.items():
            stored = self.store.get_session(session)
            assert (stored.title, stored.deleted, stored.messages) == (title, deleted, len(said))
            assert [message.content for message in self.store.messages(session)] == said

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


Conversations.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestConversations = Conversations.TestCase
