"""Speaking pace: how far into a text its sound has come, so that another voice goes on with the words that follow."""

from __future__ import annotations

import re
from typing import Final

DEFAULT_LETTERS_PER_S: Final = 18.0
"""What a quick voice says a second, until it was heard for itself; a Hangul syllable counts as two letters."""
SURPLUS: Final = 0.1
"""Speech is uneven, and a word left out is better than one said twice: this share of what was heard is added."""


class Pace:
    """The pace of one voice at speed 1.0, learnt from what it has spoken."""

    def __init__(self) -> None:
        self._letters = 0.0
        self._seconds = 0.0

    @property
    def letters_per_s(self) -> float:
        """Letters a second."""
        return self._letters / self._seconds if self._seconds > 0 and self._letters else DEFAULT_LETTERS_PER_S

    def learn(self, text: str, seconds: float) -> None:
        """All of `text` took so long."""
        if seconds > 0:
            self._letters += letters(text)
            self._seconds += seconds

    def rest(self, text: str, seconds: float) -> str:
        """The words of `text` that were not heard in its first `seconds`: from the next word on, all if none were."""
        if seconds <= 0:
            return text
        heard = seconds * self.letters_per_s * (1 + SURPLUS)
        count = 0.0
        for word in re.finditer(r"\S+", text):
            if count >= heard:
                return text[word.start() :]
            count += letters(word.group())
        return ""


def letters(text: str) -> int:
    """How long a text is to say: letters and digits, a Hangul syllable as two."""
    return sum(1 + ("가" <= char <= "힣") for char in text if char.isalnum())
