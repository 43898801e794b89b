"""The samples of a stream that are still needed, counted from its beginning. Imported in the worker process only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aimark_daemon.engines.whisper_pieces import Piece
from aimark_daemon.protocol.audio import MIC_RATE

MARGIN = MIC_RATE // 4
"""Heard around the voiced part, samples."""
BYTES_PER_SAMPLE = 2


class Samples:
    """Takes s16le bytes, gives float samples between -1 and 1."""

    def __init__(self) -> None:
        import numpy as np  # noqa: PLC0415

        self._np = np
        self._half = b""
        self._held = np.zeros(0, np.float32)
        self._offset = 0

    def __len__(self) -> int:
        """How many samples are held."""
        return len(self._held)

    @property
    def total(self) -> int:
        """How many samples have come."""
        return self._offset + len(self._held)

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take more bytes; a sample may be split between two calls. What is new comes second by second.

        So that of a large upload, what was understood can be forgotten on the way.
        """
        data = self._half + data
        whole = len(data) - len(data) % BYTES_PER_SAMPLE
        self._half = data[whole:]
        new = self._np.frombuffer(data[:whole], "<i2").astype(self._np.float32) / 32768.0
        for at in range(0, len(new), MIC_RATE):
            part = new[at : at + MIC_RATE]
            self._held = self._np.concatenate([self._held, part])
            yield part

    def of(self, piece: Piece) -> Any:
        """The voiced part of a piece with a margin around it; a view."""
        start = max(piece.start, piece.voiced_start - MARGIN)
        end = min(piece.end, piece.voiced_end + MARGIN)
        return self._held[start - self._offset : end - self._offset]

    def forget(self, start: int) -> None:
        """What is before `start` is not needed any more; kept as long as it is less than a second."""
        drop = start - self._offset
        if drop > MIC_RATE:
            self._held = self._held[drop:].copy()
            self._offset += drop
