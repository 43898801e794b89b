"""A call of an engine method without a worker, and sounds to call it with."""

from collections.abc import Iterable, Iterator

import numpy as np

from aimark_daemon.protocol.audio import MIC_RATE


class StubCall:
    """Gives `pieces` as input, keeps what is emitted, is cancelled after `cancel_after` events or input pieces."""

    def __init__(self, pieces: Iterable[bytes] = (), cancel_after: int | None = None):
        self.pieces = pieces
        self.events = []
        self.cancel_after = cancel_after
        self.given = 0
        self.progressed = 0

    @property
    def cancelled(self) -> bool:
        return self.cancel_after is not None and max(len(self.events), self.given) >= self.cancel_after

    def emit(self, event) -> None:
        self.events.append(event)

    def progress(self) -> None:
        self.progressed += 1

    def on_cancel(self, callback) -> None:
        pass

    @property
    def input(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if self.cancelled:
                return
            self.given += 1
            yield piece


def in_frames(pcm: bytes, size: int = 640) -> list[bytes]:
    """As a microphone sends it: 20 ms a frame."""
    return [pcm[i : i + size] for i in range(0, len(pcm), size)]


def tone(seconds: float, amplitude: int = 6000, rate: int = MIC_RATE) -> bytes:
    at = np.arange(int(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * 220 * at)).astype("<i2").tobytes()


def silence(seconds: float, rate: int = MIC_RATE) -> bytes:
    return bytes(2 * int(seconds * rate))


def noise(seconds: float, amplitude: float = 1500.0) -> bytes:
    return np.random.default_rng(7).normal(0, amplitude, int(seconds * MIC_RATE)).astype("<i2").tobytes()


def key_clicks(seconds: float) -> bytes:
    """Short, damped bursts a few times a second, as a keyboard beside a microphone."""
    rng = np.random.default_rng(11)
    sound = np.zeros(int(seconds * MIC_RATE))
    burst = np.exp(-np.arange(480) / 60.0)
    for at in np.cumsum(rng.integers(1500, 5000, int(seconds * 5))):
        if at + len(burst) < len(sound):
            sound[at : at + len(burst)] += burst * rng.normal(0, 9000, len(burst))
    return np.clip(sound, -32768, 32767).astype("<i2").tobytes()


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return "".join(c if c.isalnum() or c.isspace() else " " for c in text.lower()).split()


def word_error_rate(said: str, heard: str) -> float:
    """Levenshtein distance in words over the number of words said."""
    a, b = words(said), words(heard)
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        row, previous = [i], row
        for j, right in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (left != right)))
    return row[-1] / max(1, len(a))


__all__ = [
    "StubCall",
    "in_frames",
    "key_clicks",
    "noise",
    "silence",
    "tone",
    "word_error_rate",
    "words",
]
