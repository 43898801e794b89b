"""A hearing engine that is on the graphics card unless it is told otherwise."""

import threading
from typing import Any

import msgspec

from aimark_daemon.engines.base import Facts
from aimark_daemon.engines.fake_voice import FakeSTT


class CardSTT(FakeSTT):
    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        if settings.get("slow") and settings.get("device") != "cpu":
            threading.Event().wait(60)  # whoever wants the card ends it
        facts = super().load(settings, progress)
        return msgspec.structs.replace(facts, extra={"device": settings.get("device", "cuda")})
