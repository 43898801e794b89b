"""Samples to text with Whisper: the short window, the language among two, greedy decoding, the guard."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

from aimark_daemon.engines.base import Language
from aimark_daemon.engines.whisper_guard import (
    FULL_FRAMES,
    HOP,
    doubtful,
    is_phantom,
    is_silence,
    loops,
    max_tokens,
    window_frames,
)

LANGUAGES = ("ko", "en")


@dataclass(frozen=True, slots=True)
class Heard:
    """What one piece of sound says. `probability`: of the language among Korean and English."""

    text: str = ""
    language: str = ""
    probability: float = 0.0
    no_speech: float = 0.0
    avg_logprob: float = 0.0
    cut_off: bool = False
    fallback: bool = False


class Decoder:
    """A loaded `faster_whisper.WhisperModel`, used by one thread at a time."""

    def __init__(self, model: Any) -> None:
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415
        from faster_whisper.transcribe import get_suppressed_tokens  # noqa: PLC0415

        self._model = model
        self._lock = threading.Lock()
        self.multilingual = bool(model.model.is_multilingual)
        languages = LANGUAGES if self.multilingual else ("en",)
        self._tokenizers = {
            language: Tokenizer(model.hf_tokenizer, self.multilingual, "transcribe", language) for language in languages
        }
        any_tokenizer = next(iter(self._tokenizers.values()))
        self._suppressed = list(get_suppressed_tokens(any_tokenizer, [-1]))

    def hear(self, samples: Any, language: Language = "auto") -> Heard:
        """The words in float32 `samples` (16 kHz, -1..1, at most 30 s)."""
        with self._lock:
            frames = window_frames(len(samples))
            heard = self._hear(samples, frames, language, beam=1)
            if frames < FULL_FRAMES and doubtful(heard.text, heard.avg_logprob, cut_off=heard.cut_off):
                heard = replace(self._again(samples, heard), fallback=True)
        empty = (
            is_silence(heard.no_speech, heard.avg_logprob)
            or is_phantom(heard.text, heard.no_speech, heard.avg_logprob)
            or loops(heard.text, cut_off=heard.cut_off)
        )
        return replace(heard, text="") if empty else heard

    def warm_up(self, frames: int) -> None:
        """Run every step once on silence in a window of `frames`, so that the first utterance finds memory ready."""
        import numpy as np  # noqa: PLC0415

        with self._lock:
            self._hear(np.zeros(HOP, np.float32), frames, "auto", beam=1, tokens=8)

    def _again(self, samples: Any, first: Heard) -> Heard:
        """The full window's words, unless they are worse."""
        language: Language = "ko" if first.language == "ko" else "en"
        second = self._hear(samples, FULL_FRAMES, language, beam=5)
        second = replace(second, probability=first.probability)
        broken_first = loops(first.text, cut_off=first.cut_off)
        broken_second = loops(second.text, cut_off=second.cut_off)
        if broken_first != broken_second:
            return first if broken_second else second
        return second if second.avg_logprob >= first.avg_logprob else first

    def _hear(self, samples: Any, frames: int, language: Language, *, beam: int, tokens: int | None = None) -> Heard:
        import numpy as np  # noqa: PLC0415

        padded = np.pad(samples, (0, max(0, frames * HOP - len(samples))))[: frames * HOP]
        features = self._model.feature_extractor(padded, padding=0)[:, :frames]
        encoded = self._model.encode(features)
        chosen, probability = self._language(encoded, language)
        tokenizer = self._tokenizers[chosen]
        limit = tokens or max_tokens(len(samples))
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            max_length=len(prompt) + limit,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
        )[0]
        ids = result.sequences_ids[0]
        return Heard(
            text=tokenizer.decode(ids).strip(),
            language=chosen,
            probability=probability,
            no_speech=result.no_speech_prob,
            avg_logprob=result.scores[0] * len(ids) / (len(ids) + 1),
            cut_off=len(ids) >= limit,
        )

    def _language(self, encoded: Any, language: Language) -> tuple[str, float]:
        if not self.multilingual:
            return "en", 1.0
        if language != "auto":
            return language, 1.0
        found = dict(self._model.model.detect_language(encoded)[0])
        shares = {name: found.get(f"<|{name}|>", 0.0) for name in LANGUAGES}
        best = max(LANGUAGES, key=lambda name: shares[name])
        return best, shares[best] / (sum(shares.values()) or 1.0)
