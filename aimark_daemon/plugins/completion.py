"""Completion: which commands fit what was typed so far, and which one was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from aimark_daemon.conversation.slash import SLASHES, fold
from aimark_daemon.plugins.keyboard import jamo_of, to_latin
from aimark_daemon.protocol.messages import CommandInfo

_ENOUGH = 2
"""Keys from which on an unfinished name says which command was meant."""


def complete(prefix: str, commands: Iterable[CommandInfo]) -> list[CommandInfo]:
    """The commands of which a name, in any language, goes on from `prefix` (with or without its slash); best first.

    Best are names that begin so, then those with the same keys (an unfinished syllable, the other keyboard layout),
    then those with the same initial consonants: `ㅇㅁㅈ` is 이미지.
    """
    typed = fold(prefix).lstrip(SLASHES)
    ranked = []
    for command in commands:
        ranks = [rank for name in spellings(command) if (rank := _rank(typed, name)) is not None]
        if ranks:
            ranked.append((min(ranks), command.name, command))
    return [command for _, _, command in sorted(ranked, key=lambda entry: entry[:2])]


def suggest(name: str, commands: Sequence[CommandInfo]) -> str | None:
    """The name of a command that was probably meant by `name`, which no command has; None if none is near."""
    typed, keys = fold(name), to_latin(fold(name))
    names = [spelling for command in commands for spelling in spellings(command)]
    for spelling in names:
        if to_latin(spelling) == keys:
            return spelling
    if len(keys) >= _ENOUGH and (fitting := complete(name, commands)):
        return next(spelling for spelling in spellings(fitting[0]) if _rank(typed, spelling) is not None)
    if near := difflib.get_close_matches(typed, names, n=1):
        return near[0]
    by_keys = {to_latin(spelling): spelling for spelling in names}
    found = difflib.get_close_matches(keys, by_keys, n=1, cutoff=0.75)
    return by_keys[found[0]] if found else None


def spellings(command: CommandInfo) -> list[str]:
    """Every name a command answers to, folded, the English one first."""
    return list(dict.fromkeys(fold(name) for name in (command.name, *(n for ns in command.names.values() for n in ns))))


def initials(text: str) -> str:
    """The text with each Hangul syllable as its initial consonant: "이미지" is "ㅇㅁㅈ"."""
    return "".join(jamo_of(character)[0] for character in text)


def _rank(typed: str, name: str) -> int | None:
    if name.startswith(typed):
        return 0
    if to_latin(name).startswith(to_latin(typed)):
        return 1
    if len(typed) <= len(name) and all(
        have == want or have == jamo_of(want)[0] for have, want in zip(typed, name, strict=False)
    ):
        return 2
    return None
