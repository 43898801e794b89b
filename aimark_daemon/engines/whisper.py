"""Whisper: the hearing engine, on faster-whisper (CTranslate2) with a short encoding window.

Settings: `path` (the model's folder), `threads`, `device` ("auto", "cpu", "cuda"), `compute_type` ("int8").
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from aimark_daemon.audio.silero import Silero
from aimark_daemon.engines.base import AttendRequest, EngineCall, Facts, HearRequest, Transcript
from aimark_daemon.engines.voice_faults import (
    HEARING_FAILED,
    HEARING_MODEL_INVALID,
    HEARING_MODEL_MISSING,
    HEARING_OUT_OF_MEMORY,
)
from aimark_daemon.engines.whisper_attending import Attending
from aimark_daemon.engines.whisper_decoder import Decoder
from aimark_daemon.engines.whisper_guard import FULL_FRAMES, MIN_FRAMES
from aimark_daemon.engines.whisper_hearing import Hearing
from aimark_daemon.errors import AimarkError

NEEDED = ("model.bin", "config.json", "tokenizer.json")
CPU_COMPUTE = "int8"


class WhisperEngine:
    """Hears utterances, several at a time; the model itself works on one after the other."""

    parallel: ClassVar[int] = 8

    def __init__(self) -> None:
        self._decoder: Decoder | None = None
        self._silero: Silero | None = None

    def load(self, settings: dict[str, Any], progress: Callable[[], None]) -> Facts:
        """Load the model and hear a moment of silence with it.

        Raises:
            AimarkError: `hearing_model_missing`, `hearing_model_invalid`, `hearing_out_of_memory`.
        """
        path = Path(settings["path"])
        if missing := [name for name in NEEDED if not (path / name).is_file()]:
            raise HEARING_MODEL_MISSING(path=path, detail=", ".join(missing))
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        threads = int(settings.get("threads") or 1)
        device, compute = str(settings.get("device") or "auto"), str(settings.get("compute_type") or CPU_COMPUTE)
        started = time.monotonic()
        note = ""
        try:
            try:
                model, warmup_s = self._start(path, threads, device, compute, progress)
            except RuntimeError as error:
                if device != "auto" or not _has_cuda():
                    raise
                note = str(error)
                model, warmup_s = self._start(path, threads, "cpu", CPU_COMPUTE, progress)
        except MemoryError as error:
            raise HEARING_OUT_OF_MEMORY(detail=str(error)) from error
        except Exception as error:
            kind = HEARING_OUT_OF_MEMORY if _is_memory(error) else HEARING_MODEL_INVALID
            raise kind(path=path, detail=f"{type(error).__name__}: {error}") from error
        extra = {"device": model.model.device, "compute_type": model.model.compute_type}
        return Facts(
            model=path.name,
            languages=("ko", "en") if self._ready.multilingual else ("en",),
            threads=threads,
            load_s=time.monotonic() - started - warmup_s,
            warmup_s=warmup_s,
            extra=extra | ({"cuda_failed": note} if note else {}),
        )

    def hear(self, request: HearRequest, call: EngineCall) -> Transcript:
        """The words of one utterance, streamed as the call's input.

        Raises:
            AimarkError: `hearing_failed`, `hearing_out_of_memory`.
        """
        assert self._silero is not None
        return _heard(Hearing(self._ready, self._silero.stream(), request.language, call), call)

    def attend(self, request: AttendRequest, call: EngineCall) -> Transcript:
        """One utterance of an open microphone: voice and words are told as they come.

        Raises:
            AimarkError: `hearing_failed`, `hearing_out_of_memory`.
        """
        assert self._silero is not None
        attending = Attending(self._ready, self._silero.stream(), request.language, call)
        try:
            return _heard(attending, call)
        finally:
            attending.close()

    def close(self) -> None:
        """Free the models."""
        self._decoder = self._silero = None

    @property
    def _ready(self) -> Decoder:
        assert self._decoder is not None, "hear() before load()"
        return self._decoder

    def _start(
        self, path: Path, threads: int, device: str, compute: str, progress: Callable[[], None]
    ) -> tuple[Any, float]:
        """The loaded, warm model and the seconds its warm-up took."""
        from faster_whisper import WhisperModel  # noqa: PLC0415 - native, only in the child

        model = WhisperModel(str(path), device=device, compute_type=compute, cpu_threads=threads)
        progress()
        loaded = time.monotonic()
        self._decoder = Decoder(model)
        self._silero = Silero()
        for frames in (FULL_FRAMES, MIN_FRAMES):
            self._decoder.warm_up(frames)
            progress()
        return model, time.monotonic() - loaded


def _heard(hearing: Hearing | Attending, call: EngineCall) -> Transcript:
    """Feed all input; what was heard.

    Raises:
        AimarkError: `hearing_failed`, `hearing_out_of_memory`.
    """
    try:
        for data in call.input:
            if call.cancelled:
                break
            hearing.feed(data)
        return hearing.finish()
    except AimarkError:
        raise
    except (RuntimeError, ValueError, MemoryError) as error:
        kind = HEARING_OUT_OF_MEMORY if _is_memory(error) else HEARING_FAILED
        raise kind(detail=f"{type(error).__name__}: {error}") from error


def _has_cuda() -> bool:
    import ctranslate2  # noqa: PLC0415

    return bool(ctranslate2.get_cuda_device_count())


def _is_memory(error: BaseException) -> bool:
    words = str(error).lower()
    told = ("out of memory", "failed to allocate", "cublas_status_alloc_failed")
    return isinstance(error, MemoryError) or any(phrase in words for phrase in told)
