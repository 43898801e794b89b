"""A language model that says what it is told to: for tests of everything around a model, and of plugins."""

from __future__ import annotations

import re
import time
from typing import Any, ClassVar, Literal

import msgspec

from aimark_daemon.conversation.prompt import drop_oldest_turns
from aimark_daemon.conversation.stops import TextStream
from aimark_daemon.engines.base import (
    ChatMessage,
    ChatRequest,
    ChatResult,
    Count,
    CountRequest,
    EngineCall,
    Facts,
    Parked,
    ParkRequest,
    TextDelta,
    UnparkRequest,
)
from aimark_daemon.engines.faults import CONTEXT_OVERFLOW, LLM_FAILED, LLM_SETTINGS_INVALID
from aimark_daemon.engines.parked import Identity, Offer, open_parked, park

MESSAGE_TOKENS = 4
"""What the fake's template adds to each message."""


class FakeSettings(msgspec.Struct, frozen=True):
    """What the fake says."""

    replies: dict[str, str] = {}
    """The answer to a user message that contains the key; the first that fits is taken."""
    default: str = "You said: {text}"
    """The answer to anything else; `{text}` becomes the user's message."""
    delay_s: float = 0.0
    """Time each token takes."""
    n_ctx: int = 2048
    fail_after: int | None = None
    """Raise `llm_failed` after so many tokens."""
    model: str = "fake-llm"
    rewinds: bool = True
    """Whether it says that it can go back in what it has evaluated."""


def tokens_of(text: str) -> list[str]:
    """A word with the white space before it is a token."""
    return re.findall(r"\s*\S+|\s+$", text)


class FakeLLM:
    """Engine for `CHAT`, `COUNT`, `PARK` and `UNPARK` without a model; settings are `FakeSettings`."""

    parallel: ClassVar[int] = 1

    def __init__(self) -> None:
        self._settings = FakeSettings()
        self._evaluated: dict[str, list[str]] = {}
        self.requests: list[ChatRequest] = []
        """Everything it was asked, oldest first."""

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        """Take the settings. Raises AimarkError: they are wrong."""
        try:
            self._settings = msgspec.convert(settings, FakeSettings)
        except msgspec.ValidationError as error:
            raise LLM_SETTINGS_INVALID(what=str(error)) from error
        progress()
        known = self._settings
        extra = {"rewinds": known.rewinds}
        return Facts(model=known.model, context=known.n_ctx, load_s=0.0, warmup_s=0.0, extra=extra)

    def chat(self, request: ChatRequest, call: EngineCall) -> ChatResult:
        """Say the scripted answer, a word at a time. Raises AimarkError."""
        self.requests.append(request)
        limit = self._settings.n_ctx - min(request.sampling.max_tokens, self._settings.n_ctx // 4)
        messages, dropped, size = drop_oldest_turns(request.messages, _size, limit)
        if size > limit:
            raise CONTEXT_OVERFLOW(tokens=size, limit=limit)
        shown = tokens_of(request.continue_text)
        prompt = [token for message in messages for token in _prompt_tokens(message)]
        reused = self._reuse(request.session, [*prompt, *shown])
        if call.cancelled:
            return ChatResult("cancelled", len(prompt) + len(shown), reused, 0, dropped)
        call.progress()
        if request.only_prompt:
            return ChatResult("stop", len(prompt) + len(shown), reused, 0, dropped)
        finish, said = self._say(request, call, self._answer(messages, request), len(shown))
        self._evaluated[request.session].extend(said)
        return ChatResult(finish, len(prompt) + len(shown), reused, len(said), dropped)

    def count(self, request: CountRequest, _call: EngineCall) -> Count:
        """Count the words of a text."""
        return Count(len(tokens_of(request.text)))

    def park(self, request: ParkRequest, call: EngineCall) -> Parked:
        """Write what each session has said and heard, those used last first."""
        offers = []
        for session, tokens in reversed(self._evaluated.items()):
            state = msgspec.json.encode(tokens)
            offers.append(Offer(session, len(state), lambda state=state: ([], state)))  # type: ignore[misc]
        return park(request, call, self._identity, offers)

    def unpark(self, request: UnparkRequest, _call: EngineCall) -> Parked:
        """Know the sessions of a file again."""
        states = open_parked(request.path, self._identity)
        if states is None:
            return Parked()
        for entry in reversed(states.entries):
            self._evaluated.setdefault(entry.session, msgspec.json.decode(bytes(states.state(entry)), type=list[str]))
        return Parked(len(states.entries), sum(entry.size for entry in states.entries))

    def close(self) -> None:
        """Forget everything."""
        self._evaluated.clear()

    @property
    def _identity(self) -> Identity:
        return Identity("fake", self._settings.model)

    def _answer(self, messages: tuple[ChatMessage, ...], request: ChatRequest) -> str:
        text = messages[-1].content if messages else ""
        reply = next((reply for key, reply in self._settings.replies.items() if key in text), None)
        answer = reply if reply is not None else self._settings.default.replace("{text}", text)
        return answer.removeprefix(request.continue_text)

    def _say(
        self, request: ChatRequest, call: EngineCall, answer: str, shown: int
    ) -> tuple[Literal["stop", "length", "cancelled"], list[str]]:
        stream = TextStream(request.sampling.stop)
        said: list[str] = []
        unsent: list[int] = []
        for token in tokens_of(answer):
            if len(said) + shown >= request.sampling.max_tokens:
                return "length", said
            if call.cancelled:
                return "cancelled", said
            if len(said) == self._settings.fail_after:
                raise LLM_FAILED(detail="the fake was told to fail")
            if self._settings.delay_s:
                time.sleep(self._settings.delay_s)
            unsent.append(shown + len(said))
            said.append(token)
            if text := stream.feed(token.encode("utf-8", errors="replace")):
                call.emit(TextDelta(text, len(unsent), tuple(unsent)))
                unsent = []
            if stream.stopped:
                return "stop", said
        if rest := stream.finish():
            call.emit(TextDelta(rest, len(unsent), tuple(unsent)))
        return "stop", said

    def _reuse(self, session: str, tokens: list[str]) -> int:
        """How much of the prompt this session has seen; at least the last token is always new."""
        seen = self._evaluated.pop(session, [])
        reused = 0
        for old, new in zip(seen, tokens[:-1], strict=False):
            if old != new:
                break
            reused += 1
        self._evaluated[session] = list(tokens)
        return reused


def _prompt_tokens(message: ChatMessage) -> list[str]:
    return [f"<{message.role}>"] * MESSAGE_TOKENS + tokens_of(message.content)


def _size(messages: tuple[ChatMessage, ...]) -> int:
    return sum(len(_prompt_tokens(message)) for message in messages)
