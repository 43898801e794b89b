"""A hearing engine that is on the graphics card unless it is told otherwise."""

import threading
from typing import Any

import msgspec

from aimark_daemon.engines.base import EngineCall, Facts, HearRequest, Transcript
from aimark_daemon.engines.fake_voice import FakeSTT
from aimark_daemon.engines.voice_faults import HEARING_OUT_OF_MEMORY


class CardSTT(FakeSTT):
    """`memory` of the card is "enough", "little" (for the model alone) or "none"."""

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        if settings.get("slow") and settings.get("device") != "cpu":
            threading.Event().wait(60)  # whoever wants the card ends it
        facts = super().load(settings, progress)
        self._device = settings.get("device", "cuda")
        self._memory = settings.get("memory", "enough")
        if self._memory == "none" and self._device == "cuda":
            raise HEARING_OUT_OF_MEMORY(path="모델", detail="CUDA failed with error out of memory")
        return msgspec.structs.replace(facts, extra={"device": self._device})

    def hear(self, request: HearRequest, call: EngineCall) -> Transcript:
        heard = super().hear(request, call)
        if self._memory == "little" and self._device == "cuda":
            raise HEARING_OUT_OF_MEMORY(detail="RuntimeError: CUDA failed with error out of memory")
        return heard
