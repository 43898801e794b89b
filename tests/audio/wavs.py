"""WAV files of every kind, made by hand."""

import struct

import numpy as np

FORMATS = {
    "pcm8": (1, 8, lambda x: np.rint(x * 127 + 128).astype(np.uint8).tobytes()),
    "pcm16": (1, 16, lambda x: np.rint(x * 32767).astype("<i2").tobytes()),
    "pcm24": (1, 24, lambda x: np.rint(x * 8388607).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()),
    "pcm32": (1, 32, lambda x: np.rint(x * 2147483520).astype("<i4").tobytes()),
    "float32": (3, 32, lambda x: x.astype("<f4").tobytes()),
    "float64": (3, 64, lambda x: x.astype("<f8").tobytes()),
}


def chunk(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    return struct.pack("<4sI", kind, len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def fmt(encoding: int, bits: int, channels: int = 1, rate: int = 16_000, *, extensible: bool = False) -> bytes:
    align = channels * bits // 8
    head = struct.pack("<HHIIHH", 0xFFFE if extensible else encoding, channels, rate, rate * align, align, bits)
    if not extensible:
        return chunk(b"fmt ", head)
    guid = struct.pack("<H", encoding) + bytes.fromhex("000000001000800000aa00389b71")
    return chunk(b"fmt ", head + struct.pack("<HHI", 22, bits, 0) + guid)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def sine(seconds: float, rate: int, channels: int = 1, hz: float = 440.0, peak: float = 0.5) -> np.ndarray:
    """Interleaved samples in -1..1."""
    return np.repeat(peak * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate), channels)


def wav(form: str, samples: np.ndarray, channels: int = 1, rate: int = 16_000, *, extensible: bool = False) -> bytes:
    encoding, bits, encode = FORMATS[form]
    return riff(fmt(encoding, bits, channels, rate, extensible=extensible), chunk(b"data", encode(samples)))
