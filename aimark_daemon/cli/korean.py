"""argparse in Korean: its headings and its complaints, which it has in English only."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any, Final

_HEADINGS: Final = {"positional arguments": "인자", "options": "옵션"}
_COMPLAINTS: Final = [
    (re.compile(r"the following arguments are required: (.+)"), r"필요한 값이 빠졌습니다({0})"),
    (re.compile(r"unrecognized arguments: (.+)"), r"모르는 값이나 옵션이 있습니다({0})"),
    (
        re.compile(r"argument (.+?): invalid choice: (.+?) \(choose from (.+)\)"),
        r"{0} 자리에 {1}을(를) 쓸 수 없습니다(쓸 수 있는 값: {2})",
    ),
    (re.compile(r"argument (.+?): expected (?:one|at least one) argument"), r"{0} 뒤에 값이 필요합니다"),
    (re.compile(r"argument (.+?): ignored explicit argument (.+)"), r"{0}에는 값 {1}을(를) 붙일 수 없습니다"),
    (
        re.compile(r"argument (.+?): (.+) is not a number from (\d+) to (\d+)"),
        r"{0} 값 {1}은(는) {2}부터 {3}까지의 수가 아닙니다",
    ),
    (
        re.compile(r"argument (.+?): (.+) is not a port from (\d+) to (\d+)"),
        r"{0} 값 {1}은(는) {2}부터 {3}까지의 포트 번호가 아닙니다",
    ),
]


class KoreanHelp(argparse.HelpFormatter):
    """Help under Korean headings."""

    def start_section(self, heading: str | None) -> None:
        """Begin a section; a heading of argparse's own is translated."""
        super().start_section(_HEADINGS.get(heading or "", heading))

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Iterable[Any], prefix: str | None = None
    ) -> None:
        """Begin with the usage."""
        super().add_usage(usage, actions, groups, "사용법: " if prefix is None else prefix)


def complaint(message: str) -> str:
    """Argparse's complaint in Korean; one that is not known stays as it is."""
    for pattern, korean in _COMPLAINTS:
        if found := pattern.fullmatch(message):
            return korean.format(*found.groups())
    return message
