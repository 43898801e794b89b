"""What is asked in `aimark bench llm`: long conversations, the same for everybody who is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from aimark_daemon.engines.base import ChatMessage

STORY: Final = "Write a long story about a lighthouse keeper and the sea."
SHORT: Final = 12
"""Tokens of an answer whose first one counts."""
_WORDS: Final = (
    *("harbour", "lamp", "등대", "gull", "rope", "바다", "keeper", "stone"),
    *("파도", "letter", "bread", "항구", "window", "storm", "겨울"),
)


def notes(name: str, words: int) -> str:
    """`words` words that differ from those of another name from the beginning."""
    body = " ".join(_WORDS[(i * 7 + len(name)) % len(_WORDS)] for i in range(words))
    return f"Notes of {name}: {body}"


@dataclass
class Talk:
    """A session whose first message is long."""

    name: str
    words: int
    messages: list[ChatMessage] = field(default_factory=list)

    def ask(self) -> tuple[ChatMessage, ...]:
        """The conversation with the next question at its end."""
        first = not self.messages
        text = notes(self.name, self.words) if first else f"And in one word, what else ({len(self.messages)})?"
        self.messages.append(ChatMessage("user", f"{text}\nSay something about it." if first else text))
        return tuple(self.messages)

    def heard(self, answer: str) -> None:
        """The answer to the last question."""
        self.messages.append(ChatMessage("assistant", answer or "..."))
