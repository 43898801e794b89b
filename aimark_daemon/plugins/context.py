"""What a command's handler is handed: who asks, in which language, and the events it may yield."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

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


class TableOutput(msgspec.Struct, frozen=True):
    """Rows under heads; shown as a part of the answer, never spoken."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table as it is kept in the answer; a bar or a line break within a cell does not end the cell."""
        lines = [self.heads, ("---",) * len(self.heads), *self.rows]
        cells = (" | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in line) for line in lines)
        return "\n" + "".join(f"| {line} |\n" for line in cells) + "\n"


class NotifyOutput(msgspec.Struct, frozen=True):
    """Something to tell people wherever they look, beside the answer."""

    text: str
    title: str = ""


Output = TextOutput | ProgressOutput | TableOutput | NotifyOutput


class Services(Protocol):
    """What the daemon does for a command."""

    async def rename_session(self, session: str, title: str) -> None:
        """Give one session another title."""

    def commands(self) -> Sequence[CommandInfo]:
        """Every command there is."""

    async def ask(self, turn: int, text: str, *, confirm: bool, choices: tuple[str, ...]) -> str | None:
        """A person's answer to a question, "" to a confirmed one; None if it was declined."""


class Context:
    """One run of a command."""

    def __init__(
        self,
        *,
        session: str,
        language: str,
        services: Services,
        turn: int = 0,
        plugin: str = "",
        settings: Any = None,
    ) -> None:
        self.session = session
        self.language = language
        self.plugin = plugin
        self.settings = settings
        self._turn = turn
        self._services = services
        self._asking = 0

    @property
    def waiting(self) -> bool:
        """Whether a person is being asked."""
        return self._asking > 0

    def text(self, text: str | Text) -> TextOutput:
        """Words of the answer; a `Text` is said in the person's language."""
        return TextOutput(self._said(text))

    def progress(self, fraction: float, text: str | Text = "") -> ProgressOutput:
        """How far the work is, 0..1."""
        return ProgressOutput(min(1.0, max(0.0, fraction)), self._said(text))

    def table(self, heads: Iterable[str | Text], rows: Iterable[Iterable[object]]) -> TableOutput:
        """Rows under heads; shown, not spoken."""
        return TableOutput(tuple(map(self._said, heads)), tuple(tuple(map(str, row)) for row in rows))

    def notify(self, text: str | Text, title: str | Text = "") -> NotifyOutput:
        """Something to tell people wherever they look."""
        return NotifyOutput(self._said(text), self._said(title))

    async def ask(self, question: str | Text, choices: Iterable[str | Text] = ()) -> str | None:
        """What a person answers, one of `choices` if there are any; None if they do not want to."""
        return await self._ask(question, confirm=False, choices=tuple(map(self._said, choices)))

    async def confirm(self, question: str | Text) -> bool:
        """Whether a person agrees. Nothing that is said or generated can."""
        return await self._ask(question, confirm=True, choices=()) is not None

    def commands(self) -> Sequence[CommandInfo]:
        """Every command there is."""
        return self._services.commands()

    async def rename_session(self, title: str) -> None:
        """Give the session that asks another title."""
        await self._services.rename_session(self.session, title)

    async def _ask(self, question: str | Text, *, confirm: bool, choices: tuple[str, ...]) -> str | None:
        self._asking += 1
        try:
            return await self._services.ask(self._turn, self._said(question), confirm=confirm, choices=choices)
        finally:
            self._asking -= 1

    def _said(self, text: str | Text) -> str:
        return text if isinstance(text, str) else text.in_language(self.language)
