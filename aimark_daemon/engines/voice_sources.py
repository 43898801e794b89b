"""Voice sources: what names a voice - the file of a Piper voice, or espeak, which needs no file."""

from __future__ import annotations

import importlib.util
from typing import Final

ESPEAK: Final = "espeak"
ESPEAK_LANGUAGES: Final = ("en", "ko")


def espeak_is_installed() -> bool:
    """Whether espeak's library is there; it is not loaded."""
    return importlib.util.find_spec("espeakng_loader") is not None
