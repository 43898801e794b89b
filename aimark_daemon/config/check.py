"""Check of the configuration: which keys are unknown, which values are wrong and what would be allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

from aimark_daemon.config.text import KeyPath
from aimark_daemon.config.types import APPLIES, DURATION, Config
from aimark_daemon.errors import Text

_SHOWN_CHARS: Final = 80


class Problem(msgspec.Struct, frozen=True):
    """A key at `path` that is unknown, or whose value is not what is `allowed`."""

    path: KeyPath
    value: Any
    allowed: Text | None
    """None: the key is unknown."""


def problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with `values`, in their order."""
    known = {name: value for name, value in values.items() if name != "$schema"}
    return _in_section(Config, known, ())


def settings(section: type[msgspec.Struct] = Config, path: KeyPath = ()) -> Iterator[tuple[KeyPath, inspect.Type]]:
    """Every single setting with its type."""
    for field in msgspec.structs.fields(section):
        kind = inspect.type_info(field.type)
        if isinstance(kind, inspect.StructType):
            yield from settings(kind.cls, (*path, field.name))
        else:
            yield (*path, field.name), kind


def applies(kind: inspect.Type) -> str:
    """When a changed setting of this type takes effect: "live", "reload" or "restart"."""
    extra = kind.extra_json_schema if isinstance(kind, inspect.Metadata) else None
    return str((extra or {}).get(APPLIES, "live"))


def nearest(path: KeyPath) -> str:
    """The known dotted key that looks most like `path`."""
    known = [setting for setting, _ in settings()]
    known += [(name,) for name in Config.__struct_fields__]

    def likeness(candidate: KeyPath) -> float:
        whole = difflib.SequenceMatcher(None, ".".join(path), ".".join(candidate)).ratio()
        last = difflib.SequenceMatcher(None, path[-1], candidate[-1]).ratio()
        return whole + last + 0.5 * (path[:-1] == candidate[:-1])

    best = max(known, key=likeness)
    return ".".join(best)


def shown(value: Any) -> str:
    """The value as it looks in the file, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


def _in_section(section: type[msgspec.Struct], values: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    fields = {field.name: field for field in msgspec.structs.fields(section)}
    for name, value in values.items():
        here = (*path, name)
        if name not in fields:
            yield Problem(here, value, None)
            continue
        kind = inspect.type_info(fields[name].type)
        inner = _section_of(kind)
        if inner is not None and isinstance(value, dict):
            yield from _in_section(inner, value, here)
            continue
        try:
            msgspec.convert(value, fields[name].type)
        except msgspec.ValidationError:
            yield Problem(here, value, allowed(kind))


def _section_of(kind: inspect.Type) -> type[msgspec.Struct] | None:
    """The group of settings that a value of this type may be."""
    match kind:
        case inspect.Metadata():
            return _section_of(kind.type)
        case inspect.StructType():
            return kind.cls
        case inspect.UnionType():
            return next((found for part in kind.types if (found := _section_of(part))), None)
    return None


def allowed(kind: inspect.Type) -> Text:  # noqa: C901, PLR0911 - one line for each type
    """What values of this type may be, in words."""
    match kind:
        case inspect.Metadata():
            return allowed(kind.type)
        case inspect.UnionType():
            parts = [allowed(part) for part in kind.types]
            return Text(" or ".join(part.en for part in parts), " 또는 ".join(part.ko for part in parts))
        case inspect.LiteralType():
            names = [json.dumps(value) for value in kind.values]
            return Text(" or ".join(names), " 또는 ".join(names))
        case inspect.IntType():
            return _number("a whole number", "정수", kind)
        case inspect.FloatType():
            return _number("a number", "수", kind)
        case inspect.BoolType():
            return Text("true or false", "true 또는 false")
        case inspect.NoneType():
            return Text("null", "null")
        case inspect.StrType():
            if kind.pattern == DURATION:
                return Text('a time as "10m" or "1h30m"', '"10m"이나 "1h30m" 같은 시간')
            least = kind.min_length or 0
            text = Text("a text that is not empty", "비어 있지 않은 문자열") if least else Text("a text", "문자열")
            if kind.max_length is None:
                return text
            return Text(f"{text.en}, {kind.max_length} characters at most", f"{kind.max_length}자 이하의 {text.ko}")
        case inspect.VarTupleType():
            item = allowed(kind.item_type)
            return Text(
                f"a list [ ] of at most {kind.max_length}: {item.en}", f"{item.ko}의 목록, {kind.max_length}개 이하"
            )
    return Text("an object { }", "객체 { }")


def _number(noun: str, noun_ko: str, kind: inspect.IntType | inspect.FloatType) -> Text:
    if kind.gt is not None:
        return Text(f"{noun} above {kind.gt} and up to {kind.le}", f"{kind.gt} 초과 {kind.le} 이하의 {noun_ko}")
    return Text(f"{noun} from {kind.ge} to {kind.le}", f"{kind.ge} 이상 {kind.le} 이하의 {noun_ko}")
