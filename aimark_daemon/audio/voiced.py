"""Where voice is, as Silero hears it: the beginning of the voice-to-voice time is the last voiced sample."""

from __future__ import annotations

from aimark_daemon.audio.silero import Silero
from aimark_daemon.audio.spans import Span, SpeechSpans
from aimark_daemon.protocol.audio import MIC_RATE


def speech_spans(pcm: bytes) -> list[Span]:
    """Spans of speech in 16 kHz mono s16le samples, as Silero VAD hears them."""
    import numpy as np  # noqa: PLC0415 - the daemon must not carry it

    samples = np.frombuffer(pcm[: len(pcm) - len(pcm) % 2], "<i2").astype(np.float32) / 32768.0
    stream, spans = Silero().stream(), SpeechSpans()
    for probability in stream.feed(samples) + stream.finish():
        spans.push(probability)
    return spans.ended(len(samples))


def last_voiced_s(pcm: bytes) -> float:
    """Seconds from the first sample to just past the last voiced one; the whole length if nobody speaks."""
    spans = speech_spans(pcm)
    return (spans[-1][1] if spans else len(pcm) // 2) / MIC_RATE
