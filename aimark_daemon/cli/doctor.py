"""`aimark doctor`: looks at the machine and the set-up, with or without a running daemon, and says what to do."""

from __future__ import annotations

from argparse import Namespace

from aimark_daemon.cli.doctor_machine import machine
from aimark_daemon.cli.doctor_setup import setup
from aimark_daemon.cli.findings import Finding
from aimark_daemon.cli.shell import Shell

_MARKS = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  "}


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
    shell.out(f"{_MARKS[finding.level]} {finding.name}: {message}")
    if remedy:
        shell.out(f"        {remedy}")
