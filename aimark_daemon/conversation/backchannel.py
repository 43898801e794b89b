"""Sounds of listening: "mm-hm", "응", "right" tell that somebody listens, and do not ask for the floor. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

MANY: Final = 3
"""More words than these say something."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SOUNDS: Final = _set(
    "mm mmm mhm mmhm mmhmm hm hmm uh huh uhhuh ah aha oh ooh wow yeah yep yup yes ok okay right sure nice good i see "
    "음 으음 흠 응 응응 어 어어 엉 아 아아 아하 오 우와 와 네 네네 예 예예 그래 그래요 그렇지 그렇죠 그렇구나 그렇군요 "
    "맞아 맞아요 좋아 좋네"
)


def is_backchannel(text: str) -> bool:
    """Whether the words only say that somebody listens; True for no words at all."""
    cleaned = unicodedata.normalize("NFC", text).casefold().replace("-", "")
    words = "".join(c if c.isalnum() or c.isspace() else " " for c in cleaned).split()
    return len(words) <= MANY and all(word in _SOUNDS for word in words)
