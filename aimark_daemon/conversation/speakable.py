"""Written text made speakable: Markdown, code, numbers, addresses and emoji become what a person would read aloud.

Pure. `speakable` says a text in one language; `spoken_runs` also parts it among the voices.
"""

from __future__ import annotations

import re
import unicodedata

from aimark_daemon.conversation.language import TextLanguage, language_of, voice_runs
from aimark_daemon.conversation.numbers_ko import PARTICLE, with_particle
from aimark_daemon.conversation.reading_en import read_english
from aimark_daemon.conversation.reading_ko import read_korean

MENTIONS: dict[str, dict[str, str]] = {
    "code": {"en": "(code)", "ko": "(코드)"},
    "link": {"en": "(link)", "ko": "(링크)"},
}

_BLANKS = re.compile(r"[ \t]{9,}")
_FENCE = re.compile(r"(?:^|(?<=\n))[ \t]*```.*?(?:\n[ \t]*```[^\S\n]*(?=\n|$)|$)", re.DOTALL)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,2000}(?:\s\"[^\"]{0,200}\")?\)")
_URL = re.compile(
    r"(?:<?(?i:https?|ftp)://[^\s<>가-힣]*[^\s<>가-힣.,;:!?)\]'\"]>?"
    r"|\b(?i:www)\.[^\s<>가-힣]*[^\s<>가-힣.,;:!?)\]'\"])"
    rf"(?P<p>{PARTICLE})?"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$", re.MULTILINE)
_LINE_START = re.compile(r"^[ \t]*(?:>[ \t]*)*(?:#{1,6}[ \t]+|[-*+•·][ \t]+(?:\[[ xX]\][ \t]+)?)?", re.MULTILINE)
_NUMBERED = re.compile(r"^([ \t]*\d{1,3})[.)](?=[ \t]+\S)", re.MULTILINE)
_UNDERSCORES = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_ARROWS = re.compile(r"[\u2190-\u21ff]|[-=]{1,3}>")
_EMOJI = re.compile(
    "[\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)
_BRACKETS = str.maketrans({"[": " ", "]": " ", "{": " ", "}": " ", "|": ",", "\\": " ", "^": " "})
_TABLE_ROW = re.compile(r"^[ \t]*\|(.*?)\|?[ \t]*$", re.MULTILINE)
_BEFORE_STOP = re.compile(r"\s+([.,!?;:…](?![^\W_]))")
_TIMES = re.compile(r"(?<=\d)[ \t]*\*[ \t]*(?=\d)")


def speakable(text: str, language: TextLanguage = "en") -> str:
    """What to say for `text` in `language`; empty if there is nothing to say.

    Code blocks are mentioned, not read; an address becomes "(link)"; emphasis, headings, bullets, table lines, tags
    and emoji disappear; numbers and what stands for words become words, in composed (NFC) letters.
    """
    return _read(plain(text, language), language)


def spoken_runs(clause: str, default: TextLanguage = "en") -> list[tuple[str, TextLanguage]]:
    """What to say for a clause, in order, and by a voice of which language; `default` is that of the text around it."""
    language = language_of(plain(clause, default), default)
    runs = voice_runs(plain(clause, language), language)
    return [(said, spoken_in) for run, spoken_in in runs if (said := _read(run, spoken_in))]


def plain(text: str, language: TextLanguage = "en") -> str:
    """The text without what only eyes need: its words and numbers as they are written; `language` is the mentions'."""
    text = unicodedata.normalize("NFC", text)
    text = _BLANKS.sub("        ", text)
    text = _FENCE.sub(f" {MENTIONS['code'][language]} ", text)
    text = _IMAGE_OR_LINK.sub(r"\1", text)
    text = _URL.sub(lambda url: f" {with_particle(MENTIONS['link'][language], url['p'])} ", text)
    text = _TAG.sub(" ", text)
    text = _TABLE_RULE.sub("", _RULE.sub("", text))
    text = _NUMBERED.sub(r"\1,", _LINE_START.sub("", text))
    text = _TABLE_ROW.sub(_cells, text)
    text = _TIMES.sub(" × ", text).replace("*", "").replace("~~", "").replace("`", "")
    text = _UNDERSCORES.sub("", text)
    text = _EMOJI.sub("", _ARROWS.sub(", ", text)).translate(_BRACKETS)
    return _tidied(text)


def _read(text: str, language: TextLanguage) -> str:
    return _tidied(read_korean(text) if language == "ko" else read_english(text))


def _tidied(text: str) -> str:
    """Single blanks, none before punctuation; empty where no word is."""
    text = _BEFORE_STOP.sub(r"\1", " ".join(text.split()))
    return text if any(map(str.isalnum, text)) else ""


def _cells(row: re.Match[str]) -> str:
    return ", ".join(cell for part in row.group(1).split("|") if (cell := part.strip()))
