"""What a command's handler is handed: who asks, in which language, and the events it may yield."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from aimark_daemon.errors import Text
from aimark_daemon.protocol.messages import CommandInfo


class TextOutput(msgspec.Struct, frozen=True):
    """Words of the answer; shown and, where the turn speaks, spoken."""

    text: str


class ProgressOutput(msgspec.Struct, frozen=True):
    """How far the work is, 0..1."""

    fraction: float
    text: str = ""


Output = TextOutput | ProgressOutput


class Services(Protocol):
    """What the daemon does for a command."""

    async def rename_session(self, session: str, title: str) -> None:
        """Give one session another title."""

    def commands(self) -> Sequence[CommandInfo]:
        """Every command there is."""


class Context:
    """One run of a command."""

    def __init__(self, *, session: str, language: str, services: Services) -> None:
        self.session = session
        self.language = language
        self._services = services

    def text(self, text: str | Text) -> TextOutput:
        """Words of the answer; a `Text` is said in the person's language."""
        return TextOutput(text if isinstance(text, str) else text.in_language(self.language))

    def progress(self, fraction: float, text: str = "") -> ProgressOutput:
        """How far the work is, 0..1."""
        return ProgressOutput(min(1.0, max(0.0, fraction)), text)

    def commands(self) -> Sequence[CommandInfo]:
        """Every command there is."""
        return self._services.commands()

    async def rename_session(self, title: str) -> None:
        """Give the session that asks another title."""
        await self._services.rename_session(self.session, title)
