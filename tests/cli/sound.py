"""WAV files for tests of the command line."""

import math
import struct
import wave
from pathlib import Path


def write_tone(
    path: Path, seconds: float = 0.4, rate: int = 16_000, channels: int = 1, width: int = 2, level: float = 0.5
) -> Path:
    """A tone; `width` in bytes a sample, `level` 0 for silence."""
    top = 2 ** (8 * width - 1) - 1
    samples = bytearray()
    for index in range(int(seconds * rate)):
        value = int(level * top * math.sin(2 * math.pi * 300 * index / rate))
        samples += struct.pack("<i", value)[:width] * channels
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(width)
        wav.setframerate(rate)
        wav.writeframes(bytes(samples))
    return path
