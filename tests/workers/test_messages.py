"""Messages of the pipe: every one survives framing, and garbage is refused."""

from contextlib import suppress
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.engines.base import Facts
from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import faults
from aimark_daemon.workers import messages as m

numbers = st.integers(0, 2**53)
text = st.text(max_size=40) | st.just("한글은 NFD로도 온다: 한글")
payloads = st.dictionaries(text, text, max_size=3).map(m.pack)
fault = text.map(lambda detail: faults.CRASHED.fault(detail, name="언어"))
to_child = st.one_of(
    st.builds(m.Start, text, st.dictionaries(text, st.integers(0, 9) | text, max_size=3), st.just(1.0)),
    st.builds(m.Begin, numbers, text, payloads),
    st.builds(m.Feed, numbers, st.binary(max_size=200)),
    st.builds(m.EndInput, numbers),
    st.builds(m.Cancel, numbers),
    st.builds(m.Taken, numbers, numbers),
    st.builds(m.Stop),
)
from_child = st.one_of(
    st.builds(m.Hello, numbers, text, numbers),
    st.builds(m.Loaded, st.builds(Facts, model=text, languages=st.just(("ko", "en")))),
    st.builds(m.LoadFailed, fault),
    st.builds(m.Event, numbers, payloads),
    st.builds(m.Result, numbers, payloads),
    st.builds(m.Failed, numbers, fault),
    st.builds(m.Consumed, numbers, numbers),
    st.builds(m.Heartbeat, st.floats(0, 1e6), st.booleans()),
    st.builds(m.Log, numbers, text),
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def plain(message):
    """Raw payloads compare by identity; their bytes by value."""
    return (type(message), [bytes(v) if isinstance(v, msgspec.Raw) else v for v in msgspec.structs.astuple(message)])


@given(st.lists(to_child, max_size=8), st.lists(st.integers(0, 10_000), max_size=20))
def test_messages_to_the_child_survive_any_chunking(sent, places):
    decoder = m.FrameDecoder(m.ToChild)
    got = [x for part in cut(b"".join(map(m.frame, sent)), places) for x in decoder.feed(part)]
    assert list(map(plain, got)) == list(map(plain, sent))


@given(st.lists(from_child, max_size=8), st.lists(st.integers(0, 10_000), max_size=20))
def test_messages_from_the_child_survive_any_chunking(sent, places):
    decoder = m.FrameDecoder(m.FromChild)
    got = [x for part in cut(b"".join(map(m.frame, sent)), places) for x in decoder.feed(part)]
    assert list(map(plain, got)) == list(map(plain, sent))


@given(st.binary(max_size=300))
def test_garbage_raises_nothing_but_the_protocol_fault(data):
    decoder = m.FrameDecoder(m.FromChild, max_frame=1000)
    with suppress(AimarkError):
        list(decoder.feed(data))


@given(st.binary(min_size=1, max_size=100))
def test_a_frame_of_garbage_is_refused(body):
    try:
        msgspec.msgpack.decode(body, type=m.FromChild)
    except (msgspec.MsgspecError, ValueError):
        pass
    else:
        return
    with pytest.raises(AimarkError) as caught:
        list(m.FrameDecoder(m.FromChild).feed(len(body).to_bytes(4, "little") + body))
    assert faults.PROTOCOL.caught_in(caught.value)


@given(st.lists(from_child, max_size=5))
def test_messages_before_the_garbage_are_still_delivered(sent):
    got = []
    with pytest.raises(AimarkError, match="worker_protocol"):
        got.extend(m.FrameDecoder(m.FromChild).feed(b"".join(map(m.frame, sent)) + b"\xff" * 8))
    assert list(map(plain, got)) == list(map(plain, sent))


def test_a_message_of_the_wrong_direction_is_refused():
    with pytest.raises(AimarkError, match="worker_protocol"):
        list(m.FrameDecoder(m.ToChild).feed(m.frame(m.Log(40, "안녕"))))


def test_a_length_above_the_cap_is_refused_before_its_body_comes():
    with pytest.raises(AimarkError, match="longer than 1000"):
        list(m.FrameDecoder(m.ToChild, max_frame=1000).feed((1001).to_bytes(4, "little")))


def test_a_message_above_the_cap_is_not_sent():
    with pytest.raises(AimarkError, match="worker_message_too_large"):
        m.frame(m.Feed(1, bytes(m.MAX_FRAME)))
    with pytest.raises(AimarkError, match="worker_message_too_large"):
        m.pack(bytes(m.MAX_PAYLOAD))


def test_a_deeply_nested_payload_is_refused():
    body = b"\x91" * 5000
    with pytest.raises(AimarkError, match="worker_protocol"):
        list(m.FrameDecoder(m.FromChild).feed(len(body).to_bytes(4, "little") + body))
