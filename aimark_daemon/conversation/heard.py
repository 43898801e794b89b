"""What was heard of an answer: its words up to the sample at which the sound stopped. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from aimark_daemon.conversation.pace import letters

_WORD: Final = re.compile(r"\s*\S+")


def heard_text(reply: str, clauses: Sequence[tuple[int, str]], end: int, played: int) -> str:
    """The beginning of `reply` that was heard by sample `played`.

    `clauses` are those that were spoken, in order, each with the sample at which its sound begins; `end` is where all
    sound ends. Within a clause time is shared out by letters; a word counts as soon as half of it was heard.
    """
    at = 0
    for index, (start, text) in enumerate(clauses):
        found = reply.find(text, at)
        if played <= start or found < 0:
            break
        following = clauses[index + 1][0] if index + 1 < len(clauses) else end
        if played < following:
            heard = _beginning(text, (played - start) / (following - start))
            return reply[: found + heard] if heard else reply[:at]
        at = found + len(text)
    return reply[:at]


def reckoned_end(clauses: Sequence[tuple[int, str]], samples: int) -> int:
    """Where the sound of the last clause would have ended, of which only the beginning was made: by the pace of others.

    `samples` is how much sound there is of all `clauses`.
    """
    if not clauses:
        return samples
    *earlier, (start, text) = clauses
    said = sum(letters(before) for _, before in earlier)
    return max(samples, start + round(letters(text) * start / said)) if said else samples


def _beginning(text: str, share: float) -> int:
    """How many characters of a clause are said in its first `share` of time: whole words."""
    whole = max(1, letters(text))
    said, at = 0.0, 0
    for word in _WORD.finditer(text):
        length = letters(word.group())
        if (said + length / 2) / whole > share:
            break
        said += length
        at = word.end()
    return at
