"""Faults: what went wrong as code, message and what to do, in English and Korean.

Every part of the program declares its kinds of fault once, with `fault_kind`, and raises them by calling the kind:

    MODEL_MISSING = fault_kind("model_missing", message="The model {model} is not installed.", ...)
    raise MODEL_MISSING(model="qwen2.5")

A `Fault` is plain data, so it crosses process and network boundaries unchanged; `AimarkError` carries it as an
exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec


class Exit(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONFIG = 3
    UNREACHABLE = 4
    ENGINE = 5
    CANCELLED = 130


class Text(msgspec.Struct, frozen=True):
    """One sentence for people, in both languages of the program."""

    en: str
    ko: str

    def in_language(self, language: str) -> str:
        """The sentence in `language` ("ko" or anything else for English)."""
        return self.ko if language == "ko" else self.en


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, as it is stored, sent and shown.

    `code` is stable and machine-readable; `hint` says what the person can do; `detail` keeps an engine's or the
    system's own words, untranslated.
    """

    code: str
    message: Text
    hint: Text
    detail: str = ""
    exit_code: int = Exit.INTERNAL


class AimarkError(Exception):
    """A fault on its way to the user. Everything this program raises on purpose is one of these."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.message.en}" + (f" ({fault.detail})" if fault.detail else ""))
        self.fault = fault

    def __reduce__(self) -> tuple[type[AimarkError], tuple[Fault]]:
        return (AimarkError, (self.fault,))


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault: templates whose `{names}` are filled when it is raised."""

    code: str
    exit_code: Exit
    message: Text
    hint: Text

    def fault(self, detail: str = "", **values: object) -> Fault:
        """The fault as data; `values` fill the templates of message and hint, a `Text` each in its language."""
        en, ko = (
            {name: value.in_language(language) if isinstance(value, Text) else value for name, value in values.items()}
            for language in ("en", "ko")
        )
        return Fault(
            code=self.code,
            message=Text(self.message.en.format(**en), self.message.ko.format(**ko)),
            hint=Text(self.hint.en.format(**en), self.hint.ko.format(**ko)),
            detail=detail,
            exit_code=int(self.exit_code),
        )

    def __call__(self, detail: str = "", **values: object) -> AimarkError:
        """The fault as an exception to raise."""
        return AimarkError(self.fault(detail, **values))

    def caught_in(self, error: BaseException) -> bool:
        """Whether `error` is a fault of this kind."""
        return isinstance(error, AimarkError) and error.fault.code == self.code


FAULT_KINDS: Final[dict[str, FaultKind]] = {}
"""Every declared kind by code, for the reference page and its test."""


def fault_kind(
    code: str, *, message: str, message_ko: str, hint: str, hint_ko: str, exit_code: Exit = Exit.ENGINE
) -> FaultKind:
    """Declare a kind of fault.

    Raises:
        ValueError: the code is taken.
    """
    if code in FAULT_KINDS:
        raise ValueError(f"fault code {code!r} is declared twice")
    kind = FaultKind(code, exit_code, Text(message, message_ko), Text(hint, hint_ko))
    FAULT_KINDS[code] = kind
    return kind


INTERNAL = fault_kind(
    "internal",
    exit_code=Exit.INTERNAL,
    message="Something inside the assistant went wrong.",
    message_ko="어시스턴트 내부에서 문제가 생겼습니다.",
    hint="Try again. If it happens again, send the log shown by `aimark doctor`.",
    hint_ko="다시 시도해 주세요. 또 생기면 `aimark doctor`가 알려 주는 로그를 보내 주세요.",
)


def as_fault(error: BaseException) -> Fault:
    """The fault of any exception: its own if it carries one, else `internal` with the exception's words."""
    if isinstance(error, AimarkError):
        return error.fault
    return INTERNAL.fault(detail=f"{type(error).__name__}: {error}")
