"""Text as the store needs it: titles, search terms and excerpts. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from aimark_daemon.store.faults import TITLE_INVALID

TITLE_CHARS: Final = 200
AUTOMATIC_TITLE_CHARS: Final = 40
_EXCERPT_BEFORE: Final = 30
_EXCERPT_CHARS: Final = 120
_QUERY_CHARS: Final = 1000
_WORD_CHARS: Final = 64

# Hangul, kana and Han, which glue words and particles together: any two neighbours may be looked for.
_GRAM: Final = (
    "\u1100-\u11ff\u2e80-\u2fff\u3005-\u3007\u3031-\u3035\u3040-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff"
)
_SIGN: Final = "\u2190-\u2bff\U0001f000-\U0001faff"
_PIECE: Final = re.compile(f"(?P<gram>[{_GRAM}]+)|(?P<word>(?:(?![{_GRAM}_])\\w)+)|[{_SIGN}]")
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ZWJ: Final = "\u200d"


def storable(text: str) -> str:
    """`text` with lone surrogates, which no UTF-8 has, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def tidy(text: str) -> str:
    """`text` on one line: NFC, no control characters (white space among them becomes a space), trimmed."""
    kept = []
    for char in unicodedata.normalize("NFC", storable(text)):
        if char.isspace() and char != "\u00a0":
            kept.append(" ")
        elif unicodedata.category(char) not in {"Cc", "Cs"} and char not in _BIDI_CONTROLS:
            kept.append(char)
    # Taking characters out can bring a letter and its mark together.
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def clean_title(title: str) -> str:
    """A title as it is stored.

    Raises:
        AimarkError: `title_invalid`: nothing or more than 200 characters are left.
    """
    tidied = tidy(title)
    if not 1 <= len(tidied) <= TITLE_CHARS:
        raise TITLE_INVALID(limit=TITLE_CHARS, length=len(tidied))
    return tidied


def automatic_title(message: str) -> str:
    """A title from a conversation's first message: its first line that says something, at most 40 characters."""
    line = next((tidied for line in message.splitlines() if (tidied := tidy(line))), "")
    return cut(line, AUTOMATIC_TITLE_CHARS).rstrip()


def cut(text: str, limit: int) -> str:
    """The beginning of `text`, at most `limit` characters, not ending inside what is seen as one character."""
    if len(text) <= limit:
        return text
    end = limit
    while end > 0 and not _breaks_at(text, end):
        end -= 1
    return text[: end or limit]


def _breaks_at(text: str, index: int) -> bool:
    """Whether a grapheme ends before `text[index]`: the rules of UAX 29 that matter in practice."""
    before, after = text[index - 1], text[index]
    if _ZWJ in {before, after} or unicodedata.category(after) in {"Mn", "Me", "Mc"}:
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return False
    if "\u1160" <= after <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3"):
        return False
    if _is_flag_letter(after):
        run = 0
        while run < index and _is_flag_letter(text[index - 1 - run]):
            run += 1
        return run % 2 == 0
    return True


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def terms(text: str) -> list[str]:
    """Search terms in the order of the text: words, and each character and pair of neighbours of Hangul or Han.

    Two texts of which one contains the other (at word boundaries, for words) have term lists of which one contains
    the other, so that a phrase of terms finds a substring. Terms are ASCII: the index needs no Unicode tables.
    """
    found: list[str] = []
    for match in _PIECE.finditer(_folded(text)):
        if match["gram"] is None:
            found.append(_ascii(match.group()[:_WORD_CHARS]))
            continue
        codes = [f"_{ord(char):x}" for char in match["gram"]]
        for index, code in enumerate(codes):
            found.append(code)
            if index + 1 < len(codes):
                found.append(code + codes[index + 1])
    return found


def match_expression(query: str) -> str:
    """The full-text expression that finds every part of `query` (split at white space); empty if nothing can match.

    The last word of each part may be longer in the text, so that `gree` finds `greetings`.
    """
    phrases = []
    for part in query[:_QUERY_CHARS].split():
        if found := terms(part):
            last = list(_PIECE.finditer(_folded(part)))[-1]
            phrases.append(f'"{" ".join(found)}"' + ("*" if last["word"] else ""))
    return " AND ".join(phrases)


def excerpt(text: str, query: str) -> str:
    """The surroundings of the first part of `query` in `text`, on one line; … where something is left out."""
    whole = unicodedata.normalize("NFC", text)
    start = 0
    for part in unicodedata.normalize("NFC", query[:_QUERY_CHARS]).split():
        match = re.search(re.escape(part), whole, re.IGNORECASE) or _first_piece(part, whole)
        if match:
            start = max(0, match.start() - _EXCERPT_BEFORE)
            break
    while start > 0 and not _breaks_at(whole, start):
        start -= 1
    shown = cut(whole[start:], _EXCERPT_CHARS)
    before, after = "…" if start else "", "…" if start + len(shown) < len(whole) else ""
    return before + tidy(shown) + after


def _first_piece(part: str, whole: str) -> re.Match[str] | None:
    piece = _PIECE.search(part)
    return re.search(re.escape(piece.group()), whole, re.IGNORECASE) if piece else None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _ascii(piece: str) -> str:
    if piece.isascii():
        return piece
    return "".join(char if char.isascii() else f"_{ord(char):x}" for char in piece)
