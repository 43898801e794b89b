"""`aimark ask` against a daemon with fake engines."""

import json
import signal
import unicodedata

import pytest

from tests.cli.calls import Aimark

SLOW = """
import asyncio
from aimark_daemon import Context, command, hookimpl


@command("wait", names={"ko": ["기다려"]}, help={"en": "Wait for ever", "ko": "끝없이 기다립니다"})
async def wait(ctx: Context):
    yield ctx.text("waiting")
    await asyncio.Event().wait()


@hookimpl
def aimark_register_commands():
    return [wait]
"""


def test_an_answer_is_one_object_with_every_documented_field(aimark: Aimark) -> None:
    answer = aimark("ask", "Hello there", "--json").one()
    assert answer["reply"] == "You said: Hello there"
    assert answer["finish"] == "stop"
    assert answer["tokens"] == 4
    assert isinstance(answer["turn"], int)
    assert answer["first_token_s"] >= 0
    assert {"session", "tokens_per_s", "prompt_tokens", "reused_tokens", "dropped_turns"} <= answer.keys()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_hangul_comes_back_as_it_was_typed(aimark: Aimark, form: str) -> None:
    question = unicodedata.normalize(form, "대한민국의 수도는 어디인가요?")  # type: ignore[arg-type]
    assert aimark("ask", question, "--json").one()["reply"] == f"You said: {question}"


def test_without_json_the_answer_is_plain_text(aimark: Aimark) -> None:
    assert aimark("ask", "안녕하세요").out == "You said: 안녕하세요\n"


def test_a_dash_reads_the_question_from_stdin(aimark: Aimark) -> None:
    assert aimark("ask", "-", "--json", stdin="커피 한 잔".encode()).one()["reply"] == "You said: 커피 한 잔"


def test_a_session_goes_on_by_a_beginning_of_its_id(aimark: Aimark) -> None:
    first = aimark("ask", "하나", "--json").one()
    second = aimark("ask", "둘", "--session", first["session"][:12], "--json").one()
    assert second["session"] == first["session"]
    assert second["prompt_tokens"] > first["prompt_tokens"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["ask", ""], b"", "text_empty"),
        (["ask", " \n"], b"", "text_empty"),
        (["ask", "-"], b"", "text_empty"),
        (["ask", "-"], b"a" * 1_000_000, "text_too_long"),
        (["ask", "-"], "가".encode() * 1_000_000, "text_too_long"),
        (["ask", "-"], b"\xc7\xd1\xb1\xdb", "text_not_utf8"),
        (["ask", b"\xb0\xa1"], b"", "text_not_utf8"),
        (["ask", "/title"], b"", "content_missing"),
        (["ask", "/제목  "], b"", "content_missing"),
        (["ask", "/nonsense"], b"", "command_unknown"),
        (["ask", "hello", "--session", "0123456789abcdef"], b"", "session_unknown"),
        (["ask", "hello", "--session", ""], b"", "session_unknown"),
        (["ask", "hello", "--session", b"\xff"], b"", "text_not_utf8"),
    ],
)
def test_bad_input_is_refused_with_a_code_and_a_hint(
    aimark: Aimark, arguments: list[str | bytes], stdin: bytes, code: str
) -> None:
    ran = aimark(*arguments, "--json", stdin=stdin)
    error = ran.one()["error"]
    assert (error["code"], ran.code) == (code, 2)
    assert error["message"]
    assert error["hint"]
    assert "Traceback" not in ran.err


def test_a_fault_is_told_in_korean_on_stderr(aimark: Aimark) -> None:
    ran = Aimark(aimark.home, LANG="ko_KR.UTF-8")("ask", "")
    assert ran.out == ""
    assert "내용이 비어 있어 답할 것이 없습니다. [text_empty]" in ran.err
    assert "질문이나 명령을 입력해 주세요." in ran.err


def test_ctrl_c_cancels_the_turn_and_the_next_one_works(alone: Aimark) -> None:
    (alone.home / "plugins").mkdir(parents=True)
    (alone.home / "plugins" / "wait.py").write_text(SLOW, encoding="utf-8")
    daemon = alone.start("run", "--no-browser", "--port", "0")
    assert daemon.stdout is not None
    daemon.stdout.readline()
    asking = alone.start("ask", "/기다려")
    assert asking.stdout is not None
    assert asking.stdout.read(7) == b"waiting"
    asking.send_signal(signal.SIGINT)
    cancelled = alone.finished(asking)
    assert cancelled.code == 130
    assert "[cancelled]" in cancelled.err
    (session,) = alone("sessions", "list", "--json").lines()
    states = [message["state"] for message in alone("sessions", "show", session["id"], "--json").one()["messages"]]
    assert states == ["complete", "cancelled"]
    assert alone("ask", "다음", "--session", session["id"], "--json").one()["finish"] == "stop"
    assert alone("stop").code == 0
    assert alone.finished(daemon).code == 0


def test_ctrl_c_with_json_says_cancelled(alone: Aimark) -> None:
    (alone.home / "plugins").mkdir(parents=True)
    (alone.home / "plugins" / "wait.py").write_text(SLOW, encoding="utf-8")
    asking = alone.start("ask", "/wait", "--json", start_new_session=True)
    while not alone("sessions", "search", "wait", "--json").out:
        pass
    asking.send_signal(signal.SIGINT)
    ran = alone.finished(asking)
    assert ran.code == 130
    answer = json.loads(ran.out)
    assert (answer["finish"], answer["reply"]) == ("cancelled", "waiting")


@pytest.mark.parametrize("content", [None, b"GGUF" + bytes(40), b"no model at all"])
def test_a_model_file_that_is_missing_cut_or_no_model_is_told_and_loses_nothing(
    alone: Aimark, content: bytes | None
) -> None:
    file = alone.home / "모델.gguf"
    alone.home.mkdir()
    if content is not None:
        file.write_bytes(content)
    config = {"download_starter_models": False, "llm": {"model": str(file)}}
    (alone.home / "config.json").write_text(json.dumps(config), encoding="utf-8")
    real = Aimark(alone.home, AIMARK_FAKE_ENGINES="0")
    ran = real("ask", "잃어버리면 안 되는 질문", "--json")
    answer = ran.one()
    assert (answer["finish"], answer["error"]["code"], ran.code) == ("error", "model_file_invalid", 5)
    assert str(file) in answer["error"]["message"]
    assert "Traceback" not in ran.err
    shown = alone("sessions", "show", answer["session"], "--json").one()["messages"]
    assert [message["state"] for message in shown] == ["complete", "failed"]
    assert shown[0]["content"] == "잃어버리면 안 되는 질문"
