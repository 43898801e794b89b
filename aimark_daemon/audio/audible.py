"""Where sound becomes audible: the end of the voice-to-voice time. Plain Python: clients measure every frame."""

from __future__ import annotations

import sys
from array import array

AUDIBLE = 200
"""Amplitude of a 16-bit sample above which a listener hears it."""


def first_audible_sample(pcm: bytes, threshold: int = AUDIBLE) -> int | None:
    """Index of the first sample of mono s16le whose amplitude exceeds `threshold`; None if all is quieter."""
    samples = array("h", pcm[: len(pcm) - len(pcm) % 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return next((i for i, value in enumerate(samples) if value > threshold or value < -threshold), None)
