"""A finding of the doctor: one thing that was looked at, how it is, and what to do."""

from __future__ import annotations

from typing import Literal

import msgspec

from aimark_daemon.errors import Exit, Fault, Text

Level = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True):
    """`exit_code` is the doctor's when this is its first error."""

    name: str
    level: Level
    message: Text
    remedy: Text = Text("", "")
    exit_code: int = Exit.INTERNAL


def ok(name: str, en: str, ko: str = "") -> Finding:
    """All is well."""
    return Finding(name, "ok", Text(en, ko or en))


def warning(name: str, message: Text, remedy: Text) -> Finding:
    """It works, but not as well as it might."""
    return Finding(name, "warning", message, remedy)


def error(name: str, message: Text, remedy: Text, exit_code: int) -> Finding:
    """It does not work."""
    return Finding(name, "error", message, remedy, exit_code)


def of_fault(name: str, fault: Fault, level: Level = "error") -> Finding:
    """A fault as a finding."""
    detail = f" ({fault.detail})" if fault.detail else ""
    message = Text(fault.message.en + detail, fault.message.ko + detail)
    return Finding(name, level, message, fault.hint, fault.exit_code)
