"""Commands: one typed async function, declared once, that `/name` runs.

The handler's first parameter is the `Context`. A positional text parameter takes the rest of the line; keyword-only
parameters become `--name=value` options with the types that msgspec can check (`int`, `bool`, `Literal`, ranges).
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from aimark_daemon.conversation.slash import SlashLine, fold
from aimark_daemon.plugins.context import Context, Output
from aimark_daemon.plugins.faults import ARGUMENT_INVALID, CONTENT_MISSING, OPTION_UNKNOWN
from aimark_daemon.protocol.messages import CommandInfo

Handler = Callable[..., AsyncIterator[Output]]


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword-only parameter of a handler."""

    name: str
    type: Any
    default: Any

    @property
    def flag(self) -> str:
        """How it is typed: `--dry-run`."""
        return "--" + self.name.replace("_", "-")

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if get_origin(self.type) is Literal:
            return ", ".join(str(value) for value in get_args(self.type))
        return getattr(self.type, "__name__", str(self.type))


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """A slash command. `names` and `help` are by language ("en", "ko"); `name` is also the English one."""

    name: str
    handler: Handler
    names: Mapping[str, Sequence[str]]
    help: Mapping[str, str]
    content: str | None
    """The parameter that takes the rest of the line; None when there is none."""
    content_required: bool
    options: tuple[Option, ...]
    plugin: str = ""

    def spellings(self) -> set[str]:
        """Every name it answers to, folded."""
        return {fold(self.name)} | {fold(name) for names in self.names.values() for name in names}

    def info(self) -> CommandInfo:
        """The command as clients see it."""
        return CommandInfo(
            name=self.name,
            names={language: list(names) for language, names in self.names.items()},
            help=dict(self.help),
            needs_content=self.content_required,
            plugin=self.plugin,
        )

    def arguments(self, line: SlashLine) -> dict[str, Any]:
        """The handler's keyword arguments from a typed line.

        Raises:
            AimarkError: `content_missing`, `option_unknown` or `argument_invalid`; nothing was run.
        """
        arguments: dict[str, Any] = {}
        if self.content is not None:
            if self.content_required and not line.rest:
                raise CONTENT_MISSING(name=line.name, parameter=self.content)
            if line.rest:
                arguments[self.content] = line.rest
        known = {option.flag: option for option in self.options}
        for flag, value in line.options.items():
            option = known.get(flag)
            if option is None:
                raise OPTION_UNKNOWN(name=line.name, option=flag, allowed=", ".join(known) or "-")
            try:
                arguments[option.name] = msgspec.convert(value, option.type, strict=False)
            except msgspec.ValidationError as error:
                raise ARGUMENT_INVALID(
                    str(error), name=line.name, option=flag, value=value, allowed=option.allowed
                ) from error
        return arguments


@dataclass(frozen=True, slots=True)
class _Signature:
    content: str | None
    content_required: bool
    options: tuple[Option, ...] = field(default=())


def _read_signature(handler: Handler) -> _Signature:
    """What a handler's parameters mean.

    Raises:
        TypeError: a signature that no typed line can fill, with what to change.
    """
    hints = get_type_hints(handler, include_extras=True)
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    content: inspect.Parameter | None = None
    options: list[Option] = []
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            if parameter.default is inspect.Parameter.empty:
                raise TypeError(f"option {parameter.name!r} needs a default")
            options.append(Option(parameter.name, hints.get(parameter.name, str), parameter.default))
        elif parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and content is None:
            if hints.get(parameter.name, str) is not str:
                raise TypeError(f"parameter {parameter.name!r} takes the rest of the line, so it must be str")
            content = parameter
        else:
            raise TypeError(f"parameter {parameter.name!r}: write options after `*`")
    if content is None:
        return _Signature(None, content_required=False, options=tuple(options))
    return _Signature(content.name, content.default is inspect.Parameter.empty, tuple(options))


def command(
    name: str,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    help: Mapping[str, str],  # noqa: A002 - the word users know
) -> Callable[[Handler], Command]:
    """Make a command of an async generator function.

    Raises:
        TypeError: the signature cannot be filled from a typed line.
    """

    def decorate(handler: Handler) -> Command:
        if not inspect.isasyncgenfunction(handler):
            raise TypeError(f"/{name}: write `async def` with `yield`, for example `yield ctx.text(...)`")
        signature = _read_signature(handler)
        return Command(
            name=name,
            handler=handler,
            names=dict(names or {}),
            help=dict(help),
            content=signature.content,
            content_required=signature.content_required,
            options=signature.options,
        )

    return decorate


__all__ = ["Command", "Context", "Option", "command"]
