"""Answers of a llama.cpp model: prompt into the cache, tokens out as text. Imported in the worker process only."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from threading import Lock

from aimark_daemon.engines.base import ChatMessage, ChatRequest, ChatResult, EngineCall
from aimark_daemon.engines.llama_answer import Answer
from aimark_daemon.engines.llama_batcher import Batcher
from aimark_daemon.engines.llama_cache import SequenceCache
from aimark_daemon.engines.llama_cells import KvCells
from aimark_daemon.engines.llama_lib import lib
from aimark_daemon.engines.llama_model import LlamaModel
from aimark_daemon.engines.llama_parking import LlamaParking
from aimark_daemon.engines.llama_prompt import PromptBuilder
from aimark_daemon.engines.llama_settings import ANSWER_SHARE, GPU_CHUNK, LlamaSettings
from aimark_daemon.engines.llama_states import SavedStates
from aimark_daemon.engines.llama_template import ChatTemplate


class LlamaChat:
    """Answers requests with one model, several at once, keeping evaluated prefixes between them."""

    def __init__(self, settings: LlamaSettings, progress: Callable[[], None]) -> None:
        self._settings = settings
        self.model = LlamaModel(settings, progress)
        model = self.model
        self.template = ChatTemplate(model.chat_template(), model.token_text(model.bos), model.token_text(model.eos))
        self.prompts = PromptBuilder(model, self.template)
        self._prompting = Lock()
        self.saved = SavedStates(settings.saved_bytes)
        cells = KvCells(model.context)
        self.cache = SequenceCache(
            cells,
            settings.sequences,
            rewinds=model.rewinds,
            saved=self.saved,
            pinned=bool(settings.system),
            compact=not model.offloads,
        )
        self._chunk = min(model.n_ubatch, GPU_CHUNK) if model.offloads else model.n_ubatch
        self.batcher = Batcher(model, self.cache, self._chunk)
        self.parking = LlamaParking(
            cells=cells,
            cache=self.cache,
            saved=self.saved,
            prompts=self.prompts,
            prompting=self._prompting,
            run=self.batcher.run,
            identity=model.identity(settings),
        )

    def warm_up(self, progress: Callable[[], None]) -> None:
        """Touch everything an answer needs: a graphics card's pools grow at the first full micro-batch."""
        self.batcher.run(partial(self._warm_up, progress))

    def _warm_up(self, progress: Callable[[], None]) -> None:
        if self.model.offloads or not self._settings.system:
            size = self.model.n_ubatch if self.model.offloads else 8
            token = max(0, self.model.bos)
            for tokens, position in (([token] * size, 0), ([token], size)):
                self.model.decode(tokens, position, 0)
                progress()
            lib.llama_memory_clear(self.model.memory, True)
        if self._settings.system:  # which is warm-up enough for a processor
            self._evaluate_system(self._settings.system, progress)

    def _evaluate_system(self, system: str, progress: Callable[[], None]) -> None:
        """Put the instructions into the sequence that belongs to no session; sessions copy them from there."""
        tokens = self.prompts.tokens((ChatMessage("system", system), ChatMessage("user", "")))
        slot = self.cache.pinned
        assert slot is not None
        for at in range(0, min(len(tokens), self.model.n_ctx // 2), self._chunk):
            chunk = tokens[at : at + self._chunk]
            self.model.decode(chunk, at, slot.sequence, logits=False)
            slot.tokens.extend(chunk)
            progress()
        self.cache.settle(slot)

    def answer(self, request: ChatRequest, call: EngineCall) -> ChatResult:
        """Answer, or go on with an answer. May be called from several threads. Raises AimarkError."""
        began = time.perf_counter()
        room = min(request.sampling.max_tokens, self.model.n_ctx // ANSWER_SHARE)
        with self._prompting:
            prompt, dropped = self.prompts.fit(request.messages, self.model.n_ctx - room)
        answer = Answer(request, call, self.model, prompt, self._settings.seed, self.batcher.changed)
        self.batcher.submit(answer)
        answer.deliver()
        self._remember(answer)
        ended = time.perf_counter()
        return ChatResult(
            finish=answer.finish or "cancelled",
            prompt_tokens=len(prompt) + len(answer.shown or ()),
            reused_tokens=answer.reused,
            tokens=len(answer.generated),
            dropped_turns=dropped,
            prefill_s=(answer.prefilled or ended) - began,
            decode_s=ended - (answer.prefilled or ended),
        )

    def close(self) -> None:
        """End the decoding thread and free the model."""
        self.batcher.close()
        self.model.close()

    def _remember(self, answer: Answer) -> None:
        """Keep the answer's tokens for the next turn's prompt, if they are exactly its text."""
        text = answer.request.continue_text + "".join(answer.text)
        tokens = [*(answer.shown or ()), *answer.generated]
        if text and b"".join(map(self.model.piece, tokens)) == text.encode("utf-8", errors="replace"):
            with self._prompting:
                self.prompts.remember(text, tokens)
