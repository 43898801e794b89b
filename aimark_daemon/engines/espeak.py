"""Espeak: the speaking engine for languages without a better voice, on libespeak-ng (rules, no model, no download).

The library and its data come with the package espeakng-loader; it is called through ctypes. Its voices sound like a
machine, but they speak: a sentence need not be read by the voice of another language.
"""

from __future__ import annotations

import ctypes
import functools
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

from aimark_daemon.conversation.language import has_hangul, language_of
from aimark_daemon.engines.base import Audio, EngineCall, Facts, SpeakRequest, Spoken
from aimark_daemon.engines.piper_text import pieces
from aimark_daemon.engines.voice_faults import ESPEAK_MISSING, SPEAKING_FAILED, VOICE_CANNOT_SPEAK
from aimark_daemon.engines.voice_sound import gap_s, resampled, trimmed
from aimark_daemon.engines.voice_sources import ESPEAK

VOICES: Final = {"en": "en-us", "ko": "ko"}
"""The library's name of the voice for each language."""
WORDS_PER_MINUTE: Final = {"en": 165, "ko": 140}
"""A calm pace: these voices are hard enough to follow."""
SLOWEST, FASTEST = 80, 450

_SYNCHRONOUS: Final = 2
"""AUDIO_OUTPUT_SYNCHRONOUS: `espeak_Synth` returns when all samples were given to the callback."""
_BUFFER_MS: Final = 100
_DONT_EXIT: Final = 0x8000
_UTF8: Final = 1
_RATE: Final = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_ONE_AT_A_TIME: Final = threading.Lock()


class EspeakEngine:
    """Speaks clauses in every language of `VOICES`, one at a time. Settings: none."""

    parallel: ClassVar[int] = 1

    def __init__(self) -> None:
        self._rate = 0

    def load(self, settings: dict[str, Any], progress: Callable[[], None]) -> Facts:  # noqa: ARG002 - the contract
        """Load the library and its data.

        Raises:
            AimarkError: `espeak_missing`.
        """
        started = time.monotonic()
        _, self._rate = _library()
        progress()
        return Facts(model=ESPEAK, sample_rate=self._rate, languages=tuple(VOICES), load_s=time.monotonic() - started)

    def speak(self, request: SpeakRequest, call: EngineCall) -> Spoken:
        """Say one clause; its sound is emitted sentence by sentence. A text without words gives no samples.

        Raises:
            AimarkError: `voice_cannot_speak`, `speaking_failed`.
        """
        import numpy as np  # noqa: PLC0415 - native, only in the child

        started = time.monotonic()
        korean = has_hangul(request.text) and language_of(request.text) == "ko"
        language = "ko" if korean else request.language
        if language not in VOICES:
            raise VOICE_CANNOT_SPEAK(voice=ESPEAK, language=language)
        rate = request.sample_rate or self._rate
        samples = 0
        for piece in pieces(request.text):
            raw = np.frombuffer(_synthesise(piece, language, request.speed, call), np.int16)
            if call.cancelled:
                break
            sound = trimmed(raw, self._rate, first=samples == 0, gap=gap_s(piece))
            sound = resampled(sound, self._rate, rate)
            if len(sound):
                samples += len(sound)
                call.emit(Audio(sound.astype("<i2").tobytes(), voice=ESPEAK))
        return Spoken(samples=samples, sample_rate=rate, took_s=time.monotonic() - started, voice=ESPEAK)

    def close(self) -> None:
        """Nothing to free: the library belongs to the process, which ends."""


@functools.cache
def _library() -> tuple[Any, int]:
    """The library and the rate of its sound in Hz. It has one state for the whole process."""
    try:
        import espeakng_loader  # noqa: PLC0415 - native, only in the child

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        rate = int(library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data, _DONT_EXIT))
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise ESPEAK_MISSING(detail=f"{type(error).__name__}: {error}") from error
    if rate <= 0:
        raise ESPEAK_MISSING(detail=f"espeak_Initialize gave {rate}")
    library.espeak_Synth.argtypes = (
        *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
        *(ctypes.c_void_p, ctypes.c_void_p),
    )
    return library, rate


def _synthesise(text: str, language: str, speed: float, call: EngineCall) -> bytes:
    """The samples of a text, native int16; what there is when the caller cancels."""
    sound = bytearray()

    def take(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, 2 * count))
        return int(call.cancelled)

    library, _ = _library()
    pace = min(FASTEST, max(SLOWEST, round(WORDS_PER_MINUTE[language] * speed)))
    encoded = text.replace("\0", " ").encode("utf-8", "replace")
    callback = _CALLBACK(take)
    with _ONE_AT_A_TIME:
        library.espeak_SetSynthCallback(callback)
        code = library.espeak_SetVoiceByName(VOICES[language].encode())
        library.espeak_SetParameter(_RATE, pace, 0)
        code = code or library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _UTF8, None, None)
    if code:
        raise SPEAKING_FAILED(detail=f"espeak gave {code}")
    return bytes(sound)
