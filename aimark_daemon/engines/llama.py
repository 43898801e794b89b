"""The llama.cpp engine: thinks with a GGUF model. llama.cpp itself is imported when it loads, in the worker process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aimark_daemon.engines.base import (
    ChatRequest,
    ChatResult,
    Count,
    CountRequest,
    EngineCall,
    Facts,
    Parked,
    ParkRequest,
    UnparkRequest,
)
from aimark_daemon.engines.faults import LLM_FAILED
from aimark_daemon.engines.llama_settings import LlamaSettings

if TYPE_CHECKING:
    from aimark_daemon.engines.llama_chat import LlamaChat


class LlamaEngine:
    """Engine for `CHAT`, `COUNT`, `PARK` and `UNPARK`; settings are `LlamaSettings`.

    Up to `LlamaSettings.sequences` answers are generated at once. More callers than that are taken, so that those who
    wait are chosen by their priority, and a count never waits.
    """

    parallel: ClassVar[int] = 8

    def __init__(self) -> None:
        self._chat: LlamaChat | None = None

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        """Load the model and evaluate a first token, so that memory runs out now or not at all.

        Raises:
            AimarkError: `model_file_missing`, `model_invalid`, `llm_out_of_memory` or `llm_settings_invalid`, with
                llama.cpp's own words as detail.
        """
        typed = LlamaSettings.of(settings)
        began = time.perf_counter()
        if typed.n_gpu_layers == 0:
            # A build for CUDA would take a driver's context on every card it sees.
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        from aimark_daemon.engines.llama_chat import LlamaChat  # noqa: PLC0415 - native libraries load here, not before

        chat = LlamaChat(typed, progress)
        loaded = time.perf_counter()
        try:
            chat.warm_up(progress)
        except BaseException:
            chat.close()
            raise
        self._chat = chat
        return Facts(
            model=typed.model or Path(typed.path).stem,
            context=chat.model.n_ctx,
            threads=chat.model.threads,
            load_s=loaded - began,
            warmup_s=time.perf_counter() - loaded,
            extra=chat.model.describe() | {"chat_template": chat.template.present, "sequences": typed.sequences},
        )

    def chat(self, request: ChatRequest, call: EngineCall) -> ChatResult:
        """Answer a conversation, streaming `TextDelta`s.

        Raises:
            AimarkError: `context_overflow` before anything is evaluated; `llm_out_of_memory` or `llm_failed`.
        """
        return self._loaded.answer(request, call)

    def count(self, request: CountRequest, _call: EngineCall) -> Count:
        """Count the tokens of a text."""
        return Count(len(self._loaded.model.tokenize(request.text, special=False)))

    def park(self, request: ParkRequest, call: EngineCall) -> Parked:
        """Write the evaluated conversations into a file. What goes wrong is logged, and they stay out."""
        return self._loaded.parking.park(request, call)

    def unpark(self, request: UnparkRequest, _call: EngineCall) -> Parked:
        """Know the evaluated conversations of a file again. What goes wrong is logged, and they are not known."""
        return self._loaded.parking.unpark(request)

    def close(self) -> None:
        """Free model and context."""
        if self._chat is not None:
            self._chat.close()
            self._chat = None

    @property
    def _loaded(self) -> LlamaChat:
        if self._chat is None:
            raise LLM_FAILED(detail="no model is loaded")
        return self._chat
