"""Prompt order: what the model sees of a conversation, from what never changes to what is new.

The order keeps evaluated prefixes valid: system message, completed turns oldest first, the new user message. A turn
is one user message and the answer to it; turns are kept or left out whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

Role = Literal["system", "user", "assistant"]


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of the conversation that the model sees."""

    role: Role
    content: str


SYSTEM_PROMPTS: Final[dict[str, str]] = {
    "en": (
        "You are AI MARK, a friendly voice assistant running on the user's own computer. "
        "Your answers are read aloud: reply in one to three short sentences, without lists, markdown or emoji. "
        "Answer in the language the user speaks. If you do not know something, say so."
    ),
    "ko": (
        "당신은 사용자의 컴퓨터에서 실행되는 친절한 음성 비서 AI MARK입니다. "
        "답변은 소리 내어 읽히므로 목록, 마크다운, 이모지 없이 "
        "자연스러운 한국어로 한 문장에서 세 문장까지 짧게 답하세요. "
        "사용자가 쓰는 언어로 답하고, 모르는 것은 모른다고 말하세요."
    ),
}
"""Instructions of a voice assistant by language. Static: a clock here would invalidate every evaluated prefix."""


def system_prompt(language: str) -> str:
    """The default instructions in `language` ("ko", or anything else for English)."""
    return SYSTEM_PROMPTS["ko" if language == "ko" else "en"]


def split(messages: Sequence[ChatMessage]) -> tuple[tuple[ChatMessage, ...], tuple[tuple[ChatMessage, ...], ...]]:
    """The leading system messages, and then every turn: a user message with what follows it.

    What stands between the system messages and the first user message belongs to no turn and is left out, unless
    there is no user message at all.
    """
    head = 0
    while head < len(messages) and messages[head].role == "system":
        head += 1
    starts = [i for i in range(head, len(messages)) if messages[i].role == "user"]
    if not starts:
        rest = tuple(messages[head:])
        return tuple(messages[:head]), (rest,) if rest else ()
    ends = [*starts[1:], len(messages)]
    return tuple(messages[:head]), tuple(tuple(messages[start:end]) for start, end in zip(starts, ends, strict=True))


def join(system: Sequence[ChatMessage], turns: Sequence[Sequence[ChatMessage]]) -> tuple[ChatMessage, ...]:
    """The messages of `split`, in order again."""
    return (*system, *(message for turn in turns for message in turn))


def limit_history(messages: Sequence[ChatMessage], turns: int) -> tuple[ChatMessage, ...]:
    """The system messages, the last `turns` completed turns and the new user message (the last turn).

    A turn without an answer is not completed: it is left out rather than shown as two user messages in a row.

    Raises:
        ValueError: `turns` is negative.
    """
    if turns < 0:
        raise ValueError(f"history of {turns} turns")
    system, all_turns = split(messages)
    if not all_turns:
        return system
    *earlier, last = all_turns
    completed = [turn for turn in earlier if any(m.role == "assistant" and m.content for m in turn)]
    return join(system, [*completed[max(0, len(completed) - turns) :], last])


def build_messages(system: str, history: Sequence[ChatMessage], user_text: str, turns: int) -> tuple[ChatMessage, ...]:
    """The messages for a new user text: `system` (left out if empty), the last `turns` turns of `history`, the text."""
    head = (ChatMessage("system", system),) if system else ()
    talked = (message for message in history if message.role != "system")
    return limit_history((*head, *talked, ChatMessage("user", user_text)), turns)


def drop_oldest_turns(
    messages: Sequence[ChatMessage], size: Callable[[tuple[ChatMessage, ...]], int], limit: int
) -> tuple[tuple[ChatMessage, ...], int, int]:
    """Leave out as few of the oldest whole turns as make `size(messages)` (tokens) fit `limit`.

    The system messages and the last turn always stay, so the result may still be too large: compare the size.
    `size` must not grow when a turn is left out; it is called about log2(turns) times.

    Returns:
        What is kept, the turns left out, and the size of what is kept.
    """
    kept = tuple(messages)
    tokens = size(kept)
    if tokens <= limit:
        return kept, 0, tokens
    system, turns = split(messages)
    low, high = 0, max(0, len(turns) - 1)
    kept = join(system, turns[high:])
    tokens = size(kept)
    while high - low > 1:
        middle = (low + high) // 2
        candidate = join(system, turns[middle:])
        candidate_tokens = size(candidate)
        if candidate_tokens <= limit:
            high, kept, tokens = middle, candidate, candidate_tokens
        else:
            low = middle
    return kept, high, tokens
