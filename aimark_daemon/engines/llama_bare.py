"""A bare llama.cpp loop: nothing around `llama_decode` and the sampler, as a measure for the engine."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from aimark_daemon.engines.base import ChatRequest, ChatResult, EngineCall, Facts
from aimark_daemon.engines.llama_settings import LlamaSettings

EVERY = 64
"""Tokens between two signs of life."""


class BareLoop:
    """Engine for `CHAT` that streams nothing: it times a prompt and the greedy tokens after it, from an empty cache."""

    parallel: ClassVar[int] = 1

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        """Load the model as the engine does."""
        from aimark_daemon.engines.llama_model import LlamaModel  # noqa: PLC0415 - native libraries load here
        from aimark_daemon.engines.llama_prompt import PromptBuilder  # noqa: PLC0415
        from aimark_daemon.engines.llama_template import ChatTemplate  # noqa: PLC0415

        began = time.perf_counter()
        model = self._model = LlamaModel(LlamaSettings.of(settings), progress)
        template = ChatTemplate(model.chat_template(), model.token_text(model.bos), model.token_text(model.eos))
        self._prompts = PromptBuilder(model, template)
        return Facts(context=model.n_ctx, threads=model.threads, load_s=time.perf_counter() - began)

    def chat(self, request: ChatRequest, call: EngineCall) -> ChatResult:
        """Evaluate the prompt, then `max_tokens` tokens one after another, whatever they are."""
        from aimark_daemon.engines.llama_lib import lib  # noqa: PLC0415 - imported in the worker process only

        context, memory = self._model.context, self._model.memory
        tokens, _ = self._prompts.fit(request.messages, self._model.n_ctx - request.sampling.max_tokens)
        lib.llama_memory_clear(memory, True)
        batch = lib.llama_batch_init(self._model.n_batch, 0, 1)
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())

        def decode(part: list[int], position: int) -> None:
            for i, token in enumerate(part):
                batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0] = token, position + i, 1, 0
                batch.logits[i] = i == len(part) - 1
            batch.n_tokens = len(part)
            if lib.llama_decode(context, batch):
                raise RuntimeError("llama_decode failed")

        try:
            began = time.perf_counter()
            for at in range(0, len(tokens), self._model.n_batch):
                decode(tokens[at : at + self._model.n_batch], at)
                call.progress()
            prefilled = time.perf_counter()
            count = request.sampling.max_tokens
            for at in range(len(tokens), len(tokens) + count):
                decode([lib.llama_sampler_sample(chain, context, -1)], at)
                if at % EVERY == 0:
                    call.progress()
            ended = time.perf_counter()
        finally:
            lib.llama_sampler_free(chain)
            lib.llama_batch_free(batch)
        return ChatResult("length", len(tokens), 0, count, prefill_s=prefilled - began, decode_s=ended - prefilled)

    def close(self) -> None:
        """Free the model."""
        self._model.close()
