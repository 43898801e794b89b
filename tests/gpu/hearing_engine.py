"""A hearing engine that is on the graphics card unless it is told otherwise."""

from typing import Any

import msgspec

from aimark_daemon.engines.base import Facts
from aimark_daemon.engines.fake_voice import FakeSTT


class CardSTT(FakeSTT):
    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        facts = super().load(settings, progress)
        return msgspec.structs.replace(facts, extra={"device": settings.get("device", "cuda")})
