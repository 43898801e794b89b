"""Audio frames: what is packed comes back, and what is not a frame is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.protocol.audio import HEADER, MAX_PCM_BYTES, AudioFrame, FrameKind, decode_frame, encode_frame

NUMBERS = st.integers(0, 2**32 - 1)
FRAMES = st.builds(
    AudioFrame,
    kind=st.sampled_from(FrameKind),
    stream=NUMBERS,
    sequence=NUMBERS,
    pcm=st.binary(max_size=64).map(lambda data: data[: len(data) // 2 * 2]),
    flags=st.integers(0, 2**16 - 1),
)


@given(FRAMES)
def test_a_frame_comes_back_as_it_was_packed(frame):
    assert decode_frame(encode_frame(frame)) == frame


def test_the_layout_is_the_documented_one():
    frame = AudioFrame(FrameKind.SPEECH, stream=0x01020304, sequence=5, pcm=b"\x01\x80")
    assert encode_frame(frame) == bytes([1, 2, 0, 0, 4, 3, 2, 1, 5, 0, 0, 0, 1, 0x80])


@given(FRAMES, st.integers(0, HEADER.size - 1))
def test_a_cut_header_is_refused(frame, length):
    with pytest.raises(AimarkError) as caught:
        decode_frame(encode_frame(frame)[:length])
    assert caught.value.fault.code == "bad_frame"


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_a_typed_fault(data):
    try:
        result = encode_frame(decode_frame(data))
    except AimarkError as error:
        result = error.fault.code
    assert result in {data, "bad_frame"}


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (HEADER.pack(9, 1, 0, 0, 0), "version 9"),
        (HEADER.pack(1, 7, 0, 0, 0), "kind 7"),
        (HEADER.pack(1, 1, 0, 0, 0) + b"x", "half a sample"),
        (HEADER.pack(1, 1, 0, 0, 0) + bytes(MAX_PCM_BYTES + 2), str(MAX_PCM_BYTES)),
    ],
)
def test_a_bad_frame_is_refused_with_the_reason(data, detail):
    with pytest.raises(AimarkError) as caught:
        decode_frame(data)
    assert detail in caught.value.fault.detail


def test_the_longest_frame_passes():
    frame = AudioFrame(FrameKind.MICROPHONE, 1, 0, bytes(MAX_PCM_BYTES))
    assert decode_frame(encode_frame(frame)) == frame
