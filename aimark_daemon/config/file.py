"""Configuration: config.json read, checked and changed. The settings themselves are declared in `config.types`."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from aimark_daemon.config import check
from aimark_daemon.config.faults import (
    CONFIG_INVALID,
    CONFIG_KEY_DOUBLED,
    CONFIG_KEY_IGNORED,
    CONFIG_KEY_UNKNOWN,
    CONFIG_UNREADABLE,
    CONFIG_UNWRITABLE,
)
from aimark_daemon.config.text import Document, KeyPath, parse
from aimark_daemon.config.types import Config
from aimark_daemon.errors import AimarkError, Fault, Text
from aimark_daemon.paths import create_folder, shipped_config, shipped_schema


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration in force, what people should know about its file, and where that is."""

    config: Config
    warnings: tuple[Fault, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Changes:
    """Dotted keys that differ between two configurations, by when they take effect."""

    live: tuple[str, ...]
    reload: tuple[str, ...]
    """When the engine (`llm`, `stt`, `tts`: the key's first part) is loaded again."""
    restart: tuple[str, ...]
    """When the daemon starts next."""

    @property
    def engines(self) -> frozenset[str]:
        """Engines to load again."""
        return frozenset(key.partition(".")[0] for key in self.reload)


def load_config(path: Path) -> Loaded:
    """Read the configuration; a missing file means defaults. Unknown keys are warnings.

    Raises:
        AimarkError: `config_invalid`, `config_broken`, `config_encoding`, `config_unreadable`.
    """
    return _checked(_read(path), path)


def set_value(loaded: Loaded, key: str, value: Any) -> Loaded:
    """Change the setting at the dotted `key` in the file; its other keys, unknown ones too, stay in their order.

    The file is read anew, so that what was edited meanwhile is kept. It is replaced atomically, and only if the whole
    is valid. A missing file begins as the shipped default.

    Raises:
        AimarkError: `config_key_unknown`, `config_unwritable`, and those of `load_config`.
    """
    path = tuple(key.split("."))
    if not _settable(path):
        raise CONFIG_KEY_UNKNOWN(key=key, nearest=check.nearest(path))
    document = _read(loaded.path, otherwise=shipped_config())
    target = document.values
    for name in path[:-1]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner
    target[path[-1]] = value
    for place in [place for place in document.lines if place[: len(path)] == path]:
        del document.lines[place]
    changed = _checked(document, loaded.path)
    try:
        text = json.dumps(document.values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        data = text.encode()
    except (TypeError, ValueError) as error:
        raise _invalid(check.Problem(path, value, Text("a JSON value", "JSON 값")), {}, loaded.path) from error
    _replace(loaded.path, data)
    return changed


def changes(old: Config, new: Config) -> Changes:
    """What differs between two configurations."""
    found: dict[str, list[str]] = {"live": [], "reload": [], "restart": []}
    for path, kind in check.settings():
        if _value_at(old, path) != _value_at(new, path):
            found[check.applies(kind)].append(".".join(path))
    return Changes(tuple(found["live"]), tuple(found["reload"]), tuple(found["restart"]))


def restart_keys(old: Config, new: Config) -> tuple[str, ...]:
    """Dotted keys whose change takes effect when the daemon starts next."""
    return changes(old, new).restart


def _read(path: Path, otherwise: Path | None = None) -> Document:
    try:
        return parse(path.read_bytes(), path)
    except FileNotFoundError:
        if otherwise is None:
            return Document({}, {}, ())
    except OSError as error:
        raise CONFIG_UNREADABLE(file=path, detail=error.strerror or str(error)) from error
    shipped = _read(otherwise)
    # Relative to where the shipped file lies, it would lead nowhere from here.
    shipped.values.pop("$schema", None)
    return Document({"$schema": shipped_schema().as_uri(), **shipped.values}, {}, ())


def _checked(document: Document, file: Path) -> Loaded:
    found = list(check.problems(document.values))
    wrong = [problem for problem in found if problem.allowed is not None]
    if wrong:
        raise _invalid(wrong[0], document.lines, file, others=wrong[1:])
    warnings = [
        CONFIG_KEY_IGNORED.fault(
            place=_place(problem.path, document.lines, file),
            key=".".join(problem.path),
            nearest=check.nearest(problem.path),
        )
        for problem in found
    ]
    warnings += [
        CONFIG_KEY_DOUBLED.fault(place=_place(path, document.lines, file), key=".".join(path))
        for path in document.doubled
    ]
    return Loaded(msgspec.convert(document.values, Config), tuple(warnings), file)


def _invalid(
    problem: check.Problem, lines: dict[KeyPath, int], file: Path, others: Iterable[check.Problem] = ()
) -> AimarkError:
    may_be = problem.allowed or Text("", "")
    return CONFIG_INVALID(
        place=_place(problem.path, lines, file),
        key=".".join(problem.path),
        value=check.shown(problem.value),
        allowed=may_be.en,
        allowed_ko=may_be.ko,
        file=file,
        detail="; ".join(
            f"{_place(other.path, lines, file)}{'.'.join(other.path)} is {check.shown(other.value)}" for other in others
        ),
    )


def _place(path: KeyPath, lines: dict[KeyPath, int], file: Path) -> str:
    return f"{file}:{lines[path]}: " if path in lines else ""


def _settable(path: KeyPath) -> bool:
    known = {known for known, _ in check.settings()}
    plugin_settings = ("plugins", "settings")
    return (
        any(key[: len(path)] == path for key in known)
        or (path[:2] == plugin_settings and all(path))
        or (path[:-1] == ("llm", "system_prompt") and path[-1] in ("en", "ko"))
    )


def _value_at(config: Config, path: KeyPath) -> Any:
    value: Any = config
    for name in path:
        value = getattr(value, name)
    return value


def _replace(path: Path, data: bytes) -> None:
    """Put `data` into the file at `path` so that it holds either the old or the new text, whatever happens."""
    target = Path(os.path.realpath(path))  # a linked configuration stays linked
    if not target.parent.is_dir():
        create_folder(target.parent)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".config-", suffix=".json", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            Path(temporary).chmod(stat.S_IMODE(target.stat().st_mode))
        Path(temporary).replace(target)
    except OSError as error:
        with suppress(OSError):
            Path(temporary).unlink()
        raise CONFIG_UNWRITABLE(file=path, detail=error.strerror or str(error)) from error
