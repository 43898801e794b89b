"""Shell: what every command has - the user's language, paths and configuration, and the two ways to print."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from aimark_daemon.config import Loaded, load_config
from aimark_daemon.errors import AimarkError, Exit, Fault
from aimark_daemon.names import named
from aimark_daemon.paths import Paths
from aimark_daemon.protocol.messages import GpuInfo

Language = Literal["en", "ko"]

FAKE_VARIABLE = "AIMARK_FAKE_ENGINES"
"""Set to 1: fake engines instead of models. For tests of programs that use the command line."""
KEEP_VARIABLE = "AIMARK_KEEP"
"""Set to 1: a daemon that a command started goes on afterwards."""
MARKER = "for-call"
"""File in the runtime folder while a daemon runs that ends when its last client has left."""

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class Shell:
    """One call of the command line. `json`: one object a line on stdout, errors too."""

    def __init__(self, *, json: bool = False, debug: bool = False) -> None:
        self.json = json
        self.debug = debug

    @cached_property
    def base_paths(self) -> Paths:
        """The paths without the configuration's own folders: enough to find the daemon."""
        return Paths.of()

    @cached_property
    def loaded(self) -> Loaded:
        """The configuration.

        Raises:
            AimarkError: it is broken.
        """
        return load_config(self.base_paths.config_file)

    @cached_property
    def paths(self) -> Paths:
        """Where everything is kept.

        Raises:
            AimarkError: the configuration is broken.
        """
        folders = self.loaded.config.paths
        return self.base_paths.moved(data=folders.data, models=folders.models)

    @cached_property
    def language(self) -> Language:
        """The configured language, else the system's."""
        try:
            configured = self.loaded.config.language
        except AimarkError:
            configured = "auto"
        return system_language(os.environ) if configured == "auto" else configured

    @property
    def fake_engines(self) -> bool:
        """Whether AIMARK_FAKE_ENGINES asks for fakes."""
        return os.environ.get(FAKE_VARIABLE, "") not in ("", "0")

    def text(self, en: str, ko: str) -> str:
        """The sentence in the user's language."""
        return ko if self.language == "ko" else en

    def name(self, job: str) -> str:
        """What the engine of this job does, in a word for people."""
        return named(job).in_language(self.language)

    def out(self, line: str = "", end: str = "\n") -> None:
        """Print a result for people."""
        sys.stdout.write(printable(line) + end)
        sys.stdout.flush()

    def note(self, line: str) -> None:
        """Tell something beside the result, on stderr."""
        sys.stderr.write(printable(line) + "\n")
        sys.stderr.flush()

    def emit(self, value: Any) -> None:
        """Print one JSON object as a line of UTF-8, whatever the terminal's encoding."""
        sys.stdout.flush()
        sys.stdout.buffer.write(msgspec.json.encode(whole(value)) + b"\n")
        sys.stdout.buffer.flush()

    def fail(self, fault: Fault) -> int:
        """Print a fault; its exit code."""
        if self.json:
            self.emit(
                {"error": self.fault(fault), "finish": "cancelled" if fault.exit_code == Exit.CANCELLED else "error"}
            )
        else:
            self.complain(fault)
        return fault.exit_code

    def complain(self, fault: Fault) -> None:
        """Print a fault for people: what, which code, what to do, and the system's own words."""
        self.note(f"aimark: {fault.message.in_language(self.language)} [{fault.code}]")
        self.note(f"  {fault.hint.in_language(self.language)}")
        for line in fault.detail.splitlines():
            self.note(f"  {line}")

    def fault(self, fault: Fault) -> dict[str, str]:
        """A fault as JSON has it, in the user's language."""
        return {
            "code": fault.code,
            "message": fault.message.in_language(self.language),
            "hint": fault.hint.in_language(self.language),
            "detail": fault.detail,
        }


def system_language(environment: Mapping[str, str]) -> Language:
    """The language of the system: of the POSIX variables, else (Windows) of the locale."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "ko" if value.lower().startswith("ko") else "en"
    if sys.platform == "win32":
        import locale

        return "ko" if str(locale.getlocale()[0]).lower().startswith("ko") else "en"
    return "en"


def padded(text: str, width: int) -> str:
    """The text with spaces up to `width` columns; Hangul takes two each."""
    return text + " " * (width - sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text))


def printable(text: str) -> str:
    """The text without control characters that would act on a terminal."""
    return text.translate(_CONTROLS)


def whole(value: Any) -> Any:
    """The value as JSON types with every field there, as programs expect it; what a card does not tell stays away."""
    if isinstance(value, GpuInfo):
        return msgspec.to_builtins(value)
    if isinstance(value, msgspec.Struct):
        return {name: whole(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    if isinstance(value, str | Path):
        return str(value).encode("utf-8", "replace").decode()
    return value
