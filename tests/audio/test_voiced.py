"""Voice activity: the stream hears what the library's own function hears; audibility is one comparison."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.audio.audible import first_audible_sample
from aimark_daemon.audio.silero import Silero
from aimark_daemon.audio.spans import WINDOW, SpeechSpans
from aimark_daemon.audio.voiced import last_voiced_s, speech_spans
from aimark_daemon.audio.wav import read_wav

RECORDED = Path(__file__).parents[2] / ".." / "shared" / "audio"
RECORDINGS = sorted(RECORDED.glob("*.wav"))


@pytest.mark.skipif(not RECORDINGS, reason="no recorded speech at ../shared/audio")
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_the_spans_are_those_of_the_vad_authors_function(path):
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    pcm = read_wav(path).pcm
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    options = VadOptions(threshold=0.5, min_silence_duration_ms=100, speech_pad_ms=0)
    expected = [(span["start"], span["end"]) for span in get_speech_timestamps(samples, options)]
    assert expected
    assert speech_spans(pcm) == expected
    assert last_voiced_s(pcm) == expected[-1][1] / 16_000


@pytest.mark.skipif(not RECORDINGS, reason="no recorded speech at ../shared/audio")
def test_probabilities_do_not_depend_on_how_the_samples_come():
    samples = np.frombuffer(read_wav(RECORDINGS[0]).pcm, "<i2").astype(np.float32) / 32768
    silero = Silero()
    whole, pieces = silero.stream(), silero.stream()
    expected = whole.feed(samples) + whole.finish()
    found = [p for at in range(0, len(samples), 333) for p in pieces.feed(samples[at : at + 333])] + pieces.finish()
    assert found == pytest.approx(expected, abs=1e-4)


def test_without_voice_the_last_voiced_sample_is_the_last_one():
    assert speech_spans(bytes(32_000)) == []
    assert last_voiced_s(bytes(32_000)) == 1.0
    assert last_voiced_s(b"") == 0.0


@given(st.lists(st.floats(0, 1), max_size=200))
def test_spans_are_ordered_and_within_the_stream(probabilities):
    spans = SpeechSpans()
    for probability in probabilities:
        spans.push(probability)
    total = len(probabilities) * WINDOW
    found = spans.ended(total)
    edges = [edge for span in found for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= total for start, end in found)
    assert bool(found) == any(p >= 0.5 for p in probabilities)


@given(st.lists(st.integers(-32768, 32767), max_size=300), st.integers(0, 32767))
def test_the_first_audible_sample_is_the_first_louder_one(values, threshold):
    pcm = np.array(values, "<i2").tobytes()
    expected = next((i for i, value in enumerate(values) if abs(value) > threshold), None)
    assert first_audible_sample(pcm, threshold) == expected


def test_silence_is_never_audible_and_half_a_sample_is_ignored():
    assert first_audible_sample(b"") is None
    assert first_audible_sample(bytes(4001)) is None
