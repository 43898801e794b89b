"""A language model engine on a card of its own making: it obeys a budget of VRAM and fails as llama.cpp would.

Settings beside the plan's: `free` bytes are what the card has; what a plan takes is the engine's own reckoning (`layer`
bytes a layer, `cell` a token of context, `row` a token of batch). `trouble` is where memory runs out, or what else is
the matter.
"""

import logging
import os
import signal
import sys
import threading
from typing import Any, ClassVar

import msgspec

from aimark_daemon.engines.base import ChatRequest, ChatResult, Facts, TextDelta
from aimark_daemon.engines.faults import LLM_OUT_OF_MEMORY

MIB = 1 << 20


class BudgetSettings(msgspec.Struct, frozen=True):
    path: str
    free: int
    """Bytes that the card has for this engine."""
    n_gpu_layers: int = 0
    n_ctx: int = 4096
    n_ubatch: int = 512
    type_k: int = 1
    layer: int = 100 * MIB
    row: int = MIB // 2
    cell: int = MIB // 32
    trouble: str = "load"
    """load, context, abort at load, decode, abort, hang, kill, crash, or broken."""
    only_on_card: bool = True
    """The trouble is there only with layers on the card."""
    model: str = ""

    @property
    def takes(self) -> int:
        """Bytes of VRAM this wants."""
        if self.n_gpu_layers == 0:
            return 0
        kv = self.n_ctx * self.cell * (2 if self.type_k == 1 else 1) // 2
        return self.n_gpu_layers * self.layer + kv + self.n_ubatch * self.row


class BudgetEngine:
    """`CHAT` by echo, while memory lasts."""

    parallel: ClassVar[int] = 1

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        progress()
        self._forever = threading.Event()
        self._settings = msgspec.convert(settings, BudgetSettings)
        if self._settings.trouble == "broken":
            raise FileNotFoundError("없는 모델.gguf")
        if self._fails() and self._settings.trouble in ("load", "context", "abort at load"):
            self._fail(self._settings.trouble)
        return Facts(model=self._settings.model, context=self._settings.n_ctx, extra={"takes": self._settings.takes})

    def chat(self, request: ChatRequest, call: Any) -> ChatResult:
        call.emit(TextDelta("안녕"))
        if self._fails():
            self._fail(self._settings.trouble)
        call.emit(TextDelta("하세요"))
        return ChatResult(finish="stop", prompt_tokens=1, reused_tokens=0, tokens=2)

    def close(self) -> None:
        self._forever.set()

    def _fails(self) -> bool:
        settings = self._settings
        if settings.trouble in ("crash", "kill", "hang"):
            return settings.n_gpu_layers > 0 or not settings.only_on_card
        return settings.takes > settings.free

    def _fail(self, trouble: str) -> None:
        """End as the real engine does, in its words."""
        short = (self._settings.takes - self._settings.free) / MIB
        match trouble:
            case "load" | "context":
                what = "weights" if trouble == "load" else "the KV cache"
                raise LLM_OUT_OF_MEMORY(
                    f"ggml_backend_cuda_buffer_type_alloc_buffer: allocating {short:.2f} MiB on device 0: "
                    f"cudaMalloc failed: out of memory\nfailed to allocate buffer for {what}"
                )
            case "decode":
                raise LLM_OUT_OF_MEMORY("llama_decode returned -2")
            case "abort" | "abort at load":
                logging.getLogger("aimark.llama").error("CUDA error: out of memory")
                sys.stderr.write(
                    "  current device: 0, in function alloc at ggml-cuda.cu:503\nggml-cuda.cu:96: CUDA error\n"
                )
                sys.stderr.flush()
                os.abort()
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        self._forever.wait()
