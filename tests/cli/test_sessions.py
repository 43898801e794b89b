"""`aimark sessions` against a daemon with fake engines."""

import json
import unicodedata
from pathlib import Path

import pytest

from tests.cli.calls import Aimark, Ran


def imported(aimark: Aimark, *sessions: tuple[str, list[str]]) -> Ran:
    content = {
        "version": 1,
        "sessions": [
            {
                "title": title,
                "messages": [
                    {"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(texts)
                ],
            }
            for title, texts in sessions
        ],
    }
    return aimark("sessions", "import", "-", "--json", stdin=json.dumps(content).encode())


def test_renaming_one_of_fifty_sessions_leaves_the_other_titles_alone(alone: Aimark) -> None:
    ran = imported(alone, *((f"대화 {number}", ["안녕"]) for number in range(50)))
    assert len(ran.lines()) == 50
    before = {line["id"]: line["title"] for line in alone("sessions", "list", "--json").lines()}
    chosen = next(identity for identity, title in before.items() if title == "대화 17")
    assert alone("sessions", "rename", chosen, "새 제목", "--json").one()["title"] == "새 제목"
    after = {line["id"]: line["title"] for line in alone("sessions", "list", "--json").lines()}
    assert after == before | {chosen: "새 제목"}


def test_a_session_is_listed_with_the_documented_fields(aimark: Aimark) -> None:
    session = aimark("ask", "목록에 있는 대화", "--json").one()["session"]
    newest = aimark("sessions", "list", "--json").lines()[0]
    assert newest["id"] == session
    assert {"id", "title", "created", "updated", "messages", "pinned", "deleted"} == newest.keys()
    assert session in aimark("sessions", "list").out


def test_a_deleted_session_can_be_brought_back(aimark: Aimark) -> None:
    session = aimark("ask", "지울 대화", "--json").one()["session"]
    assert aimark("sessions", "delete", session[:10], "--json").one()["deleted"] is True
    assert session not in aimark("sessions", "list").out
    assert aimark("sessions", "restore", session, "--json").one()["id"] == session
    assert session in aimark("sessions", "list").out


def test_two_syllable_korean_words_are_found_in_either_normal_form(aimark: Aimark) -> None:
    session = aimark("ask", "내일은 등산을 갑니다", "--json").one()["session"]
    for word in ("등산", unicodedata.normalize("NFD", "등산")):
        hits = aimark("sessions", "search", word, "--json").lines()
        assert session in {hit["session"] for hit in hits}
        assert any("등산" in hit["excerpt"] for hit in hits)
    assert aimark("sessions", "search", "없는낱말이다", "--json").out == ""


def test_an_export_can_be_imported_again(aimark: Aimark, tmp_path: Path) -> None:
    session = aimark("ask", '내보낼 "대화"\n두 줄', "--json").one()["session"]
    file = tmp_path / "대화.json"
    assert aimark("sessions", "export", session, "--out", str(file)).code == 0
    (copy,) = aimark("sessions", "import", str(file), "--json").lines()
    original = aimark("sessions", "show", session, "--json").one()
    again = aimark("sessions", "show", copy["id"], "--json").one()
    assert copy["id"] != session
    assert again["title"] == original["title"]
    assert [m["content"] for m in again["messages"]] == [m["content"] for m in original["messages"]]


def test_markdown_goes_to_stdout(aimark: Aimark) -> None:
    session = aimark("ask", "마크다운", "--json").one()["session"]
    ran = aimark("sessions", "export", session, "--format", "markdown")
    assert "## User" in ran.out
    assert "You said: 마크다운" in ran.out


def test_a_large_import_travels_in_several_messages(aimark: Aimark) -> None:
    ran = imported(aimark, *((f"큰 대화 {number}", ['"가나다\\라"\n' * 20_000]) for number in range(6)))
    assert [line["title"] for line in ran.lines()] == [f"큰 대화 {number}" for number in range(6)]
    shown = aimark("sessions", "show", ran.lines()[3]["id"], "--json").one()
    assert shown["messages"][0]["content"] == '"가나다\\라"\n' * 20_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "import_invalid"),
        (b"{", "import_invalid"),
        (b"[]", "import_invalid"),
        (b'{"version": 2, "sessions": []}', "import_invalid"),
        (b'{"version": 1, "sessions": [{"title": "a"}]}', "import_invalid"),
        (
            b'{"version": 1, "sessions": [{"title": "a", "messages": [{"role": "robot", "content": ""}]}]}',
            "import_invalid",
        ),
        (b"\xff\xfe{}", "text_not_utf8"),
    ],
)
def test_an_import_that_is_wrong_anywhere_changes_nothing(aimark: Aimark, content: bytes, code: str) -> None:
    before = aimark("sessions", "list", "--json").out
    ran = aimark("sessions", "import", "-", "--json", stdin=content)
    assert (ran.error(), ran.code) == (code, 2)
    assert aimark("sessions", "list", "--json").out == before


def test_a_conversation_of_three_mebibytes_is_exported_and_imported_whole(alone: Aimark, tmp_path: Path) -> None:
    messages = [f"{number}번째 말: " + '가나다라 "마바사" 아자차카\n' * 8_000 for number in range(10)]
    (first,) = imported(alone, ("긴 대화", messages)).lines()
    file = tmp_path / "긴 대화.json"
    assert alone("sessions", "export", first["id"], "--out", str(file)).code == 0
    assert file.stat().st_size > 3 * 2**20
    (second,) = alone("sessions", "import", str(file), "--json").lines()
    assert (second["title"], second["messages"]) == ("긴 대화", 10)
    shown = alone("sessions", "show", second["id"], "--json").one()
    assert [message["content"] for message in shown["messages"]] == messages


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "ffffffffffffffff"], "session_unknown"),
        (["rename", "ffffffffffffffff", "제목"], "session_unknown"),
        (["delete", ""], "session_unknown"),
        (["restore", "없는 대화"], "session_unknown"),
        (["import", "/nowhere/at/all.json"], "file_missing"),
        (["import", "/"], "file_unreadable"),
    ],
)
def test_what_is_not_there_is_told(aimark: Aimark, arguments: list[str], code: str) -> None:
    ran = aimark("sessions", *arguments, "--json")
    assert (ran.error(), ran.code) == (code, 2)


@pytest.mark.parametrize("out", ["", "/nowhere/at/all.json", f"{__file__}/all.json"])
def test_an_export_that_cannot_be_written_is_told(aimark: Aimark, out: str) -> None:
    ran = aimark("sessions", "export", "--out", out)
    assert "[file_unwritable]" in ran.err
    assert ran.code == 2


def test_an_empty_title_is_refused(aimark: Aimark) -> None:
    session = aimark("ask", "제목", "--json").one()["session"]
    ran = aimark("sessions", "rename", session, " ", "--json")
    assert (ran.error(), ran.code) == ("title_invalid", 2)


def test_a_beginning_that_two_ids_share_is_refused(alone: Aimark) -> None:
    ids = [line["id"] for line in imported(alone, *(("제목", ["글"]) for _ in range(17))).lines()]
    shared = next(identity[0] for identity in ids if sum(other[0] == identity[0] for other in ids) > 1)
    ran = alone("sessions", "show", shared, "--json")
    assert (ran.error(), ran.code) == ("session_ambiguous", 2)
