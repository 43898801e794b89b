"""`aimark doctor`: looks at the machine and the set-up, with or without a running daemon, and says what to do."""

from __future__ import annotations

from argparse import Namespace

from aimark_daemon.cli.doctor_machine import machine
from aimark_daemon.cli.doctor_setup import setup
from aimark_daemon.cli.findings import Finding
from aimark_daemon.cli.shell import Shell
from aimark_daemon.errors import Text
from aimark_daemon.names import JOB_NAMES

_MARKS = {
    "ok": Text("ok     ", "정상"),
    "warning": Text("WARNING", "주의"),
    "error": Text("ERROR  ", "오류"),
}
_KOREAN = {
    "version": "버전",
    "processor": "프로세서",
    "memory": "메모리",
    "gpu": "그래픽 카드",
    "engine": "엔진",
    "microphone": "마이크",
    "display": "화면",
    "config": "설정",
    "folder": "폴더",
    "token": "토큰",
    "disk": "디스크",
    "database": "대화",
    "model": "모델",
    "daemon": "데몬",
    "port": "포트",
    "log": "로그",
    "notice": "알림",
    "data": "데이터",
    "runtime": "실행",
    "logs": "로그",
    "models": "모델",
}
"""The parts of the findings' names; `--json` has the names themselves."""


def run(shell: Shell, _arguments: Namespace) -> int:
    """Print each finding as it is made; the exit code is 0, or that of the first error."""
    code = 0
    for findings in (machine(), setup(shell)):
        for finding in findings:
            _print(shell, finding)
            if finding.level == "error":
                code = code or finding.exit_code
    return code


def _print(shell: Shell, finding: Finding) -> None:
    message = finding.message.in_language(shell.language)
    remedy = finding.remedy.in_language(shell.language)
    if shell.json:
        shell.emit({"name": finding.name, "level": finding.level, "message": message, "remedy": remedy})
        return
    shell.out(f"{_MARKS[finding.level].in_language(shell.language)} {_title(shell, finding.name)}: {message}")
    if remedy:
        shell.out(f"        {remedy}")


def _title(shell: Shell, name: str) -> str:
    """The finding's name for people: "engine-llm" is the thinking engine."""

    def word(part: str) -> str:
        return shell.name(part) if part in JOB_NAMES else shell.text(part, _KOREAN.get(part, part))

    return " ".join(word(part) for part in reversed(name.split("-")))
