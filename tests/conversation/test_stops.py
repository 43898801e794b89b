"""Streaming text out of bytes: whole characters, and stop strings that are never seen."""

from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.stops import TextStream

alphabet = st.text(alphabet=st.sampled_from("ab<|>.\n가각한글\u1112\u1161\u11ab😀"), max_size=40)


@st.composite
def cut_bytes(draw, text=alphabet):
    """A text and its UTF-8 bytes cut anywhere, characters included."""
    whole = draw(text)
    data = whole.encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=20)))
    return whole, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(cut_bytes())
def test_text_arrives_whole_wherever_its_bytes_are_cut(case):
    text, pieces = case
    stream = TextStream()
    out = [stream.feed(piece) for piece in pieces]
    assert "".join(out) + stream.finish() == text
    assert "\ufffd" not in "".join(out)


@given(cut_bytes(), st.lists(alphabet.filter(bool).map(lambda t: t[:4]), min_size=1, max_size=3))
def test_text_ends_before_a_stop_string_wherever_its_bytes_are_cut(case, stops):
    text, pieces = case
    stream = TextStream(stops)
    shown = ""
    for piece in pieces:
        shown += stream.feed(piece)
        assert not any(stop in shown for stop in stops)
    shown += stream.finish()
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert stream.stopped == any(stop in text for stop in stops)
    if not stream.stopped:
        assert shown == text


@given(cut_bytes(), st.lists(alphabet.filter(bool).map(lambda t: t[:4]), min_size=1, max_size=3))
def test_nothing_that_may_begin_a_stop_string_is_shown_early(case, stops):
    text, pieces = case
    stream = TextStream(stops)
    shown, fed = "", b""
    for piece in pieces:
        shown += stream.feed(piece)
        fed += piece
        if not stream.stopped:
            so_far = fed.decode(errors="ignore")
            begun = [n for stop in stops for n in range(1, len(stop)) if so_far.endswith(stop[:n])]
            assert len(shown) <= len(so_far) - max(begun, default=0)
    assert text.startswith(shown)


def test_hangul_split_into_single_bytes_comes_out_syllable_by_syllable():
    stream = TextStream()
    assert [stream.feed(bytes([b])) for b in "한글".encode()] == ["", "", "한", "", "", "글"]


def test_an_incomplete_character_at_the_end_is_left_out():
    stream = TextStream()
    assert stream.feed("서울".encode()[:-1]) + stream.finish() == "서"


def test_bytes_that_are_no_utf8_become_replacement_characters():
    stream = TextStream()
    assert stream.feed(b"a\xff") + stream.feed(b"b") + stream.finish() == "a\ufffdb"


def test_a_stop_string_may_be_hangul_split_in_its_first_syllable():
    stream = TextStream(["사용자:"])
    data = "네. 사용자: 그럼".encode()
    assert "".join(stream.feed(data[i : i + 2]) for i in range(0, len(data), 2)) + stream.finish() == "네. "
    assert stream.stopped
