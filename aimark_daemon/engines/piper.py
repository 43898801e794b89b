"""Piper: the speaking engine, on piper-tts (VITS through ONNX Runtime, phonemes from espeak-ng).

Settings: `path` (the voice's .onnx, its .onnx.json beside it), `threads`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from aimark_daemon.conversation.language import has_hangul, language_of
from aimark_daemon.engines.base import Audio, EngineCall, Facts, SpeakRequest, Spoken
from aimark_daemon.engines.piper_text import pieces
from aimark_daemon.engines.voice_faults import SPEAKING_FAILED, VOICE_CANNOT_SPEAK, VOICE_INVALID, VOICE_MISSING
from aimark_daemon.engines.voice_sound import gap_s, resampled, trimmed

SLOWEST, FASTEST = 0.5, 2.0
WARM_UP = {"en": "Hello.", "ko": "안녕하세요."}


class PiperEngine:
    """Speaks clauses, one at a time, sentence by sentence."""

    parallel: ClassVar[int] = 1

    def __init__(self) -> None:
        self._voice: Any = None
        self._name = ""
        self._language = ""
        self._rate = 0

    def load(self, settings: dict[str, Any], progress: Callable[[], None]) -> Facts:
        """Load the voice and say a word to nobody.

        Raises:
            AimarkError: `voice_missing`, `voice_invalid`.
        """
        path = Path(settings["path"])
        described = path.with_name(f"{path.name}.json")
        if missing := [file.name for file in (path, described) if not file.is_file()]:
            raise VOICE_MISSING(path=path, detail=", ".join(missing))
        threads = int(settings.get("threads") or 1)
        started = time.monotonic()
        try:
            facts = json.loads(described.read_text(encoding="utf-8"))
            self._voice = _voice(path, facts, threads)
            loaded = time.monotonic()
            progress()
            self._name = path.stem
            self._rate = int(self._voice.config.sample_rate)
            self._language = str(self._voice.config.espeak_voice).split("-")[0].lower()
            # Twice: the first run plans memory for its length, the second finds it.
            for _ in range(2):
                list(self._voice.synthesize(WARM_UP.get(self._language, "1.")))
                progress()
        except Exception as error:
            raise VOICE_INVALID(path=path, detail=f"{type(error).__name__}: {error}") from error
        return Facts(
            model=self._name,
            sample_rate=self._rate,
            languages=(self._language,),
            threads=threads,
            load_s=loaded - started,
            warmup_s=time.monotonic() - loaded,
        )

    def speak(self, request: SpeakRequest, call: EngineCall) -> Spoken:
        """Say one clause; its sound is emitted sentence by sentence. A text without words gives no samples.

        Raises:
            AimarkError: `voice_cannot_speak`, `speaking_failed`.
        """
        from piper import SynthesisConfig  # noqa: PLC0415 - native, only in the child

        started = time.monotonic()
        if has_hangul(request.text) and self._language != "ko" and language_of(request.text) == "ko":
            raise VOICE_CANNOT_SPEAK(voice=self._name, language="ko")
        speed = min(FASTEST, max(SLOWEST, request.speed))
        config = SynthesisConfig(length_scale=self._voice.config.length_scale / speed)
        rate = request.sample_rate or self._rate
        samples = 0
        for piece in pieces(request.text):
            try:
                # Piper's own sentences, one network run each.
                for chunk in self._voice.synthesize(piece, config):
                    if call.cancelled:
                        return self._spoken(samples, rate, started)
                    pcm = trimmed(chunk.audio_int16_array, self._rate, first=samples == 0, gap=gap_s(piece))
                    pcm = resampled(pcm, self._rate, rate)
                    if len(pcm):
                        samples += len(pcm)
                        call.emit(Audio(pcm.astype("<i2").tobytes(), voice=self._name))
            except (RuntimeError, ValueError, OSError) as error:
                raise SPEAKING_FAILED(detail=f"{type(error).__name__}: {error}") from error
            if call.cancelled:
                break
        return self._spoken(samples, rate, started)

    def close(self) -> None:
        """Free the voice."""
        self._voice = None

    def _spoken(self, samples: int, rate: int, started: float) -> Spoken:
        return Spoken(samples=samples, sample_rate=rate, took_s=time.monotonic() - started, voice=self._name)


def _voice(path: Path, facts: dict[str, Any], threads: int) -> Any:
    """The voice with its threads limited, which `PiperVoice.load` does not offer."""
    import onnxruntime  # noqa: PLC0415 - native, only in the child
    from piper import PiperVoice  # noqa: PLC0415
    from piper.config import PiperConfig  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting actively gains nothing between two operations, and takes the cores from the model that goes on writing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    return PiperVoice(config=PiperConfig.from_dict(facts), session=session)
