"""Engine contracts: what a thinking (LLM), hearing (STT) and speaking (TTS) engine takes and gives.

An engine is a plain, synchronous object that lives in a worker process and may block. The daemon reaches it through
a `Worker` (see `workers.base`), which calls a `Method` by name. Requests, events and results are the structs below,
so that fake and real engines, in a child or in a thread, obey one contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

import msgspec

from aimark_daemon.conversation.prompt import ChatMessage as ChatMessage  # noqa: PLC0414 - part of this contract
from aimark_daemon.conversation.prompt import Role as Role  # noqa: PLC0414 - part of this contract

Language = Literal["auto", "ko", "en"]

Req = TypeVar("Req")
Ev = TypeVar("Ev")
Res = TypeVar("Res")


class Method(msgspec.Struct, Generic[Req, Ev, Res], frozen=True):
    """A typed entry of an engine: its attribute name and the types of request, streamed event and result."""

    name: str
    request: type[Req]
    event: type[Ev]
    result: type[Res]


class EngineCall(Protocol):
    """What an engine method is handed beside its request: the way back to the caller."""

    @property
    def cancelled(self) -> bool:
        """Whether the caller lost interest. Check it often; then return early with what there is."""

    def emit(self, event: Any) -> None:
        """Send one event to the caller. Also counts as progress for the hang watchdog."""

    def progress(self) -> None:
        """Tell the hang watchdog that work goes on (long prefill, long decode)."""

    def on_cancel(self, callback: Any) -> None:
        """Run `callback()` (from another thread, at once) when the caller cancels."""

    @property
    def input(self) -> Iterator[bytes]:
        """The caller's streamed bytes, blocking until more come; ends when the caller ends or cancels."""


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an engine says of itself once it has loaded and warmed up. What it does not know is absent."""

    model: str = ""
    context: int | None = None
    """Tokens that fit one conversation (LLM)."""
    sample_rate: int | None = None
    """Hz of the speech that comes out (TTS)."""
    languages: tuple[str, ...] = ()
    threads: int | None = None
    load_s: float | None = None
    warmup_s: float | None = None
    extra: dict[str, Any] = {}


class Engine(Protocol):
    """A child-side engine. Its methods are called from `parallel` threads; native imports happen in `load`."""

    parallel: ClassVar[int]

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        """Load and warm up; `progress()` feeds the watchdog. Raises AimarkError."""

    def close(self) -> None:
        """Free what was loaded. Called once, before the process ends."""


# Thinking -------------------------------------------------------------------------------------------------------


class Sampling(msgspec.Struct, frozen=True):
    """How the next token is chosen. Ranges are checked by the configuration."""

    temperature: float = 0.4
    top_p: float = 0.9
    top_k: int = 40
    min_p: float = 0.05
    repeat_penalty: float = 1.05
    max_tokens: int = 512
    seed: int | None = None
    stop: tuple[str, ...] = ()


class ChatRequest(msgspec.Struct, frozen=True):
    """A conversation to go on with.

    `session` names the conversation so that its evaluated prefix can be reused; `messages` starts with the system
    message and ends with the user's. `continue_text` is an answer's beginning that was already shown: the engine goes
    on after it and does not emit it again.
    """

    session: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    continue_text: str = ""
    threads: int | None = None
    """Threads for this answer, when fewer than the engine's own are wanted because speech works beside it."""
    priority: Literal["person", "background"] = "person"
    """Background work (a title, a summary) pauses while the engine answers people."""


class TextDelta(msgspec.Struct, frozen=True):
    """The next piece of the answer: whole characters, never half of a UTF-8 sequence; `tokens` it took."""

    text: str
    tokens: int = 1


class ChatResult(msgspec.Struct, frozen=True):
    """How an answer ended. Times in seconds from the moment the engine began the request."""

    finish: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    reused_tokens: int
    """Prompt tokens that were not evaluated again."""
    tokens: int
    """Generated tokens."""
    dropped_turns: int = 0
    """Oldest whole turns left out because the context is full."""
    prefill_s: float = 0.0
    decode_s: float = 0.0


class CountRequest(msgspec.Struct, frozen=True):
    """A text whose tokens are to be counted."""

    text: str


class Count(msgspec.Struct, frozen=True):
    """A number of tokens."""

    tokens: int


class NoEvent(msgspec.Struct, frozen=True):
    """A method that streams nothing."""


CHAT = Method("chat", ChatRequest, TextDelta, ChatResult)
COUNT = Method("count", CountRequest, NoEvent, Count)


# Hearing --------------------------------------------------------------------------------------------------------


class HearRequest(msgspec.Struct, frozen=True):
    """One utterance to hear: its samples are streamed as the call's input (16 kHz mono s16le), then ended."""

    language: Language = "auto"


class Partial(msgspec.Struct, frozen=True):
    """What was understood so far; replaced by the next one and by the transcript."""

    text: str


class Transcript(msgspec.Struct, frozen=True):
    """What was heard. `text` is empty when nobody spoke. Times in seconds from the utterance's first sample."""

    text: str
    language: str = ""
    """"ko" or "en"; empty when nobody spoke."""
    probability: float = 0.0
    """How sure the engine is of the language, 0..1."""
    audio_s: float = 0.0
    voiced_start_s: float | None = None
    voiced_end_s: float | None = None
    took_s: float = 0.0
    """From the end of input to this transcript."""
    fallback: bool = False
    """The short window's guard fired and the full window was used."""


HEAR = Method("hear", HearRequest, Partial, Transcript)


# Speaking -------------------------------------------------------------------------------------------------------


class SpeakRequest(msgspec.Struct, frozen=True):
    """One clause to speak. `language` is "ko" or "en"; `speed` 1.0 is the voice's own."""

    text: str
    language: str = "en"
    speed: float = 1.0


class Audio(msgspec.Struct, frozen=True):
    """The next piece of speech: mono s16le at the voice's rate (`Facts.sample_rate`)."""

    pcm: bytes


class Spoken(msgspec.Struct, frozen=True):
    """How much was spoken."""

    samples: int
    sample_rate: int
    took_s: float = 0.0


SPEAK = Method("speak", SpeakRequest, Audio, Spoken)

METHODS: dict[str, Method[Any, Any, Any]] = {m.name: m for m in (CHAT, COUNT, HEAR, SPEAK)}
"""Every method by name; the child decodes requests with it. Plugins' engines may add theirs."""
