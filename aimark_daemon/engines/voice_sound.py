"""Sound that a voice has made: its silence cut to short pauses, its rate changed to the one that was asked for."""

from __future__ import annotations

from typing import Any

from aimark_daemon.audio.audible import AUDIBLE

LEAD_S = 0.010
"""Silence left before the first audible sample."""
SENTENCE_GAP_S = 0.18
"""Silence left after a sentence that ends the clause or is followed by another."""
COMMA_GAP_S = 0.09


def gap_s(piece: str) -> float:
    """The silence that belongs after a spoken piece, in seconds."""
    return COMMA_GAP_S if piece.rstrip()[-1:] in ",;:、，；：" else SENTENCE_GAP_S


def trimmed(samples: Any, rate: int, *, first: bool, gap: float) -> Any:
    """int16 samples at `rate` Hz without the silence around them.

    Before the audible part of the `first` piece 10 ms stay, before others everything; after it at most `gap` seconds.
    """
    import numpy as np  # noqa: PLC0415 - native, only in the child

    audible = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
    if not len(audible):
        return samples[:0]
    start = max(0, int(audible[0]) - int(LEAD_S * rate)) if first else 0
    return samples[start : int(audible[-1]) + 1 + int(gap * rate)]


def resampled(samples: Any, rate: int, wanted: int | None) -> Any:
    """int16 samples at `rate` Hz as they sound at `wanted` Hz; None is the same rate."""
    if not wanted or wanted == rate or not len(samples):
        return samples
    import soxr  # noqa: PLC0415 - native, only in the child

    return soxr.resample(samples, rate, wanted)
