"""Text of the configuration: JSON with the line of every key, so that a wrong value can be pointed at."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from aimark_daemon.config.faults import CONFIG_BROKEN, CONFIG_ENCODING

KeyPath = tuple[str, ...]
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class Document(NamedTuple):
    """Parsed configuration. Lines count from 1."""

    values: dict[str, Any]
    lines: dict[KeyPath, int]
    doubled: tuple[KeyPath, ...]
    """Keys that are there twice; `values` and `lines` have the last one."""


def parse(data: bytes, file: Path) -> Document:
    """Read a configuration's bytes; a byte order mark is allowed.

    Raises:
        AimarkError: `config_encoding` with the line, `config_broken` with line and column.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CONFIG_ENCODING(place=f"{file}:{line}", detail=f"byte {error.start}") from error
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(values, ensure_ascii=False).encode()  # JSON may escape what no text can hold
    except json.JSONDecodeError as error:
        raise CONFIG_BROKEN(place=f"{file}:{error.lineno}:{error.colno}", detail=error.msg) from error
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        line = text.count("\n", 0, max(text.lower().find(half), 0)) + 1
        raise CONFIG_BROKEN(place=f"{file}:{line}", detail=f"{half} is half of a surrogate pair") from error
    except (ValueError, RecursionError) as error:
        raise CONFIG_BROKEN(place=str(file), detail=str(error)) from error
    if not isinstance(values, dict):
        raise CONFIG_BROKEN(place=f"{file}:1", detail="the file must hold one object { }")
    lines, doubled = _key_lines(text)
    return Document(values, lines, doubled)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _key_lines(text: str) -> tuple[dict[KeyPath, int], tuple[KeyPath, ...]]:
    """The line of every key of valid JSON, and the keys that occur twice in one object."""
    lines: dict[KeyPath, int] = {}
    doubled: list[KeyPath] = []
    open_brackets: list[str] = []
    path: list[str] = []
    key_next = False
    line, seen = 1, 0
    for match in _TOKEN.finditer(text):
        piece = match.group()
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if piece in ("{", "["):
            open_brackets.append(piece)
            path.append("")
            key_next = piece == "{"
        elif piece in ("}", "]"):
            open_brackets.pop()
            path.pop()
            key_next = False
        elif piece == ",":
            key_next = open_brackets[-1] == "{"
        elif key_next:
            path[-1] = json.loads(piece)
            if "[" not in open_brackets:
                found = tuple(path)
                if found in lines:
                    doubled.append(found)
                lines[found] = line
            key_next = False
    return lines, tuple(doubled)
