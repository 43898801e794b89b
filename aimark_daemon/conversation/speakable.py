"""Written text made speakable: Markdown, code, addresses and emoji become what a person would read aloud. Pure."""

from __future__ import annotations

import re

from aimark_daemon.conversation.language import TextLanguage

MENTIONS: dict[str, dict[str, str]] = {
    "code": {"en": "(code)", "ko": "(코드)"},
    "link": {"en": "(link)", "ko": "(링크)"},
}

_BLANKS = re.compile(r"[ \t]{9,}")
_FENCE = re.compile(r"(?:^|(?<=\n))[ \t]*```.*?(?:\n[ \t]*```[^\S\n]*(?=\n|$)|$)", re.DOTALL)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,2000}(?:\s\"[^\"]{0,200}\")?\)")
_URL = re.compile(
    r"<?(?:https?|ftp)://[^\s<>가-힣]*[^\s<>가-힣.,;:!?)\]'\"]>?|\bwww\.[^\s<>가-힣]*[^\s<>가-힣.,;:!?)\]'\"]",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$", re.MULTILINE)
_LINE_START = re.compile(r"^[ \t]*(?:>[ \t]*)*(?:#{1,6}[ \t]+|[-*+•·][ \t]+(?:\[[ xX]\][ \t]+)?)?", re.MULTILINE)
_NUMBERED = re.compile(r"^([ \t]*\d{1,3})[.)](?=[ \t])", re.MULTILINE)
_UNDERSCORES = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_ARROWS = re.compile(r"[\u2190-\u21ff]|[-=]{1,3}>")
_EMOJI = re.compile(
    "[\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)
_BRACKETS = str.maketrans({"[": " ", "]": " ", "{": " ", "}": " ", "|": ",", "\\": " ", "^": " "})
_TABLE_ROW = re.compile(r"^[ \t]*\|(.*?)\|?[ \t]*$", re.MULTILINE)
_TIMES = re.compile(r"(?<=\d)[ \t]*\*[ \t]*(?=\d)")


def speakable(text: str, language: TextLanguage = "en") -> str:
    """What to say for `text`; empty if there is nothing to say. `language` is that of the short mentions.

    Code blocks are mentioned, not read; an address becomes "(link)"; emphasis, headings, bullets, table lines, tags
    and emoji disappear; a list's numbers stay.
    """
    text = _BLANKS.sub("        ", text)
    text = _FENCE.sub(f" {MENTIONS['code'][language]} ", text)
    text = _IMAGE_OR_LINK.sub(r"\1", text)
    text = _URL.sub(f" {MENTIONS['link'][language]} ", text)
    text = _TAG.sub(" ", text)
    text = _TABLE_RULE.sub("", _RULE.sub("", text))
    text = _NUMBERED.sub(r"\1,", _LINE_START.sub("", text))
    text = _TABLE_ROW.sub(_cells, text)
    text = _TIMES.sub(" × ", text).replace("*", "").replace("~~", "").replace("`", "")
    text = _UNDERSCORES.sub("", text)
    text = _EMOJI.sub("", _ARROWS.sub(", ", text)).translate(_BRACKETS)
    text = re.sub(r"\s+([.,!?;:…])", r"\1", " ".join(text.split()))
    return text if any(map(str.isalnum, text)) else ""


def _cells(row: re.Match[str]) -> str:
    return ", ".join(cell for part in row.group(1).split("|") if (cell := part.strip()))
