"""WAV files in and out: any usual encoding becomes what the assistant hears (16 kHz, mono, s16le)."""

from __future__ import annotations

import io
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aimark_daemon.audio.faults import FILE_MISSING, FILE_UNREADABLE, FILE_UNWRITABLE, WAV_EMPTY, WAV_TOO_LONG
from aimark_daemon.audio.riff import FLOAT, PCM, Layout, read_layout
from aimark_daemon.files import write_whole
from aimark_daemon.protocol.audio import MIC_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SECONDS = 600.0
"""Longest recording that is taken as one utterance."""


@dataclass(frozen=True, slots=True)
class WavAudio:
    """A recording, made ready to be heard: `pcm` is 16 kHz mono s16le. Rate (Hz) and channels are the file's own."""

    pcm: bytes
    seconds: float
    source_rate: int
    channels: int


def read_wav(source: Path | str | bytes, *, max_seconds: float = MAX_SECONDS) -> WavAudio:
    """Read a WAV file, or its bytes. Its length is checked before its samples are read.

    8/16/24/32-bit PCM and 32/64-bit float, any number of channels (averaged), 4 to 192 kHz (resampled). A file that
    was cut off gives the samples it has.

    Raises:
        AimarkError: `file_missing`, `file_unreadable`, `wav_invalid`, `wav_unsupported`, `wav_empty`, `wav_too_long`.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), "(upload)", max_seconds)
    with _opened(Path(source)) as file:
        return _read(file, str(source), max_seconds)


def check_wav(path: Path | str, *, max_seconds: float = MAX_SECONDS) -> None:
    """Refuse what `read_wav` would refuse, without reading the samples.

    Raises:
        AimarkError: see `read_wav`.
    """
    with _opened(Path(path)) as file:
        _layout(file, str(path), max_seconds)


def write_wav(path: Path | str, pcm: bytes, rate: int) -> None:
    """Write mono s16le samples at `rate` Hz; the file appears whole or not at all.

    Raises:
        AimarkError: `file_unwritable`.
    """
    try:
        write_whole(Path(path), wav_bytes(pcm, rate))
    except OSError as error:
        raise FILE_UNWRITABLE(path=path, detail=str(error)) from error


def wav_bytes(pcm: bytes, rate: int) -> bytes:
    """Mono s16le samples at `rate` Hz as a WAV file's bytes."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(pcm)
    return file.getvalue()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if path.exists() and not path.is_file():
            # A pipe might never be written to, and cannot be looked into before it is read.
            raise FILE_UNREADABLE(path=path, detail="not a plain file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise FILE_MISSING(path=path) from error
    except (OSError, ValueError) as error:
        raise FILE_UNREADABLE(path=path, detail=str(error)) from error


def _layout(file: BinaryIO, name: str, max_seconds: float) -> Layout:
    layout = read_layout(file, name)
    if layout.frames == 0:
        raise WAV_EMPTY(path=name)
    if layout.seconds > max_seconds:
        raise WAV_TOO_LONG(path=name, minutes=round(layout.seconds / 60, 1), limit=round(max_seconds / 60, 1))
    return layout


def _read(file: BinaryIO, name: str, max_seconds: float) -> WavAudio:
    layout = _layout(file, name, max_seconds)
    file.seek(layout.offset)
    raw = file.read(layout.size)
    ready = (layout.encoding, layout.bits, layout.channels, layout.rate) == (PCM, 16, 1, MIC_RATE)
    pcm = raw if ready and sys.byteorder == "little" else _convert(raw, layout)
    return WavAudio(pcm, layout.seconds, layout.rate, layout.channels)


def _convert(raw: bytes, layout: Layout) -> bytes:
    import numpy as np  # noqa: PLC0415 - the daemon must not carry it
    import soxr  # noqa: PLC0415

    samples = _floats(raw, layout).reshape(-1, layout.channels).mean(axis=1, dtype=np.float32)
    if layout.rate != MIC_RATE:
        samples = soxr.resample(samples, layout.rate, MIC_RATE)
    return bytes(np.rint(np.clip(samples * 32768.0, -32768, 32767)).astype("<i2"))


def _floats(raw: bytes, layout: Layout) -> NDArray[np.float32]:
    """Samples in -1..1."""
    import numpy as np  # noqa: PLC0415

    if layout.encoding == FLOAT:
        values = np.frombuffer(raw, f"<f{layout.bits // 8}").astype(np.float32)
        return np.clip(np.nan_to_num(values), -1.0, 1.0)
    if layout.bits == 8:  # noqa: PLR2004 - the one unsigned encoding
        return (np.frombuffer(raw, np.uint8).astype(np.float32) - 128.0) / 128.0
    if layout.bits == 24:  # noqa: PLR2004 - widened to 32 bits, its bytes on top
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        return wide.view("<i4").reshape(-1).astype(np.float32) / 2.0**31
    return np.frombuffer(raw, f"<i{layout.bits // 8}").astype(np.float32) / 2.0 ** (layout.bits - 1)
