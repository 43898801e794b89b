"""Voices: several speaking engines behind one, each sentence spoken by a voice of its language.

They share one process, since a second interpreter would cost more than a voice. Settings: `path` (the main voice: a
Piper .onnx, or "espeak"), `voices` (language -> the same, for those that are to differ), `warm` (languages whose voice
is loaded at once), `threads`. A voice beside the main one is loaded with its first sentence. A language that none of
them speaks is spoken by espeak.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from aimark_daemon.conversation.language import has_hangul, language_of
from aimark_daemon.engines.base import Engine, EngineCall, Facts, SpeakRequest, Spoken
from aimark_daemon.engines.espeak import EspeakEngine
from aimark_daemon.engines.piper import PiperEngine
from aimark_daemon.engines.voice_faults import VOICE_CANNOT_SPEAK
from aimark_daemon.engines.voice_sources import ESPEAK, ESPEAK_LANGUAGES, espeak_is_installed
from aimark_daemon.errors import AimarkError


class VoicesEngine:
    """Speaks clauses, one at a time, each by the voice of its language."""

    parallel: ClassVar[int] = 1

    def __init__(self) -> None:
        self._settings: dict[str, Any] = {}
        self._sources: dict[str, str] = {}
        self._engines: dict[str, Any] = {}
        self._facts: dict[str, Facts] = {}
        self._rate = 0

    def load(self, settings: dict[str, Any], progress: Callable[[], None]) -> Facts:
        """Load the main voice and those of the `warm` languages.

        Raises:
            AimarkError: `voice_missing`, `voice_invalid`, `espeak_missing`.
        """
        self._settings = settings
        main = str(settings.get("path") or ESPEAK)
        facts = self._load(main, progress)
        self._rate = facts.sample_rate or 0
        spare = ESPEAK_LANGUAGES if espeak_is_installed() else ()
        self._sources = {
            **dict.fromkeys(spare, ESPEAK),
            **dict.fromkeys(facts.languages, main),
            **(settings.get("voices") or {}),
        }
        for language in settings.get("warm") or ():
            # One that cannot be loaded is told with its first sentence; the others speak.
            with contextlib.suppress(AimarkError):
                self._load(self._sources.get(language, main), progress)
        return msgspec.structs.replace(
            facts,
            languages=(*facts.languages, *(code for code in self._sources if code not in facts.languages)),
            extra={**facts.extra, "voices": {code: Path(source).stem for code, source in self._sources.items()}},
        )

    def speak(self, request: SpeakRequest, call: EngineCall) -> Spoken:
        """Say one clause by the voice of its language, which is Korean if its words are, whatever was asked for.

        All voices speak at one rate: that of the request, else the main voice's.

        Raises:
            AimarkError: `voice_cannot_speak`, `speaking_failed`, or what loading the voice raises.
        """
        korean = has_hangul(request.text) and language_of(request.text) == "ko"
        language = "ko" if korean else request.language
        source = self._sources.get(language)
        if source is None:
            raise VOICE_CANNOT_SPEAK(voice=", ".join(facts.model for facts in self._facts.values()), language=language)
        self._load(source, call.progress)
        request = msgspec.structs.replace(request, language=language, sample_rate=request.sample_rate or self._rate)
        spoken: Spoken = self._engines[source].speak(request, call)
        return spoken

    def close(self) -> None:
        """Free every voice."""
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()

    def _load(self, source: str, progress: Callable[[], None]) -> Facts:
        """Load a voice unless it is loaded."""
        if source not in self._engines:
            engine: Engine = EspeakEngine() if source == ESPEAK else PiperEngine()
            self._facts[source] = engine.load({"path": source, "threads": self._settings.get("threads")}, progress)
            self._engines[source] = engine
        return self._facts[source]
