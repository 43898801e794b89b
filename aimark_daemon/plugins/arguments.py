"""Arguments: what a command's signature says may be typed, and how a typed line becomes its keyword arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as types

from aimark_daemon.conversation.slash import SlashLine, fold
from aimark_daemon.errors import Text
from aimark_daemon.plugins.faults import ARGUMENT_INVALID, ARGUMENT_MISSING, CONTENT_MISSING, OPTION_UNKNOWN
from aimark_daemon.protocol.messages import ParameterInfo

_YES: Final = frozenset({"true", "1", "yes", "on", "예", "네", "켜기"})
_NO: Final = frozenset({"false", "0", "no", "off", "아니요", "아니오", "끄기"})
_Single = types.StrType | types.IntType | types.FloatType | types.BoolType | types.LiteralType
_NONE_BUT: Final = 2
"""Parts of an `X | None`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a handler. `content` takes the rest of the line; the others are options."""

    name: str
    type: Any
    kind: _Single
    choices: tuple[Any, ...]
    """The values of a `Literal`, in their order."""
    default: Any
    content: bool
    help: Mapping[str, str]

    @property
    def flag(self) -> str:
        """How it is typed: `--dry-run`; empty for the content."""
        return "" if self.content else "--" + self.name.replace("_", "-")

    @property
    def required(self) -> bool:
        """Whether it must be typed."""
        return self.default is NODEFAULT

    @property
    def allowed(self) -> Text:
        """What it may be, in words."""
        if self.choices:
            values = ", ".join(map(str, self.choices))
            return Text(values, values)
        return _allowed(self.kind)

    def read(self, typed: str | None) -> Any:
        """The value of what was typed; None is an option without `=`.

        Raises:
            ValueError: it is not allowed; says why, in English.
        """
        if isinstance(self.kind, types.BoolType):
            folded = "true" if typed is None else fold(typed)
            if folded in _YES | _NO:
                return folded in _YES
            raise ValueError("neither yes nor no")
        if typed is None:
            raise ValueError("it has no value")
        for choice in self.choices:
            if fold(str(choice)) == fold(typed):
                return choice
        if isinstance(self.kind, types.StrType):
            return msgspec.convert(typed, self.type)
        return msgspec.convert(typed, self.type, strict=False)

    def info(self) -> ParameterInfo:
        """The parameter as clients see it."""
        kind = self.kind
        bounds = _bounds(kind)
        return ParameterInfo(
            name=self.name,
            flag=self.flag,
            kind=_KINDS[type(kind)],
            required=self.required,
            default=None if self.required else msgspec.to_builtins(self.default),
            choices=tuple(map(str, self.choices)),
            least=bounds[0],
            most=bounds[1],
            help=dict(self.help),
        )


_KINDS: Final[dict[type[types.Type], str]] = {
    types.StrType: "text",
    types.IntType: "integer",
    types.FloatType: "number",
    types.BoolType: "boolean",
    types.LiteralType: "choice",
}


def read_signature(
    handler: Callable[..., Any], option_help: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Parameter, ...]:
    """The parameters after a handler's context.

    Raises:
        TypeError: a signature that no typed line can fill, with what to change.
    """
    hints = get_type_hints(handler, include_extras=True)
    helps = option_help or {}
    found: list[Parameter] = []
    parameters = list(inspect.signature(handler).parameters.values())
    if not parameters or parameters[0].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        raise TypeError("the first parameter is the context: `async def name(ctx, ...)`")
    for parameter in parameters[1:]:
        option = parameter.kind is inspect.Parameter.KEYWORD_ONLY
        if not option and (found or parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD):
            raise TypeError(f"parameter {parameter.name!r}: write options after `*`")
        hint = hints.get(parameter.name, str)
        default = NODEFAULT if parameter.default is inspect.Parameter.empty else parameter.default
        about = helps.get(parameter.name, {})
        kind = _kind(parameter.name, hint)
        found.append(Parameter(parameter.name, hint, kind, _choices(hint), default, not option, about))
    if unknown := set(helps) - {parameter.name for parameter in found}:
        raise TypeError(f"help for {', '.join(sorted(unknown))}, which is no parameter")
    return tuple(found)


def read_arguments(line: SlashLine, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The handler's keyword arguments from a typed line.

    Raises:
        AimarkError: `content_missing`, `argument_missing`, `option_unknown` or `argument_invalid`.
    """
    arguments: dict[str, Any] = {}
    options = {parameter.flag: parameter for parameter in parameters if not parameter.content}
    for parameter in parameters:
        if parameter.content and line.rest:
            arguments[parameter.name] = _value(line, parameter, line.rest)
        elif parameter.content and parameter.required:
            raise CONTENT_MISSING(name=line.name)
    for flag, typed in line.options.items():
        option = options.get(fold(flag))
        if option is None:
            raise OPTION_UNKNOWN(name=line.name, option=flag, allowed=", ".join(options) or "-")
        arguments[option.name] = _value(line, option, typed)
    for flag, option in options.items():
        if option.required and option.name not in arguments:
            raise ARGUMENT_MISSING(name=line.name, option=flag, allowed=option.allowed.en, allowed_ko=option.allowed.ko)
    return arguments


def _value(line: SlashLine, parameter: Parameter, typed: str | None) -> Any:
    try:
        return parameter.read(typed)
    except (ValueError, msgspec.ValidationError) as error:
        raise ARGUMENT_INVALID(
            str(error),
            name=line.name,
            option=parameter.flag or parameter.name,
            value=typed or "",
            allowed=parameter.allowed.en,
            allowed_ko=parameter.allowed.ko,
        ) from error


def _kind(name: str, hint: Any) -> _Single:
    """The single kind of value that a type stands for; `X | None` is X that may be left out."""
    kind = types.type_info(hint)
    while isinstance(kind, types.Metadata):
        kind = kind.type
    if isinstance(kind, types.UnionType) and len(kind.types) == _NONE_BUT:
        kind = next((part for part in kind.types if not isinstance(part, types.NoneType)), kind)
    if isinstance(kind, _Single):
        return kind
    raise TypeError(f"parameter {name!r}: a line can fill str, int, float, bool, Literal and `... | None` of these")


def _choices(hint: Any) -> tuple[Any, ...]:
    """The values of a `Literal`, which msgspec sorts, as they were written."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return next((found for part in get_args(hint) if (found := _choices(part))), ())


def _bounds(kind: _Single) -> tuple[float | None, float | None]:
    if not isinstance(kind, types.IntType | types.FloatType):
        return None, None
    return (kind.gt if kind.ge is None else kind.ge), (kind.lt if kind.le is None else kind.le)


def _allowed(kind: _Single) -> Text:
    match kind:
        case types.BoolType():
            return Text("yes or no", "예 또는 아니요")
        case types.IntType():
            return _range("a whole number", "정수", kind)
        case types.FloatType():
            return _range("a number", "수", kind)
    if isinstance(kind, types.StrType) and kind.max_length is not None:
        return Text(f"a text of at most {kind.max_length} characters", f"{kind.max_length}자 이하의 글")
    return Text("a text", "글")


def _range(noun: str, noun_ko: str, kind: types.IntType | types.FloatType) -> Text:
    bounds = [
        (kind.ge, "at least {}", "{} 이상"),
        (kind.gt, "above {}", "{} 초과"),
        (kind.le, "at most {}", "{} 이하"),
        (kind.lt, "below {}", "{} 미만"),
    ]
    en = [text.format(bound) for bound, text, _ in bounds if bound is not None]
    ko = [text.format(bound) for bound, _, text in bounds if bound is not None]
    if not en:
        return Text(noun, noun_ko)
    return Text(f"{noun}, {' and '.join(en)}", f"{' '.join(ko)}인 {noun_ko}")
