"""The file of parked conversations: what is written comes back, and no damage does."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.engines.base import Parked, ParkRequest
from aimark_daemon.engines.parked import Answer, Identity, Offer, model_file, open_parked, park
from tests.engines.calls import RecordedCall

IDENTITY = Identity("engine 1", "digest", "1", "1")


def offer(session, state, tokens=()):
    return Offer(session, len(state), lambda: (list(tokens), state))


def written(path, offers, *, cap=1 << 30, identity=IDENTITY, answers=list):
    path.touch()
    return park(ParkRequest(str(path), cap, 60.0), RecordedCall(), identity, offers, answers)


conversations = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.tuples(st.binary(min_size=1, max_size=300), st.lists(st.integers(0, 2**31 - 1), max_size=20)),
    max_size=6,
)


@settings(deadline=None)
@given(conversations, st.integers(0, 1500), st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.just([3]))))
def test_what_fits_the_cap_comes_back_in_its_order(given_states, cap, answers):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "parked")
        offers = [offer(session, state, tokens) for session, (state, tokens) in given_states.items()]
        parked = written(path, offers, cap=cap, answers=lambda: [Answer(*answer) for answer in answers])
        if not parked.sessions:
            assert all(len(state) + 32 > cap for state, _ in given_states.values())
            assert open_parked(str(path), IDENTITY) is None
            return
        assert parked.size <= cap
        states = open_parked(str(path), IDENTITY)
        path.unlink()
        assert [(answer.text, answer.tokens) for answer in states.answers] == answers
        assert len(states.entries) == parked.sessions
        sessions = [entry.session for entry in states.entries]
        assert sessions == [session for session in given_states if session in sessions]
        for entry in states.entries:
            assert (bytes(states.state(entry)), entry.tokens) == given_states[entry.session]


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_holds_states_of_the_same_size(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "parked")
        written(path, [offer("가", b"a" * 50, [1, 2]), offer("b", b"b" * 70)])
        whole = bytearray(path.read_bytes())
        end = data.draw(st.integers(0, len(whole)))
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= data.draw(st.integers(0, 255))
        path.write_bytes(whole[:end])
        states = open_parked(str(path), IDENTITY)
        for entry in states.entries if states is not None else ():
            assert len(states.state(entry)) == entry.size


@pytest.mark.parametrize("name", ["engine", "model", "keys", "values", "shape"])
def test_another_identity_is_refused_and_said(tmp_path, caplog, name):
    written(tmp_path / "parked", [offer("s", b"state")])
    other = Identity(**{field: getattr(IDENTITY, field) for field in IDENTITY.__struct_fields__} | {name: "x"})
    assert open_parked(str(tmp_path / "parked"), other) is None
    assert "of another model or plan" in caplog.text
    assert open_parked(str(tmp_path / "parked"), IDENTITY) is not None


def test_a_model_that_is_not_known_parks_nothing(tmp_path):
    assert written(tmp_path / "parked", [offer("s", b"state")], identity=Identity("engine", "")) == Parked()


def test_a_conversation_that_is_gone_meanwhile_is_left_out(tmp_path):
    offers = [Offer("gone", 5, lambda: None), Offer("grown", 5, lambda: ([], b"x" * 5000)), offer("s", b"state")]
    assert written(tmp_path / "parked", offers, cap=1000).sessions == 1


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_medium_keeps_what_was_written_before(tmp_path, caplog):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        parked = written(tmp_path / "parked", [offer(name, name.encode() * 400_000) for name in "abcd"])
        nothing = written(tmp_path / "large", [offer("z", b"z" * (2 << 20))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "no more room to park" in caplog.text
    assert parked.sessions == 2
    states = open_parked(str(tmp_path / "parked"), IDENTITY)
    assert [bytes(states.state(entry)[:1]) for entry in states.entries] == [b"a", b"b"]
    assert nothing == Parked()
    assert open_parked(str(tmp_path / "large"), IDENTITY) is None


def test_a_model_file_is_known_by_place_content_and_time(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two):
        path.write_bytes(b"GGUF")
    seen = {model_file(str(one)), model_file(str(two))}
    os.utime(one, ns=(1, 1))
    seen.add(model_file(str(one)))
    one.write_bytes(b"GGUG")
    os.utime(one, ns=(1, 1))
    seen.add(model_file(str(one)))
    assert len(seen) == 4
    assert model_file(str(one)) in seen
    assert model_file(str(tmp_path / "none")) == ""
