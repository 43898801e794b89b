"""The command line in Korean: nothing of argparse's English is left, and the engines have names for people."""

import re

import pytest

from aimark_daemon.cli.parser import build_parser, with_command
from aimark_daemon.errors import AimarkError
from aimark_daemon.names import named
from aimark_daemon.workers import faults
from tests.cli.calls import Aimark
from tests.cli.sound import write_tone
from tests.cli.test_parser import parsers

ENGLISH = re.compile(
    r"usage|options|positional|show (?:this|program)|exit|argument|required|invalid|choose|unrecognized|expected"
)


@pytest.mark.parametrize("parser", list(parsers(build_parser("ko"))), ids=lambda parser: parser.prog)
def test_help_is_korean(parser) -> None:
    text = parser.format_help()
    assert text.startswith("사용법: aimark")
    assert not ENGLISH.findall(text.replace(parser.prog, ""))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dance"], "쓸 수 있는 값"),
        (["ask"], "필요한 값이 빠졌습니다(TEXT)"),
        (["ask", "a", "b"], "모르는 값이나 옵션이 있습니다(b)"),
        (["run", "--port"], "--port 뒤에 값이 필요합니다"),
        (["say"], "필요한 값이 빠졌습니다(FILE.wav)"),
        (["run", "--port", "여덟"], "0부터 65535까지의 포트 번호가 아닙니다"),
        (["bench", "llm", "--rounds", "0"], "1부터 10000까지의 수가 아닙니다"),
        (["ask", "a", "--debug=1"], "--debug에는 값 '1'을(를) 붙일 수 없습니다"),
        (["sessions", "export", "--format", "pdf"], "쓸 수 있는 값"),
    ],
)
def test_a_mistake_is_told_in_korean(arguments: list[str], words: str) -> None:
    with pytest.raises(AimarkError) as caught:
        build_parser("ko").parse_args(with_command(arguments))
    assert words in caught.value.fault.message.ko
    assert not ENGLISH.findall(caught.value.fault.message.ko.replace("export", ""))
    assert "argument" in caught.value.fault.message.en


def test_status_doctor_and_models_speak_korean(aimark: Aimark) -> None:
    korean = Aimark(aimark.home, LANG="ko_KR.UTF-8")
    korean("ask", "준비")
    status = korean("status").out
    assert re.search(r"프로세스 \d+, 포트 \d+", status)
    assert re.search(r"^  생각: 준비됨, fake-llm", status, re.MULTILINE)
    assert not re.findall(r"\bpid\b|\bready\b|\bllm:|\bport\b", status)
    doctor = korean("doctor").out
    assert re.search(r"^정상 생각 엔진: ", doctor, re.MULTILINE)
    assert re.search(r"^주의 말하기 모델: ", doctor, re.MULTILINE)
    assert not re.findall(r"WARNING|\bok\b|engine-|model-|port \d|version", doctor)
    assert "  생각      " in korean("models", "list").out


def test_a_dead_engine_is_called_by_what_it_does() -> None:
    fault = faults.KILLED.fault(name=named("llm"))
    assert fault.message.en.startswith("The thinking engine was ended")
    assert fault.message.ko.startswith("생각 엔진이")
    assert named("실험") == named("실험").__class__("실험", "실험")


def test_an_error_leaves_no_empty_line_and_each_file_is_named_first(aimark: Aimark, tmp_path) -> None:
    silent, good = write_tone(tmp_path / "silent.wav", level=0), write_tone(tmp_path / "good.wav")
    ran = aimark("say", str(silent), str(good))
    assert [line for line in (*ran.out.splitlines(), *ran.err.splitlines()) if not line.strip(" ><")] == []
    assert ran.out.splitlines()[:4] == [str(silent), str(good), "  > Hello.", "  < You said: Hello."]


def test_what_the_demo_asks_is_told_before_it_is_answered(aimark: Aimark, tmp_path) -> None:
    demo = aimark.start("demo", "--out", str(tmp_path / "a.wav"))
    assert demo.stdout is not None
    assert demo.stdout.readline().startswith(b"Question: ")
    assert demo.poll() is None
    assert aimark.finished(demo).out.splitlines()[0] == "  > Hello."
