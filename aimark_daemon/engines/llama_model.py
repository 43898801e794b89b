"""A GGUF model and its context in llama.cpp: load, tokenise, evaluate. Imported in the worker process only."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from aimark_daemon.engines.faults import (
    LLM_FAILED,
    LLM_OUT_OF_MEMORY,
    LLM_SETTINGS_INVALID,
    MODEL_FILE_MISSING,
    MODEL_INVALID,
)
from aimark_daemon.engines.llama_devices import Placement
from aimark_daemon.engines.llama_lib import lib
from aimark_daemon.engines.llama_log import LlamaLog, tells_out_of_memory
from aimark_daemon.engines.llama_settings import LlamaSettings, usable_cores
from aimark_daemon.engines.parked import Identity, model_file
from aimark_daemon.errors import AimarkError

LOG: Final = LlamaLog()
GGUF_MAGIC: Final = b"GGUF"


class Decoded(IntEnum):
    """How an evaluation ended, as far as one can go on after it (llama.h, `llama_decode`)."""

    OK = 0
    FULL = 1
    """No free cells; nothing changed."""
    ABORTED = 2
    """The abort callback said so; finished micro-batches stay."""


class Piece(NamedTuple):
    """Tokens of one sequence, from `position` on; `logits` of the last one are wanted, for a sampler."""

    sequence: int
    position: int
    tokens: Sequence[int]
    logits: bool


class LlamaModel:
    """One loaded model with one context of several sequences."""

    def __init__(self, settings: LlamaSettings, progress: Callable[[], None]) -> None:
        """Load. Raises AimarkError: the file is missing or no model, or memory is short."""
        _check_file(settings.path)
        _check_settings(settings)
        LOG.install(lib)
        LOG.clear()
        lib.llama_backend_init()
        self.threads = min(settings.threads, usable_cores()) if settings.threads > 0 else usable_cores()
        self.offloads = bool(lib.llama_supports_gpu_offload()) and settings.n_gpu_layers != 0
        self._model: Any = None
        self._ctx: Any = None
        self._batch: Any = None
        self._load_model(settings, progress)
        try:
            self._make_context(settings)
        except AimarkError:
            self.close()
            raise
        self._nobody = lib.ggml_abort_callback()
        self._pieces: dict[int, bytes] = {}

    def _load_model(self, settings: LlamaSettings, progress: Callable[[], None]) -> None:
        params = lib.llama_model_default_params()
        params.n_gpu_layers = settings.n_gpu_layers if self.offloads else 0
        placement = Placement(no_card=not self.offloads, experts_on_cpu=settings.experts_on_cpu)
        placement.put_into(params)

        def told(_fraction: float, _user_data: object) -> bool:
            progress()
            return True

        callback = lib.llama_progress_callback(told)
        params.progress_callback = callback
        self._model = lib.llama_model_load_from_file(os.fsencode(settings.path), params)
        if not self._model:
            words = LOG.last_words
            if tells_out_of_memory(words):
                raise LLM_OUT_OF_MEMORY(detail=words)
            raise MODEL_INVALID(detail=words, path=settings.path)
        self.vocab = lib.llama_model_get_vocab(self._model)
        if not lib.llama_model_has_decoder(self._model) or lib.llama_vocab_type(self.vocab) == 0:
            self.close()
            raise MODEL_INVALID(detail="the model does not generate text", path=settings.path)

    def _make_context(self, settings: LlamaSettings) -> None:
        params = lib.llama_context_default_params()
        trained = lib.llama_model_n_ctx_train(self._model)
        params.n_ctx = min(settings.n_ctx, trained) if trained > 0 else settings.n_ctx
        params.n_batch = settings.n_batch
        params.n_ubatch = min(settings.n_ubatch, settings.n_batch)
        params.n_seq_max = settings.sequences + bool(settings.system)  # the instructions have one of their own
        params.n_threads = params.n_threads_batch = self.threads
        params.flash_attn_type = settings.flash_attn
        params.kv_unified = True  # a sequence may use every cell, and prefixes are shared without a copy
        params.swa_full = True  # a rewound sliding window is corrupt otherwise
        params.offload_kqv = self.offloads
        if settings.type_k is not None:
            params.type_k = settings.type_k
        if settings.type_v is not None:
            params.type_v = settings.type_v
        self._ctx = lib.llama_init_from_model(self._model, params)
        if not self._ctx:
            words = LOG.last_words
            if tells_out_of_memory(words):
                raise LLM_OUT_OF_MEMORY(detail=words)
            raise LLM_SETTINGS_INVALID(detail=words, what="llama.cpp made no context")
        self.memory = lib.llama_get_memory(self._ctx)
        self.n_ctx = min(int(params.n_ctx), int(lib.llama_n_ctx(self._ctx)))
        self.n_batch = int(lib.llama_n_batch(self._ctx))
        self.n_ubatch = int(lib.llama_n_ubatch(self._ctx))
        self.n_vocab = int(lib.llama_vocab_n_tokens(self.vocab))
        self.rewinds = not (lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model))
        self._batch = lib.llama_batch_init(self.n_batch, 0, 1)

    def close(self) -> None:
        """Free batch, context and model. Idempotent."""
        if self._batch is not None:
            lib.llama_batch_free(self._batch)
        if self._ctx:
            lib.llama_free(self._ctx)
        if self._model:
            lib.llama_model_free(self._model)
        self._batch = self._ctx = self._model = None

    # What the file says ---------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """Facts about the model: architecture, parameters, layers, bytes."""
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self._model, buffer, len(buffer))
        return {
            "description": buffer.value.decode("utf-8", errors="replace"),
            "n_params": int(lib.llama_model_n_params(self._model)),
            "n_layers": int(lib.llama_model_n_layer(self._model)),
            "n_vocab": self.n_vocab,
            "bytes": int(lib.llama_model_size(self._model)),
            "context_trained": int(lib.llama_model_n_ctx_train(self._model)),
            "offloads": self.offloads,
            "rewinds": self.rewinds,
        }

    def identity(self, settings: LlamaSettings) -> Identity:
        """What states of this context have in common with those of another one that can take them.

        How values lie in memory is not among it, because llama.cpp does not tell whether flash attention is used: it
        refuses states of the other kind. Some models turn keys by other angles in a context beyond the original one.
        """
        architecture = self._value("general.architecture")
        original = self._value(f"{architecture}.rope.scaling.original_context_length")
        extended = original.isdigit() and self.n_ctx > int(original)
        f16 = lib.GGML_TYPE_F16
        return Identity(
            engine=f"llama-cpp-python {version('llama-cpp-python')}",
            model=model_file(settings.path),
            keys=str(f16 if settings.type_k is None else settings.type_k),
            values=str(f16 if settings.type_v is None else settings.type_v),
            shape="extended" if extended else "",
        )

    def _value(self, key: str) -> str:
        """A value of the file's header as text, empty for none."""
        buffer = ctypes.create_string_buffer(256)
        size = lib.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", errors="replace") if size >= 0 else ""

    def chat_template(self) -> str:
        """The Jinja chat template of the file, empty if it has none."""
        template = lib.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", errors="replace") if template else ""

    def token_text(self, token: int) -> str:
        """A token as it is written in templates, empty for none (-1)."""
        if token < 0:
            return ""
        return bytes(lib.llama_vocab_get_text(self.vocab, token) or b"").decode("utf-8", errors="replace")

    @property
    def bos(self) -> int:
        """The beginning-of-sequence token, -1 for none."""
        return int(lib.llama_vocab_bos(self.vocab))

    @property
    def eos(self) -> int:
        """The end-of-sequence token, -1 for none."""
        return int(lib.llama_vocab_eos(self.vocab))

    @property
    def adds_bos(self) -> bool:
        """Whether prompts of this model begin with `bos`."""
        return bool(lib.llama_vocab_get_add_bos(self.vocab)) and self.bos >= 0

    def ends(self, token: int) -> bool:
        """Whether the token ends the answer."""
        return bool(lib.llama_vocab_is_eog(self.vocab, token))

    # Text and tokens ------------------------------------------------------------------------------------------

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """The tokens of `text`; control tokens are only recognised in it if `special`."""
        data = text.encode("utf-8", errors="replace")
        if not data:
            return []
        size = len(data) + 8
        tokens = (lib.llama_token * size)()
        count = lib.llama_tokenize(self.vocab, data, len(data), tokens, size, False, special)
        if count < 0:
            raise LLM_FAILED(detail=f"a text of {len(data)} bytes could not be tokenised")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; none for control tokens."""
        known = self._pieces.get(token)
        if known is not None:
            return known
        buffer = ctypes.create_string_buffer(512)
        size = lib.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = lib.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, False)
        piece = buffer.raw[: max(0, size)]
        self._pieces[token] = piece
        return piece

    # Evaluation -----------------------------------------------------------------------------------------------

    @property
    def context(self) -> Any:
        """llama.cpp's context, for samplers."""
        return self._ctx

    def use_threads(self, threads: int | None, *, batches: bool = False) -> None:
        """Generate with this many threads, but no more than the engine's own; None: with those.

        What is evaluated together, a prompt, takes all, unless `batches` says that it is generating as well.
        """
        fewer = self.threads if threads is None else max(1, min(threads, self.threads))
        lib.llama_set_n_threads(self._ctx, fewer, fewer if batches else self.threads)

    def set_abort(self, callback: Any) -> None:
        """Ask `callback` (a `ggml_abort_callback`; None: nobody) before each operation of the graph. CPU only."""
        lib.llama_set_abort_callback(self._ctx, self._nobody if callback is None else callback, ctypes.c_void_p(0))

    def decode(self, tokens: Sequence[int], position: int, sequence: int, *, logits: bool = True) -> Decoded:
        """Evaluate tokens of one sequence; see `evaluate`."""
        return self.evaluate((Piece(sequence, position, tokens, logits),))

    def evaluate(self, pieces: Sequence[Piece]) -> Decoded:
        """Evaluate at most `n_batch` tokens of different sequences together.

        Logits that were wanted are then ready for samplers, at the index of their token: pieces lie one after another.

        Raises:
            AimarkError: memory ran out, or llama.cpp failed; the cache may hold a part of the tokens.
        """
        batch = self._batch
        at = 0
        for sequence, position, tokens, logits in pieces:
            for following, token in enumerate(tokens, position):
                batch.token[at] = token
                batch.pos[at] = following
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = sequence
                batch.logits[at] = 0
                at += 1
            batch.logits[at - 1] = logits
        batch.n_tokens = at
        code = lib.llama_decode(self._ctx, batch)
        if code == 0:
            return Decoded.OK
        if code in (Decoded.FULL, Decoded.ABORTED):
            return Decoded(code)
        words = LOG.last_words
        if code == -2 or tells_out_of_memory(words):  # noqa: PLR2004 - GGML_STATUS_ALLOC_FAILED
            raise LLM_OUT_OF_MEMORY(detail=f"llama_decode returned {code}\n{words}".strip())
        raise LLM_FAILED(detail=f"llama_decode returned {code}\n{words}".strip())


def _check_file(path: str) -> None:
    try:
        with Path(path).open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except (OSError, ValueError) as error:
        raise MODEL_FILE_MISSING(detail=str(error), path=path) from error
    if magic != GGUF_MAGIC:
        raise MODEL_INVALID(detail=f"the file begins with {magic!r}, not with {GGUF_MAGIC!r}", path=path)


def _check_settings(settings: LlamaSettings) -> None:
    for name, low, high in (("n_ctx", 256, 1 << 24), ("n_batch", 8, 1 << 16), ("n_ubatch", 8, 1 << 16)):
        if not low <= getattr(settings, name) <= high:
            raise LLM_SETTINGS_INVALID(what=f"{name} must be {low} to {high}")
    most = min(64, int(lib.llama_max_parallel_sequences())) - 1
    if not 1 <= settings.sequences <= most:
        raise LLM_SETTINGS_INVALID(what=f"sequences must be 1 to {most}")
