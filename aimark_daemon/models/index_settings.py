"""The package index that the user configured for uv, in the words that pip understands."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec


class IndexSettings(msgspec.Struct, frozen=True):
    """Addresses of the main index and of further ones, and folders or pages that list wheels."""

    index: str = ""
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()

    def as_pip(self) -> dict[str, str]:
        """Environment variables for pip. An address may hold a password, so it never goes on a command line."""
        pairs = {
            "PIP_INDEX_URL": self.index,
            "PIP_EXTRA_INDEX_URL": " ".join(self.extra),
            "PIP_FIND_LINKS": " ".join(self.find_links),
        }
        return {name: value for name, value in pairs.items() if value}


def uv_settings(environment: Mapping[str, str], tomls: Iterable[str] = ()) -> IndexSettings:
    """What uv would use, from its variables and then from its `uv.toml` texts, the more specific first."""
    index = environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL") or ""
    extra = [*environment.get("UV_INDEX", "").split(), *environment.get("UV_EXTRA_INDEX_URL", "").split()]
    links = [link for link in environment.get("UV_FIND_LINKS", "").split(",") if link]
    for text in tomls:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        entries = [entry for entry in table.get("index", []) if isinstance(entry, dict) and entry.get("url")]
        default = [str(entry["url"]) for entry in entries if entry.get("default")]
        index = index or next(iter(default), "") or _text(table.get("index-url"))
        extra += [str(entry["url"]) for entry in entries if not entry.get("default") and not entry.get("explicit")]
        extra += _texts(table.get("extra-index-url"))
        links += _texts(table.get("find-links"))
    return IndexSettings(_address(index), tuple(map(_address, extra)), tuple(links))


def uv_toml_files(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> list[Path]:
    """Where uv looks for settings of the user and of the system, in that order."""
    if named := environment.get("UV_CONFIG_FILE"):
        return [Path(named)]
    if environment.get("UV_NO_CONFIG"):
        return []
    if platform == "win32":
        roots = [environment.get("APPDATA", ""), environment.get("PROGRAMDATA", "")]
        return [Path(root) / "uv" / "uv.toml" for root in roots if root]
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".config")
    system = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    return [Path(home) / "uv" / "uv.toml", *(Path(root) / "uv" / "uv.toml" for root in (*system, "/etc"))]


def pip_has_index(config_list: str) -> bool:
    """Whether pip's own configuration, as `pip config list` prints it, names an index."""
    return any(line.split("=", 1)[0].endswith(".index-url") for line in config_list.splitlines())


def _address(text: str) -> str:
    """The address of an index, without the name that uv allows before it (`name=address`)."""
    name, sign, rest = text.partition("=")
    return rest if sign and "://" in rest and "://" not in name and "/" not in name else text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
