"""Slash lines: how `/name rest --option=value` is read, in any language and normal form."""

from __future__ import annotations

import re
import unicodedata

import msgspec

SLASHES = "/／"
_OPTION = re.compile(r"(?:^|(?<=\s))(--[^\s=]+)(?:=(\"[^\"]*\"|\S*))?(?=\s|$)")
_LINE = re.compile(rf"^[{SLASHES}]([^\s{SLASHES}]+)(?:\s+(.*))?$", re.DOTALL)


class SlashLine(msgspec.Struct, frozen=True):
    """A typed command line: the name as typed (NFC), the rest without options, the options with their values.

    An option without `=` has no value: None.
    """

    name: str
    rest: str = ""
    options: dict[str, str | None] = {}


def fold(name: str) -> str:
    """A name in the form in which names are compared: NFC, without case."""
    return unicodedata.normalize("NFC", name).casefold()


def parse_slash(text: str) -> SlashLine | None:
    """The command line in `text`, or None when it is talk (a path such as /usr/bin is talk)."""
    match = _LINE.match(unicodedata.normalize("NFC", text).strip())
    if match is None:
        return None
    name, rest = match[1], match[2] or ""
    before, separator, after = f" {rest} ".partition(" -- ")
    options = {m[1]: None if m[2] is None else m[2].strip('"') for m in _OPTION.finditer(before)}
    return SlashLine(name, (_OPTION.sub("", before) + (after if separator else "")).strip(), options)
