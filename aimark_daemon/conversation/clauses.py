"""Clause cutter: an answer that is still being written becomes clauses to speak, each as early as it makes sense.

Pure and incremental: for every position it decides whether a clause ends there, and waits where the decision needs
characters that have not come yet. So the clauses do not depend on how the text was chunked, and joined they are it.
"""

from __future__ import annotations

import re
import unicodedata

from aimark_daemon.conversation.language import is_hangul

ENDERS = frozenset(".!?…")
WIDE_ENDERS = frozenset("。！？")
SOFT = frozenset(",;:—、，；：")
CLOSERS = frozenset("\"'”’»)]}」』）*_~`")
ABBREVIATIONS = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "mt", "vol", "pp", "fig", "vs"),
        *("approx", "dept", "est", "e.g", "i.e", "u.s", "u.k", "ph.d"),
    )
)
NUMBERING = frozenset(("no", "nos"))
"""Abbreviations before a number, words before anything else."""
CLOSING_ABBREVIATIONS = frozenset(("etc", "inc", "ltd", "co", "corp", "a.m", "p.m"))
"""Those that often end a sentence, which a capital letter or Hangul behind them shows."""
LINKING = frozenset(("and", "but", "because", "so", "while", "although", "which", "where", "when", "or"))
KO_LINKING = ("는데", "은데", "ㄴ데", "지만", "니까", "면서", "아서", "어서", "해서", "므로", "으면", "고", "며")
KO_NOT_LINKING = ("최고", "사고", "광고", "참고", "창고", "재고", "중고", "보고", "그리고", "그래서")
KO_AUXILIARY = ("있", "싶", "나서", "나면", "계시", "계십", "말", "보니", "안 ")
"""What goes on with -고 and -아서 as one verb: no pause before it."""

FIRST_SOFT = 4
FIRST_LINKING = 16
FIRST_LONG = 70
SECOND_SOFT = 32
LATER_SOFT = 140
LATER_LONG = 260
FENCE = "```"
EXTENDERS = "\u200d\ufe0e\ufe0f"


class ClauseCutter:
    """Takes text as it comes, gives clauses as they are complete: the first one short, the others whole sentences.

    A clause keeps its blanks and Markdown; `speakable.spoken_runs` makes it sayable. A code block is one clause.
    Lengths count letters and digits, a Hangul syllable as two.
    """

    def __init__(self) -> None:
        self._reset()

    def feed(self, delta: str) -> list[str]:
        """Take more text; the clauses that it completed."""
        self._text += delta
        return self._cut(final=False)

    def flush(self) -> list[str]:
        """The text is complete: its remaining clauses. The cutter is new again."""
        clauses = self._cut(final=True)
        if self._text:
            clauses.append(self._text)
        self._reset()
        return clauses

    def _reset(self) -> None:
        self._index = 0
        self._line = ""
        self._code = False
        self._begin("")

    def _begin(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._weight = 0
        self._ticks = 0

    def _cut(self, *, final: bool) -> list[str]:
        clauses = []
        while self._at < len(self._text):
            verdict = self._ends_here(final=final)
            if verdict is None:
                break
            if verdict:
                clauses.append(self._text[: self._at])
                self._begin(self._text[self._at :])
                self._index += 1
            self._take(self._text[self._at])
        return clauses

    def _take(self, char: str) -> None:
        self._at += 1
        if char == "\n":
            if self._line.lstrip(" \t").startswith(FENCE):
                self._code = not self._code
            self._line = ""
            self._ticks = 0
            return
        self._line += char
        self._ticks += char == "`"
        if not self._code:
            self._weight += _weight(char)

    def _ends_here(self, *, final: bool) -> bool | None:
        """Whether the clause ends before the character at hand; None: more text must come first."""
        here = self._text[self._at]
        if self._at == 0 or (here == "\n" and self._text[self._at - 1] == "\r"):
            return False
        fence = self._line.lstrip(" \t").startswith(FENCE)
        if self._code or fence:
            closed = self._code and fence and here in "\r\n"
            if closed:
                self._code, self._line = False, ""
            return closed
        if self._weight == 0 or here in "\r\n":
            return self._weight > 0
        if self._ticks % 2:
            return False
        before = self._text[: self._at].rstrip("".join(CLOSERS))
        return self._ends_at_blank(before, final=final) if here.isspace() else self._ends_glued(before, here)

    def _ends_glued(self, before: str, here: str) -> bool:
        """Whether a sentence ends although no blank follows it."""
        if here in ENDERS or here in WIDE_ENDERS or here in CLOSERS or _extends(here):
            return False
        if before[-1:] in WIDE_ENDERS:
            return True
        korean = before[-1:] in ENDERS and is_hangul(here) and is_hangul(before[-2:-1] or " ")
        return korean and "://" not in self._line.rsplit(maxsplit=1)[-1]

    def _ends_at_blank(self, before: str, *, final: bool) -> bool | None:
        last = before[-1:]
        if last in WIDE_ENDERS or last in "!?…":
            return True
        if last == ".":
            return self._ends_at_stop(before, final=final)
        soft = (FIRST_SOFT, SECOND_SOFT)[self._index] if self._index < 2 else LATER_SOFT  # noqa: PLR2004 - first, second
        if last in SOFT:
            return self._weight >= soft
        if self._weight >= (LATER_LONG if self._index else FIRST_LONG):
            return True
        if self._index == 0 and self._weight >= FIRST_LINKING:
            return self._links(before, final=final)
        return False

    def _ends_at_stop(self, before: str, *, final: bool) -> bool | None:
        word = before.rsplit(maxsplit=1)[-1].rstrip(".").lstrip("(\"'“‘[*_")
        if before.endswith(".."):
            return True
        known = word.casefold()
        letter = len(word) == 1 and word.isascii() and word.isalpha() and word != "I"
        if known in ABBREVIATIONS or letter or re.fullmatch(r"\s*(?:[>*_-]\s*)*\d{1,3}\.", self._line):
            return False
        closing = known in CLOSING_ABBREVIATIONS
        if not (closing or known in NUMBERING or word[-1:].isdigit()):
            return True
        rest = self._text[self._at :].lstrip(" \t")
        if not rest:
            return True if final else None
        return rest[0].isupper() or is_hangul(rest[0]) if closing else not rest[0].isdigit()

    def _links(self, before: str, *, final: bool) -> bool | None:
        """Whether a linking word follows, or a Korean linking ending came before."""
        rest = self._text[self._at :].lstrip(" \t")
        following = rest.split(maxsplit=1)
        if not final and (not following or len(following[0]) == len(rest)):
            return None
        if not following:
            return False
        following_word = unicodedata.normalize("NFC", following[0])
        if following_word.casefold() in LINKING:
            return True
        word = unicodedata.normalize("NFC", before.rsplit(maxsplit=1)[-1])
        if not word.endswith(KO_LINKING) or word.endswith(KO_NOT_LINKING) or len(word) < 2:  # noqa: PLR2004
            return False
        return not following_word.startswith(KO_AUXILIARY)


def _weight(char: str) -> int:
    if is_hangul(char):
        # Decomposed syllables count by their initial consonant, so that NFC and NFD text are cut alike.
        return 0 if 0x1160 <= ord(char) <= 0x11FF else 2  # noqa: PLR2004 - jamo vowels and finals
    return int(char.isalnum())


def _extends(char: str) -> bool:
    """Whether the character belongs to the one before it (combining mark, variation selector, joiner)."""
    return char in EXTENDERS or unicodedata.category(char).startswith("M")
