"""Commands: one typed async function, declared once, that `/name` runs.

The handler's first parameter is the `Context`. A positional parameter takes the rest of the line; keyword-only ones
become `--name=value` options with the types that msgspec can check (`int`, `bool`, `Literal`, ranges).
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from aimark_daemon.conversation.slash import SlashLine, fold
from aimark_daemon.errors import Text
from aimark_daemon.plugins.arguments import Parameter, read_arguments, read_signature
from aimark_daemon.plugins.context import Context, Output
from aimark_daemon.protocol.messages import CommandInfo

Handler = Callable[..., AsyncGenerator[Output, None]]
Permission = Literal["network", "files", "programs", "sessions", "settings", "microphone"]
"""What a command uses beside its own output, as its author declares it. Shown to people; nothing enforces it."""
TIMEOUT_S: Final = 120.0
_LANGUAGES: Final = ("en", "ko")


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """A slash command. `names` and `help` are by language ("en", "ko"); `name` is also the English one."""

    name: str
    handler: Handler
    names: Mapping[str, Sequence[str]]
    help: Mapping[str, str]
    parameters: tuple[Parameter, ...]
    permissions: tuple[Permission, ...] = ()
    confirm: Text | None = None
    """Asked before the handler runs: the question of a command that cannot be undone."""
    cooldown_s: float = 0.0
    """Seconds from one run to the next."""
    timeout_s: float = TIMEOUT_S
    """Longest silence of the handler, in seconds; waiting for a person does not count."""
    plugin: str = ""

    def spellings(self) -> tuple[str, ...]:
        """Every name it answers to, folded, its own first."""
        others = (name for names in self.names.values() for name in names)
        return tuple(dict.fromkeys(fold(name) for name in (self.name, *others)))

    def info(self) -> CommandInfo:
        """The command as clients see it."""
        return CommandInfo(
            name=self.name,
            names={language: list(names) for language, names in self.names.items()},
            help=dict(self.help),
            needs_content=any(parameter.content and parameter.required for parameter in self.parameters),
            plugin=self.plugin,
            parameters=tuple(parameter.info() for parameter in self.parameters),
            permissions=self.permissions,
            confirms=self.confirm is not None,
        )

    def arguments(self, line: SlashLine) -> dict[str, Any]:
        """The handler's keyword arguments from a typed line.

        Raises:
            AimarkError: `content_missing`, `argument_missing`, `option_unknown` or `argument_invalid`; nothing was run.
        """
        return read_arguments(line, self.parameters)


def command(
    name: str,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    help: Mapping[str, str],  # noqa: A002 - the word users know
    option_help: Mapping[str, Mapping[str, str]] | None = None,
    permissions: Sequence[Permission] = (),
    confirm: Text | None = None,
    cooldown_s: float = 0.0,
    timeout_s: float = TIMEOUT_S,
) -> Callable[[Handler], Command]:
    """Make a command of an async generator function.

    Raises:
        TypeError: the signature cannot be filled from a typed line, or a name, language or permission does not exist.
    """

    def decorate(handler: Handler) -> Command:
        if not inspect.isasyncgenfunction(handler):
            raise TypeError(f"/{name}: write `async def` with `yield`, for example `yield ctx.text(...)`")
        if wrong := {*(names or {}), *help} - set(_LANGUAGES):
            raise TypeError(f"/{name}: the languages are en and ko, not {', '.join(sorted(wrong))}")
        if unknown := set(permissions) - set(get_args(Permission)):
            raise TypeError(f"/{name}: {', '.join(sorted(unknown))}: permissions are {', '.join(get_args(Permission))}")
        made = Command(
            name=name,
            handler=handler,
            names={language: tuple(words) for language, words in (names or {}).items()},
            help=dict(help),
            parameters=read_signature(handler, option_help),
            permissions=tuple(permissions),
            confirm=confirm,
            cooldown_s=cooldown_s,
            timeout_s=timeout_s,
        )
        for spelling in made.spellings():
            if not spelling or any(character.isspace() or character in "/／" for character in spelling):
                raise TypeError(f"/{spelling}: a name has no space and no slash")
        return made

    return decorate


__all__ = ["Command", "Context", "Permission", "command"]
