"""Export and import."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.errors import INTERNAL, AimarkError
from aimark_daemon.store import Store, imported, transfer
from tests.store.conftest import Clock
from tests.store.helpers import fault_of, rows, talk

SAMPLES = [
    "대한민국의 수도는?",
    unicodedata.normalize("NFD", "한글 자모"),
    "👨‍👩‍👧 🇰🇷 ❤️",
    "# 제목\n\n```python\nprint('안녕')\n```\n\n---\n\n| a | b |\n",
    "\x00\x01\x7f\u2028\ufeff\\\"'</script>",
    "",
    " \r\n\t ",
]
content = st.sampled_from(SAMPLES) | st.text(max_size=40)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    opened = Store.open(tmp_path_factory.mktemp("transfer") / "sessions.db", Clock())
    yield opened
    opened.close()


def contents(store, session):
    """Everything of a session except ids and turns."""
    info = store.get_session(session)
    return (
        (info.title, info.created, info.updated),
        [(m.role, m.content, m.created, m.state, m.fault) for m in store.messages(session)],
    )


@settings(max_examples=40, deadline=None)
@given(
    conversations=st.lists(
        st.lists(st.tuples(content, content, st.sampled_from(["complete", "cancelled", "failed"])), max_size=3),
        max_size=3,
    )
)
def test_what_is_exported_comes_back_the_same_under_new_ids(shared, conversations):
    ids = []
    for conversation in conversations:
        session = shared.create_session().id
        ids.append(session)
        for question, answer, ending in conversation:
            fault = INTERNAL.fault(detail=answer) if ending == "failed" else None
            shared.end_turn(shared.begin_turn(session, question), ending, answer, fault=fault)
    exported = shared.export(ids)
    imported = [session.id for session in shared.import_text(exported)]
    assert not set(imported) & set(ids)
    assert [contents(shared, session) for session in imported] == [contents(shared, session) for session in ids]
    assert shared.export(imported) == exported
    assert json.loads(exported)["version"] == 1


def test_an_answer_still_coming_is_exported_as_interrupted(store):
    session = store.create_session().id
    store.checkpoint(store.begin_turn(session, "질문"), "여기까")
    (copy,) = store.import_text(store.export([session]))
    assert [(message.content, message.state) for message in store.messages(copy.id)] == [
        ("질문", "complete"),
        ("여기까", "interrupted"),
    ]
    (copy,) = store.import_text(
        '{"version":1,"sessions":[{"messages":[{"role":"assistant","content":"x","state":"streaming"}]}]}'
    )
    assert store.messages(copy.id)[0].state == "interrupted"


def test_the_least_that_an_import_needs(store):
    text = """\ufeff{"version": 1, "more": [], "sessions": [
        {"title": " 가져온\\n대화 ", "messages": [{"role": "user", "content": "안녕"}]},
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "첫 줄\\n둘째 줄", "extra": 1}]},
        {"title": "빈 대화", "messages": []}]}"""
    assert [(session.title, session.messages) for session in store.import_text(text)] == [
        ("가져온 대화", 1),
        ("첫 줄", 2),
        ("빈 대화", 0),
    ]
    assert store.count_sessions() == 3
    assert all(message.turn is None for session in store.list_sessions() for message in store.messages(session.id))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "the JSON itself"),
        ("{", "the JSON itself"),
        ('{"version":1,"sessions":[]} x', "the JSON itself"),
        ("[" * 100_000, "the"),
        ("[]", "the top"),
        ("{}", "the top"),
        ('{"version":2,"sessions":[]}', "version"),
        ('{"version":1,"sessions":{}}', "sessions"),
        ('{"version":1,"sessions":[{"title":"ok","messages":[]},{"title":5,"messages":[]}]}', "sessions[1].title"),
        ('{"version":1,"sessions":[{"title":"t"}]}', "sessions[0]"),
        ('{"version":1,"sessions":[{"messages":[{"role":"robot","content":""}]}]}', "sessions[0].messages[0].role"),
        ('{"version":1,"sessions":[{"messages":[{"role":"user"}]}]}', "sessions[0].messages[0]"),
        ('{"version":1,"sessions":[{"messages":[{"role":"user","content":null}]}]}', "sessions[0].messages[0].content"),
        ('{"version":1,"sessions":[{"created":"yesterday","messages":[]}]}', "sessions[0].created"),
        ('{"version":1,"sessions":[{"created":"2026-01-01T00:00:00","messages":[]}]}', "sessions[0].created"),
        ('{"version":1,"sessions":[{"created":"0001-01-01T00:00:00+10:00","messages":[]}]}', "sessions[0]"),
        (
            '{"version":1,"sessions":[{"messages":[]},{"title":"' + "가" * 201 + '","messages":[]}]}',
            "sessions[1].title",
        ),
        ('{"version":1,"sessions":[{"title":"\ud800","messages":[]}]}', "the JSON itself"),
    ],
)
def test_a_mistake_is_named_by_its_place_and_nothing_is_imported(store, text, place):
    store.create_session("있던 대화")
    before = rows(store)
    fault = fault_of(store.import_text, text)
    assert fault.code == "import_invalid"
    assert fault.exit_code == 2
    assert place in fault.message.en
    korean = {"the top": "파일의 맨 위", "the JSON itself": "JSON 형식", "the": ""}.get(place, place)
    assert f"잘못된 곳: {korean}" in fault.message.ko
    assert '{"version": 1, "sessions"' in fault.hint.ko
    assert rows(store) == before


def test_an_import_that_fails_half_way_leaves_nothing(store):
    store.create_session("있던 대화")
    before = rows(store)
    store.database.connection.execute(
        "CREATE TEMP TRIGGER fail BEFORE INSERT ON main.message WHEN NEW.content = '셋' "
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    messages = ",".join(f'{{"role":"user","content":"{word}"}}' for word in ("하나", "둘", "셋"))
    fault = fault_of(store.import_text, f'{{"version":1,"sessions":[{{"messages":[{messages}]}}]}}')
    assert fault.code == "database_unwritable"
    assert rows(store) == before


def test_an_import_beyond_the_limit_is_refused(store, monkeypatch):
    monkeypatch.setattr(transfer, "IMPORT_MIB", 1)
    fault = fault_of(store.import_text, " " * (2**20 + 1))
    assert fault.code == "import_too_big"
    assert "1 MiB" in fault.message.en


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(st.characters(), max_size=50)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["version", "sessions", "messages", "role", "content", "title"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    ).map(json.dumps)
)
def test_any_text_is_imported_or_refused(shared, text):
    before = shared.count_sessions()
    try:
        added = shared.import_text(text)
    except AimarkError as error:
        assert error.fault.code == "import_invalid"
        assert shared.count_sessions() == before
    else:
        assert shared.count_sessions() == before + len(added)


def test_all_sessions_are_exported_but_the_deleted_ones(store):
    ids = [store.create_session(title).id for title in ("하나", "둘", "셋")]
    store.delete_session(ids[1])
    assert [session["title"] for session in json.loads(store.export())["sessions"]] == ["하나", "셋"]
    assert fault_of(store.export, [ids[0], ids[1]]).code == "session_unknown"
    assert json.loads(store.export([]))["sessions"] == []


def test_markdown_is_for_reading(store):
    first, second = store.create_session("서울 여행"), store.create_session("코드")
    talk(store, first.id, "어디가 좋아요?", "**경복궁**이 좋습니다.")
    store.end_turn(store.begin_turn(second.id, "print?"), "cancelled", "```python")
    assert store.export(form="markdown") == (
        f"# 서울 여행\n\n{first.created}\n\n## User\n\n어디가 좋아요?\n\n## Assistant\n\n**경복궁**이 좋습니다.\n"
        f"\n---\n\n# 코드\n\n{second.created}\n\n## User\n\nprint?\n\n## Assistant (cancelled)\n\n```python\n"
    )


def test_an_import_that_fails_half_way_leaves_nothing_of_its_many_batches(store, monkeypatch):
    talk(store, store.create_session("있던 대화").id, "질문", "대답")
    before = rows(store)
    original = imported.sessions.indexed

    def fails(text):
        if text == "끝":
            raise MemoryError
        return original(text)

    monkeypatch.setattr(imported.sessions, "indexed", fails)
    monkeypatch.setattr(imported, "BATCH_CHARS", 1)
    messages = [{"role": "user", "content": text} for text in ("하나", "둘")]
    sessions = [*[{"messages": messages}] * 40, {"messages": [{"role": "user", "content": "끝"}]}]
    with pytest.raises(MemoryError):
        store.import_text(json.dumps({"version": 1, "sessions": sessions}))
    assert rows(store) == before
    copies = store.import_text(json.dumps({"version": 1, "sessions": sessions[:-1]}))
    assert [(copy.messages, copy.deleted) for copy in copies] == [(2, False)] * 40
    assert [message.content for message in store.messages(copies[7].id)] == ["하나", "둘"]
