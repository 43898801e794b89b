"""The guard of the short window, and the cutting of long recordings."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.audio.spans import VOICED, WINDOW
from aimark_daemon.engines.whisper_guard import (
    FULL_FRAMES,
    MIN_FRAMES,
    PHANTOMS,
    compression_ratio,
    doubtful,
    is_phantom,
    is_silence,
    repeats,
    window_frames,
)
from aimark_daemon.engines.whisper_pieces import LIMIT, LONG_PAUSE, PieceCutter


@given(st.integers(0, 30 * 16_000))
def test_the_window_holds_the_utterance_and_is_at_least_ten_seconds(samples):
    frames = window_frames(samples)
    assert MIN_FRAMES <= frames <= FULL_FRAMES
    assert frames * 160 >= samples
    assert frames % 100 == 0


@pytest.mark.parametrize(
    "text",
    [
        "이 시각은 " * 8,
        "you you you you you you you",
        "바꿔줘바꿔줘바꿔줘바꿔줘",
        "and then I said " * 4,
        "Then in the same operations with ugly ones. " * 5,
    ],
)
def test_loops_are_found(text):
    assert repeats(text)
    assert doubtful(text, -0.2, cut_off=False)


@pytest.mark.parametrize(
    "text", ["", "하하하하", "no no no", "나에게 커피를 줘", "How much wood would a woodchuck chuck?"]
)
def test_ordinary_sentences_are_no_loops(text):
    assert not repeats(text)
    assert not doubtful(text, -0.2, cut_off=False)


def test_an_unsure_or_cut_off_text_is_doubtful():
    assert doubtful("나에게 커피를 줘", -1.2, cut_off=False)
    assert doubtful("나에게 커피를 줘", -0.2, cut_off=True)


def test_repetition_compresses():
    assert compression_ratio("") == 0.0
    assert compression_ratio("가나다라 " * 40) > 2.4
    assert compression_ratio("The quick brown fox jumps over the lazy dog.") < 2.4


@pytest.mark.parametrize("text", ["시청해주셔서 감사합니다.", "Thank you for watching!", " you"])
def test_a_phantom_is_dropped_only_when_both_measures_agree(text):
    assert is_phantom(text, no_speech=0.9, avg_logprob=-1.4)
    assert not is_phantom(text, no_speech=0.01, avg_logprob=-1.4)
    assert not is_phantom(text, no_speech=0.9, avg_logprob=-0.1)


def test_a_decomposed_phantom_is_known_too():
    import unicodedata

    assert is_phantom(unicodedata.normalize("NFD", "시청해주셔서 감사합니다"), 0.9, -1.4)


def test_improbable_words_where_probably_nobody_spoke_are_silence():
    assert is_silence(no_speech=0.8, avg_logprob=-1.5)
    assert not is_silence(no_speech=0.8, avg_logprob=-0.5)
    assert not is_silence(no_speech=0.1, avg_logprob=-1.5)


def test_other_sentences_are_never_phantoms():
    assert not is_phantom("나에게 커피를 줘", no_speech=0.99, avg_logprob=-2.0)


def test_the_list_of_phantoms_is_in_the_form_it_is_compared_in():
    assert all(p == "".join(c for c in p.casefold() if c.isalnum()) for p in PHANTOMS)


def cut(probabilities):
    cutter = PieceCutter()
    found = [piece for p in probabilities if (piece := cutter.push(p))]
    assert cutter.now == len(probabilities) * WINDOW
    assert cutter.now - cutter.start <= LIMIT + WINDOW
    if last := cutter.finish(cutter.now):
        found.append(last)
    return found


probability = st.floats(0, 1, width=16)
stretch = st.tuples(probability, st.integers(1, 400)).map(lambda pair: [pair[0]] * pair[1])
recordings = st.lists(stretch, max_size=12).map(lambda parts: [p for part in parts for p in part])


@given(recordings)
def test_pieces_are_in_order_fit_the_window_and_hold_every_voiced_window(probabilities):
    pieces = cut(probabilities)
    for left, right in pairwise(pieces):
        assert left.end <= right.start
    for piece in pieces:
        assert piece.start <= piece.voiced_start < piece.voiced_end <= piece.end
        assert piece.end - piece.start <= LIMIT
    for index, p in enumerate(probabilities):
        if p >= VOICED:
            middle = index * WINDOW + WINDOW // 2
            assert any(piece.start <= middle < piece.end for piece in pieces)


def test_silence_alone_gives_no_piece_and_is_forgotten():
    cutter = PieceCutter()
    for _ in range(10_000):
        assert cutter.push(0.01) is None
    assert cutter.now - cutter.start <= 16_000
    assert cutter.finish(cutter.now) is None


def test_a_long_pause_ends_a_piece():
    pause = LONG_PAUSE // WINDOW + 2
    pieces = cut([0.9] * 50 + [0.0] * pause + [0.9] * 50)
    assert [(p.voiced_start // WINDOW, p.voiced_end // WINDOW) for p in pieces] == [(0, 50), (50 + pause, 100 + pause)]


def test_speech_without_a_pause_is_cut_at_its_quietest_place():
    probabilities = [0.95] * 900
    probabilities[600] = 0.55
    assert cut(probabilities)[0].end == 600 * WINDOW
