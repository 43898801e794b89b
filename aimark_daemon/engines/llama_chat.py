"""One answer of a llama.cpp model: prompt into the cache, tokens out as text. Imported in the worker process only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import llama_cpp as lib

from aimark_daemon.conversation.stops import TextStream
from aimark_daemon.engines.base import ChatMessage, ChatRequest, ChatResult, EngineCall, TextDelta
from aimark_daemon.engines.faults import LLM_FAILED
from aimark_daemon.engines.llama_cache import SequenceCache, Slot
from aimark_daemon.engines.llama_model import LOG, Decoded, LlamaModel
from aimark_daemon.engines.llama_prompt import PromptBuilder
from aimark_daemon.engines.llama_sampler import Sampler
from aimark_daemon.engines.llama_settings import GPU_CHUNK, LlamaSettings
from aimark_daemon.engines.llama_template import ChatTemplate, Part

Finish = Literal["stop", "length", "cancelled"]

SLOW_TOKEN_S: Final = 0.03
"""Tokens that take longer are interrupted as well; the callback costs 0.3-0.6 ms of each token."""
ALIVE_S: Final = 1.0
"""How often a long evaluation tells the watchdog that it goes on."""
REPLAY_S: Final = 1.5
"""How long tokens of an answer that goes on may be evaluated one by one, as they were when they were chosen."""
ANSWER_SHARE: Final = 4
"""A prompt leaves room for `max_tokens`, but for no more than this part of the context."""


class _KvCells:
    """llama.cpp's memory as the `Cells` of the sequence cache."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def remove(self, sequence: int, start: int) -> bool:
        return bool(lib.llama_memory_seq_rm(self._memory, sequence, start, -1))

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        lib.llama_memory_seq_cp(self._memory, source, target, start, end)

    def first(self, sequence: int) -> int:
        return int(lib.llama_memory_seq_pos_min(self._memory, sequence))

    def last(self, sequence: int) -> int:
        return int(lib.llama_memory_seq_pos_max(self._memory, sequence))


class LlamaChat:
    """Answers requests with one model, keeping evaluated prefixes between them."""

    def __init__(self, settings: LlamaSettings, progress: Callable[[], None]) -> None:
        self._settings = settings
        self.model = LlamaModel(settings, progress)
        model = self.model
        self.template = ChatTemplate(model.chat_template(), model.token_text(model.bos), model.token_text(model.eos))
        self.prompts = PromptBuilder(model, self.template)
        self.cache = SequenceCache(_KvCells(model.memory), settings.sequences, rewinds=model.rewinds)
        self._chunk = min(model.n_ubatch, GPU_CHUNK) if model.offloads else model.n_ubatch

    def warm_up(self, progress: Callable[[], None]) -> None:
        """Touch everything an answer needs: a graphics card's pools grow at the first full micro-batch."""
        size = self.model.n_ubatch if self.model.offloads else 8
        token = max(0, self.model.bos)
        for tokens, position in (([token] * size, 0), ([token], size)):
            self.model.decode(tokens, position, 0)
            progress()
        lib.llama_memory_clear(self.model.memory, True)
        if self._settings.system:
            self._evaluate_system(self._settings.system, progress)

    def _evaluate_system(self, system: str, progress: Callable[[], None]) -> None:
        """Put the instructions into a sequence that belongs to no session; sessions copy them from there."""
        tokens = self.prompts.tokens((ChatMessage("system", system), ChatMessage("user", "")))
        slot = self.cache.claim("", tokens)
        for at in range(0, min(len(tokens), self.model.n_ctx // 2), self._chunk):
            chunk = tokens[at : at + self._chunk]
            self.model.decode(chunk, at, slot.sequence, logits=False)
            slot.tokens.extend(chunk)
            progress()
        self.cache.settle(slot)

    def answer(self, request: ChatRequest, call: EngineCall) -> ChatResult:
        """Answer, or go on with an answer. Raises AimarkError."""
        began = time.perf_counter()
        LOG.clear()
        room = min(request.sampling.max_tokens, self.model.n_ctx // ANSWER_SHARE)
        prompt, dropped = self.prompts.fit(request.messages, self.model.n_ctx - room)
        shown, stream = self._shown(request, prompt)
        self.model.use_threads(request.threads)
        turn = _Answer(self, request, call, prompt, shown, stream)
        try:
            turn.run()
        finally:
            turn.close()
        ended = time.perf_counter()
        return ChatResult(
            finish=turn.finish,
            prompt_tokens=len(prompt) + len(shown),
            reused_tokens=turn.reused,
            tokens=len(turn.generated),
            dropped_turns=dropped,
            prefill_s=(turn.prefilled or ended) - began,
            decode_s=ended - (turn.prefilled or ended),
        )

    def _shown(self, request: ChatRequest, prompt: list[int]) -> tuple[list[int], TextStream]:
        """The tokens of `continue_text`, and the text stream as they left it."""
        stream = TextStream(request.sampling.stop)
        given = request.continue_tokens
        if given and all(0 <= token < self.model.n_vocab for token in given):
            text = "".join([stream.feed(self.model.piece(token)) for token in given])
            if text == request.continue_text:
                return list(given), stream
        return self._shown_tokens(request, prompt), TextStream(request.sampling.stop)

    def _shown_tokens(self, request: ChatRequest, prompt: list[int]) -> list[int]:
        """The tokens of `continue_text`: those it was generated by if the session's sequence still has them."""
        rest = request.continue_text.encode("utf-8", errors="replace")
        tokens: list[int] = []
        slot = self.cache.of(request.session)
        if slot is not None and slot.tokens[: len(prompt)] == prompt:
            for token in slot.tokens[len(prompt) :]:
                piece = self.model.piece(token)
                if not piece or not rest.startswith(piece):
                    break
                tokens.append(token)
                rest = rest[len(piece) :]
        return tokens + self.prompts.part(Part(rest.decode("utf-8", errors="replace"), special=False))

    @property
    def chunk(self) -> int:
        """Tokens evaluated at once."""
        return self._chunk

    @property
    def seed(self) -> int | None:
        """The seed of requests that name none."""
        return self._settings.seed


class _Answer:
    """The work on one request."""

    def __init__(
        self,
        chat: LlamaChat,
        request: ChatRequest,
        call: EngineCall,
        prompt: Sequence[int],
        shown: Sequence[int],
        stream: TextStream,
    ) -> None:
        self._chat, self._model, self._cache = chat, chat.model, chat.cache
        self._request, self._call = request, call
        self._shown = shown
        self._stream = stream
        self._tokens = [*prompt, *shown]
        self._told_alive = time.perf_counter()
        self._cancelled = False
        self._abort = lib.ggml_abort_callback(self._should_abort)
        call.on_cancel(self._cancel)
        seed = request.sampling.seed if request.sampling.seed is not None else chat.seed
        self._sampler = Sampler(request.sampling, self._model.n_vocab, seed)
        self._sampler.accept(shown)
        self._slot: Slot | None = None
        self.reused = 0
        self.prefilled: float | None = None
        self.generated: list[int] = []
        self.finish: Finish = "cancelled"
        self._watched = False
        self._greedy = request.sampling.temperature <= 0
        self._replay_until = 0.0

    def close(self) -> None:
        """Free the sampler, leave no callback behind, and make the record equal to the cache."""
        self._sampler.close()
        self._model.set_abort(None)
        if self._slot is not None:
            self._cache.settle(self._slot)

    def run(self) -> None:
        """Prefill, then generate until something ends the answer."""
        if not self._tokens:
            raise LLM_FAILED(detail="the prompt is empty")
        if self._stream.stopped or len(self._tokens) >= self._model.n_ctx:
            self.finish = "stop" if self._stream.stopped else "length"
            return
        self._replay_until = time.perf_counter() + REPLAY_S
        slot = self._slot = self._cache.claim(self._request.session, self._tokens)
        self.reused = len(slot.tokens)
        self._model.set_abort(self._abort)
        if not self._prefill(slot):
            return
        self.prefilled = time.perf_counter()
        self._model.set_abort(None)
        self._generate(slot)

    def _prefill(self, slot: Slot) -> bool:
        """Evaluate what the sequence lacks, in chunks; False if cancelled."""
        while (at := len(slot.tokens)) < len(self._tokens):
            if self._is_cancelled():
                return False
            chunk = self._next_chunk(at)
            if not self._evaluate(slot, chunk, logits=at + len(chunk) == len(self._tokens)):
                return False
            if self._model.offloads:
                lib.llama_synchronize(self._model.context)
            self._call.progress()
        return not self._is_cancelled()

    def _next_chunk(self, at: int) -> Sequence[int]:
        """What to evaluate at once.

        A greedy answer that goes on repeats the steps by which it came this far: evaluated together, the same tokens
        give logits that differ in their last bits, which decides between two words that are as good as equal.
        """
        prompt = len(self._tokens) - len(self._shown)
        if at < prompt and self._greedy:
            return self._tokens[at : min(prompt, at + self._chat.chunk)]
        if self._greedy and time.perf_counter() < self._replay_until:
            return self._tokens[at : at + 1]
        return self._tokens[at : at + self._chat.chunk]

    def _generate(self, slot: Slot) -> None:
        """Choose, tell and evaluate tokens until the answer ends; sets `finish`."""
        stream = self._stream
        most = self._request.sampling.max_tokens - len(self._shown)
        text: list[str] = []
        unsent: list[int] = []
        while True:
            if len(self.generated) >= most or len(slot.tokens) >= self._model.n_ctx:
                self.finish = "length"
                break
            token = self._sampler.sample(self._model.context)
            if self._model.ends(token):
                self.finish = "stop"
                break
            self.generated.append(token)
            unsent.append(token)
            if new := stream.feed(self._model.piece(token)):
                text.append(new)
                self._call.emit(TextDelta(new, len(unsent), tuple(unsent)))
                unsent = []
            else:
                self._call.progress()
            if stream.stopped:
                self.finish = "stop"
                break
            if self._is_cancelled() or not self._evaluate_next(slot, token):
                break
        rest = stream.finish()
        if rest and self.finish != "cancelled":
            text.append(rest)
            self._call.emit(TextDelta(rest, len(unsent), tuple(unsent)))
        self._remember("".join(text))

    def _evaluate_next(self, slot: Slot, token: int) -> bool:
        """Evaluate a generated token; where that is slow, the next one can be interrupted."""
        began = time.perf_counter()
        done = self._evaluate(slot, (token,), logits=True)
        slow = time.perf_counter() - began > SLOW_TOKEN_S
        if slow != self._watched:
            self._model.set_abort(self._abort if slow else None)
            self._watched = slow
        return done

    def _evaluate(self, slot: Slot, tokens: Sequence[int], *, logits: bool) -> bool:
        """Evaluate tokens at the end of the sequence; False if it was interrupted. Idle sequences make room."""
        position = len(slot.tokens)
        slot.tokens.extend(tokens)
        while True:
            match self._model.decode(tokens, position, slot.sequence, logits=logits):
                case Decoded.OK:
                    return True
                case Decoded.ABORTED:
                    return False
                case Decoded.FULL:
                    if not self._cache.evict_idle(slot):
                        raise LLM_FAILED(detail=f"no cells for {len(tokens)} tokens at {position}")

    def _remember(self, text: str) -> None:
        """Keep the answer's tokens for the next turn's prompt, if they are exactly its text."""
        answer = self._request.continue_text + text
        tokens = [*self._shown, *self.generated]
        if answer and b"".join(map(self._model.piece, tokens)) == answer.encode("utf-8", errors="replace"):
            self._chat.prompts.remember(answer, tokens)

    def _cancel(self) -> None:
        self._cancelled = True

    def _is_cancelled(self) -> bool:
        return self._cancelled or self._call.cancelled

    def _should_abort(self, _user_data: object) -> bool:
        """llama.cpp asks before each operation of the graph."""
        now = time.perf_counter()
        if now - self._told_alive > ALIVE_S:
            self._told_alive = now
            self._call.progress()
        LOG.interrupted = self._is_cancelled()
        return LOG.interrupted
