"""Which of the two languages a text is in, by its script. Pure."""

from __future__ import annotations

import re
from typing import Literal

TextLanguage = Literal["ko", "en"]

HANGUL_RANGES = (
    (0x1100, 0x11FF),
    (0x3130, 0x318F),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7A3),
    (0xD7B0, 0xD7FF),
    (0xFFA0, 0xFFDC),
)
"""Syllables, and the jamo that decomposed (NFD) text is made of."""

FOREIGN_PHRASE = 4
"""English words in a row that are a phrase of their own within a Korean sentence."""

_WORDS = re.compile(r"""\s*\S+?(?:["'”’»)\]](?=[가-힣])|(?=\s)|$)\s*|\s+""")
"""Words with the blanks around them; a particle behind a closing quotation mark is one of its own."""


def is_hangul(char: str) -> bool:
    """Whether the character is a Hangul syllable or jamo."""
    code = ord(char)
    return any(first <= code <= last for first, last in HANGUL_RANGES)


def is_latin(char: str) -> bool:
    """Whether the character is a letter of the Latin script, accents included."""
    return char.isalpha() and (char.isascii() or 0xC0 <= ord(char) <= 0x24F or 0x1E00 <= ord(char) <= 0x1EFF)  # noqa: PLR2004 - Latin-1 letters to Extended-B, Additional


def has_hangul(text: str) -> bool:
    """Whether any of it is Hangul."""
    return any(map(is_hangul, text))


def language_of(text: str, default: TextLanguage = "en") -> TextLanguage:
    """The language of most words; a word with a Korean particle ("Python은") is Korean. A tie is Korean.

    `default` is the answer for a text without letters of either script.
    """
    kinds = [kind for word in text.split() if (kind := _word_language(word))]
    if not kinds:
        return default
    return "ko" if 2 * kinds.count("ko") >= len(kinds) else "en"


def split_by_script(text: str, default: TextLanguage = "en") -> list[tuple[str, TextLanguage]]:
    """The text as runs of one language each, for voices that speak only one; joined they are the text.

    Words stay whole. Numbers and punctuation on their own go with what comes before them, at the beginning with what
    follows.
    """
    runs: list[tuple[str, TextLanguage | None]] = []
    for match in _WORDS.finditer(text):
        piece = match.group()
        kind = _word_language(piece)
        if runs and (kind is None or runs[-1][1] in (None, kind)):
            runs[-1] = (runs[-1][0] + piece, runs[-1][1] or kind)
        else:
            runs.append((piece, kind))
    return [(piece, kind or default) for piece, kind in runs]


def voice_runs(text: str, language: TextLanguage) -> list[tuple[str, TextLanguage]]:
    """The text as runs for voices of one language each; `language` is that of the whole. Joined they are the text.

    In a Korean sentence a few foreign words are a Korean speaker's ("GPT-4는 좋아요", "Visual Studio를 씁니다"); a
    phrase of more is spoken by the English voice. In an English sentence every Korean word has the Korean voice.
    """
    runs: list[tuple[str, TextLanguage]] = []
    for run, script in split_by_script(text, language):
        few = sum(_word_language(word) == "en" for word in run.split()) < FOREIGN_PHRASE
        spoken_in: TextLanguage = "ko" if language == "ko" and few else script
        if runs and runs[-1][1] == spoken_in:
            runs[-1] = (runs[-1][0] + run, spoken_in)
        else:
            runs.append((run, spoken_in))
    return runs


def _word_language(word: str) -> TextLanguage | None:
    if has_hangul(word):
        return "ko"
    return "en" if any(map(is_latin, word)) else None
