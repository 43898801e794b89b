"""What a Piper voice is given to say: refused scripts, and pieces short enough to be spoken at once. Pure."""

from __future__ import annotations

import re

LONGEST = 220
"""Characters of one piece: about fifteen seconds of speech, and memory that grows with it."""

_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+")
_PAUSE = re.compile(r"(?<=[,;:、，；：])\s*|\s+(?=and\b|but\b|or\b)")


def pieces(text: str) -> list[str]:
    """The text by sentences; those too long at their pauses, then between words, at worst between characters."""
    # "[[" begins raw phonemes in Piper's own syntax.
    clean = " ".join(text.replace("[[", "[ [").split())
    found: list[str] = []
    for sentence in _SENTENCE.split(clean):
        found.extend(_fit(sentence, (_PAUSE, re.compile(r"\s+"))))
    return [piece for piece in found if any(map(str.isalnum, piece))]


def _fit(text: str, breaks: tuple[re.Pattern[str], ...]) -> list[str]:
    if len(text) <= LONGEST:
        return [text]
    if not breaks:
        return [text[i : i + LONGEST] for i in range(0, len(text), LONGEST)]
    fitted: list[str] = []
    for part in (p for p in breaks[0].split(text) if p):
        if fitted and len(fitted[-1]) + 1 + len(part) <= LONGEST:
            fitted[-1] += f" {part}"
        else:
            fitted.append(part)
    return [piece for part in fitted for piece in _fit(part, breaks[1:])]
