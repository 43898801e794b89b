"""Every message survives the wire, and the wire is the one that is documented."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.protocol import messages
from tests.protocol.strategies import CLIENT, SERVER, structs

RUNS = settings(max_examples=25, deadline=None)


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def every_message(base: type[msgspec.Struct]) -> set[type]:
    found = set()
    for kind in base.__subclasses__():
        found |= {kind} if isinstance(kind.__struct_config__.tag, str) and kind.__name__ != "Reply" else set()
        found |= every_message(kind)
    return found


@pytest.mark.parametrize("kind", CLIENT, ids=tag)
@RUNS
@given(data=st.data())
def test_a_clients_message_comes_back_as_it_was_sent(kind, data):
    message = data.draw(structs(kind))
    assert messages.decode_client(messages.encode(message)) == message


@pytest.mark.parametrize("kind", SERVER, ids=tag)
@RUNS
@given(data=st.data())
def test_a_daemons_message_comes_back_as_it_was_sent(kind, data):
    message = data.draw(structs(kind))
    assert messages.decode_server(messages.encode(message)) == message


@pytest.mark.parametrize("kind", CLIENT + SERVER, ids=tag)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_unknown_fields_are_ignored(kind, data):
    message = data.draw(structs(kind))
    newer = json.dumps({**json.loads(messages.encode(message)), "field_of_a_newer_version": {"뜻": 1}})
    decode = messages.decode_client if kind in CLIENT else messages.decode_server
    assert decode(newer) == message


@pytest.mark.parametrize(("base", "union"), [(messages.Request, CLIENT), (messages.Event, SERVER)])
def test_every_declared_message_is_in_its_union_under_a_name_of_its_own(base, union):
    assert every_message(base) == set(union)
    assert len({tag(kind) for kind in union}) == len(union)


def test_every_message_says_what_it_is():
    assert [kind.__name__ for kind in CLIENT + SERVER if not kind.__dict__.get("__doc__")] == []


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_typed_fault(data):
    try:
        decoded = messages.decode_client(data)
    except AimarkError as error:
        decoded = error.fault.code
    assert decoded == "bad_message" or isinstance(decoded, messages.Request)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"type":"submit","id":1}', "text"),
        ('{"type":"submit","id":"하나","text":""}', "$.id"),
        ('{"type":"안녕","id":1}', "안녕"),
        ('{"id":1}', "type"),
        ('{"type":"set_config","id":1,"key":"k","value":' + "[" * 100_000, "recursion"),
    ],
)
def test_a_bad_message_is_refused_and_its_detail_names_the_place(text, named):
    with pytest.raises(AimarkError) as caught:
        messages.decode_client(text)
    assert caught.value.fault.code == "bad_message"
    assert named in caught.value.fault.detail
