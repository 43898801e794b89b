"""RIFF/WAVE headers: where the samples of a file lie and how they are encoded, without reading them.

Layout: Microsoft/IBM "Multimedia Programming Interface and Data Specifications 1.0", with WAVE_FORMAT_EXTENSIBLE.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from aimark_daemon.audio.faults import WAV_INVALID, WAV_UNSUPPORTED

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
ENCODINGS = {(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)}
MIN_RATE, MAX_RATE = 4_000, 192_000
MAX_CHANNELS = 64
FORMAT_BYTES = 16
EXTENSIBLE_BYTES = 26
UNKNOWN_SIZES = {0, 0xFFFFFFFF}
"""Data sizes that a program writing to a pipe leaves behind: the samples reach to the end of the file."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How and where the samples are stored.

    `encoding` is PCM or FLOAT, `bits` one sample's size, `rate` in Hz, `offset` and `size` of the samples in bytes;
    `size` is what the file really holds, in whole frames.
    """

    encoding: int
    bits: int
    channels: int
    rate: int
    offset: int
    size: int

    @property
    def frames(self) -> int:
        """How many samples each channel has."""
        return self.size // (self.channels * self.bits // 8)

    @property
    def seconds(self) -> float:
        """How long the sound lasts."""
        return self.frames / self.rate


def read_layout(file: BinaryIO, name: str) -> Layout:
    """Find the format and the samples of a WAV file; `name` is for the faults.

    Raises:
        AimarkError: `wav_invalid`, `wav_unsupported`.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] in (b"RF64", b"RIFX") and head[8:12] == b"WAVE":
        raise WAV_UNSUPPORTED(path=name, detail=head[:4].decode())
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:12] != b"WAVE":  # noqa: PLR2004 - the header's size
        raise WAV_INVALID(path=name, detail="no RIFF/WAVE header")
    form: tuple[int, int, int, int] | None = None
    while len(chunk := file.read(8)) == 8:  # noqa: PLR2004 - a chunk header's size
        kind, size = struct.unpack("<4sI", chunk)
        start = file.tell()
        if kind == b"fmt ":
            form = _format(file.read(min(size, EXTENSIBLE_BYTES)), name)
        elif kind == b"data":
            if form is None:
                raise WAV_INVALID(path=name, detail="samples come before their format")
            encoding, channels, rate, bits = form
            there = end - start
            held = there if size in UNKNOWN_SIZES else min(size, there)
            return Layout(encoding, bits, channels, rate, start, held - held % (channels * bits // 8))
        file.seek(start + size + size % 2)
    raise WAV_INVALID(path=name, detail="no samples" if form else "no format")


def _format(body: bytes, name: str) -> tuple[int, int, int, int]:
    if len(body) < FORMAT_BYTES:
        raise WAV_INVALID(path=name, detail="the format is cut off")
    encoding, channels, rate, _bytes_per_s, align, bits = struct.unpack_from("<HHIIHH", body)
    if encoding == EXTENSIBLE and len(body) >= EXTENSIBLE_BYTES:
        encoding = struct.unpack_from("<H", body, 24)[0]
    if (encoding, bits) not in ENCODINGS:
        raise WAV_UNSUPPORTED(path=name, detail=f"format {encoding}, {bits} bits")
    if not 1 <= channels <= MAX_CHANNELS or align != channels * bits // 8:
        raise WAV_INVALID(path=name, detail=f"{channels} channels, {align} bytes a frame, {bits} bits")
    if not MIN_RATE <= rate <= MAX_RATE:
        raise WAV_UNSUPPORTED(path=name, detail=f"{rate} Hz; {MIN_RATE} to {MAX_RATE} Hz are supported")
    return encoding, channels, rate, bits
