"""Fake hearing and speaking engines: the contract without models, for tests and for machines without them.

They import no numeric library and answer at once, the same for the same input.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from array import array
from collections.abc import Callable
from typing import Any, ClassVar

from aimark_daemon.conversation.endpoint import Onset, Rules
from aimark_daemon.conversation.language import has_hangul, language_of
from aimark_daemon.engines.base import (
    BLOCK_S,
    AttendRequest,
    Attention,
    Audio,
    EngineCall,
    Facts,
    HearRequest,
    Partial,
    SpeakRequest,
    Spoken,
    Transcript,
)
from aimark_daemon.engines.voice_faults import VOICE_CANNOT_SPEAK
from aimark_daemon.protocol.audio import MIC_RATE

FRAME = MIC_RATE // 50
ATTEND_BLOCK = int(BLOCK_S * MIC_RATE)
ATTEND_PAUSE = 4 * ATTEND_BLOCK
LOUD = 500
"""Mean amplitude of a 20 ms frame above which it counts as voice."""
SECONDS_PER_CHARACTER = 0.06
TONE_HZ = 330.0
AMPLITUDE = 8000
CHUNK_S = 0.1


class FakeSTT:
    """Hears the `texts` of its settings one after the other, over and over, whenever something loud was said.

    One that is a list is understood bit by bit: its first text at the first pause of the utterance, and so on.
    """

    parallel: ClassVar[int] = 8

    def __init__(self) -> None:
        self._texts: Any = itertools.cycle(("Hello.",))

    def load(self, settings: dict[str, Any], progress: Callable[[], None]) -> Facts:
        """Take `texts` from the settings."""
        if texts := tuple(settings.get("texts") or ()):
            self._texts = itertools.cycle(texts)
        progress()
        return Facts(model="fake-stt", languages=("ko", "en"), load_s=0.0, warmup_s=0.0)

    def hear(self, request: HearRequest, call: EngineCall) -> Transcript:
        """The next text if any frame is loud, else nothing."""
        data = bytearray()
        for piece in call.input:
            data += piece
            if call.cancelled:
                break
        ended = time.monotonic()
        samples = _samples(bytes(data))
        loud = [at for at in range(0, len(samples), FRAME) if _mean(samples[at : at + FRAME]) > LOUD]
        if not loud or call.cancelled:
            return Transcript("", audio_s=len(samples) / MIC_RATE, took_s=time.monotonic() - ended)
        text = _versions(next(self._texts))[-1]
        call.emit(Partial(text))
        return Transcript(
            text,
            language=language_of(text) if request.language == "auto" else request.language,
            probability=1.0,
            audio_s=len(samples) / MIC_RATE,
            voiced_start_s=loud[0] / MIC_RATE,
            voiced_end_s=min(loud[-1] + FRAME, len(samples)) / MIC_RATE,
            took_s=time.monotonic() - ended,
        )

    def attend(self, request: AttendRequest, call: EngineCall) -> Transcript:
        """Voice is where it is loud; at every pause of 0.13 s what was understood so far is told."""
        versions: list[str] = []
        said = ""
        voiced_start: int | None = None
        voiced_end = 0
        data, at, told = b"", 0, 0
        onset, begun = Onset(Rules().min_speech_s), False
        for piece in call.input:
            data += piece
            while len(data) >= 2 * ATTEND_BLOCK and not call.cancelled:
                loud = _mean(_samples(data[: 2 * ATTEND_BLOCK])) > LOUD
                data, at = data[2 * ATTEND_BLOCK :], at + ATTEND_BLOCK
                call.emit(Attention(blocks=(1.0 if loud else 0.0,)))
                if not begun:
                    begun = onset.push(float(loud), (at - ATTEND_BLOCK) / MIC_RATE, at / MIC_RATE)
                    voiced_start, voiced_end = (round((onset.since or 0.0) * MIC_RATE), at) if begun else (None, 0)
                elif loud:
                    voiced_end = at
                elif at - voiced_end >= ATTEND_PAUSE and told != voiced_end:
                    told = voiced_end
                    versions = versions or _versions(next(self._texts))
                    said = versions.pop(0) if len(versions) > 1 else versions[0]
                    call.emit(Attention(transcript=_told(said, request.language, voiced_start, voiced_end, at)))
        if call.cancelled:
            said = ""
        elif begun and told != voiced_end:
            said = (versions or _versions(next(self._texts)))[-1]
        return _told(said, request.language, voiced_start, voiced_end, at)

    def close(self) -> None:
        """Nothing to free."""


class FakeTTS:
    """Speaks a tone, as long as the text is; `languages` and `sample_rate` come from its settings."""

    parallel: ClassVar[int] = 1

    def __init__(self) -> None:
        self._rate = 22_050
        self._languages: tuple[str, ...] = ("ko", "en")

    def load(self, settings: dict[str, Any], progress: Callable[[], None]) -> Facts:
        """Take `sample_rate` (Hz) and `languages` from the settings."""
        self._rate = int(settings.get("sample_rate") or self._rate)
        self._languages = tuple(settings.get("languages") or self._languages)
        progress()
        return Facts(model="fake-tts", sample_rate=self._rate, languages=self._languages, load_s=0.0, warmup_s=0.0)

    def speak(self, request: SpeakRequest, call: EngineCall) -> Spoken:
        """A tone of 60 ms a letter.

        Raises:
            AimarkError: `voice_cannot_speak`.
        """
        started = time.monotonic()
        if "ko" not in self._languages and has_hangul(request.text) and language_of(request.text) == "ko":
            raise VOICE_CANNOT_SPEAK(voice="fake-tts", language="ko")
        rate = request.sample_rate or self._rate
        letters = sum(map(str.isalnum, request.text))
        total = int(letters * SECONDS_PER_CHARACTER / request.speed * rate)
        samples = 0
        while samples < total and not call.cancelled:
            count = min(int(CHUNK_S * rate), total - samples)
            call.emit(Audio(_tone(samples, count, rate), voice="fake-tts"))
            samples += count
        return Spoken(samples=samples, sample_rate=rate, took_s=time.monotonic() - started, voice="fake-tts")

    def close(self) -> None:
        """Nothing to free."""


def _versions(text: str | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _told(text: str, language: str, start: int | None, end: int, total: int) -> Transcript:
    return Transcript(
        text,
        language=(language_of(text) if language == "auto" else language) if text else "",
        probability=float(bool(text)),
        audio_s=total / MIC_RATE,
        voiced_start_s=None if start is None else start / MIC_RATE,
        voiced_end_s=None if start is None else end / MIC_RATE,
    )


def _samples(pcm: bytes) -> array[int]:
    samples = array("h", pcm[: len(pcm) - len(pcm) % 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _mean(samples: array[int]) -> float:
    return sum(map(abs, samples)) / max(1, len(samples))


def _tone(start: int, count: int, rate: int) -> bytes:
    step = 2 * math.pi * TONE_HZ / rate
    tone = array("h", (int(AMPLITUDE * math.cos(step * (start + i))) for i in range(count)))
    if sys.byteorder == "big":
        tone.byteswap()
    return tone.tobytes()
