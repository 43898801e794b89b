"""Strategies that make any message of the wire, discovered from the unions."""

from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from aimark_daemon.protocol import messages

CLIENT = get_args(messages.ClientMessage)
SERVER = get_args(messages.ServerMessage)
HANGUL = st.sampled_from(["서울은 대한민국의 수도입니다.", "각", "각", "이미지를", "👩‍🚀 안녕"])
TEXTS = st.text(max_size=20) | HANGUL
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def values(hint: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one return for each kind of annotation
    """Values of one annotation."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is UnionType:
        return st.one_of([values(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is list:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return structs(hint)
    return {
        str: TEXTS,
        int: st.integers(-(2**53), 2**53),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        type(None): st.none(),
        Any: JSON,
    }[hint]


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Instances of one struct, defaults left out at will."""
    hints = get_type_hints(kind)
    required = {field.name: values(hints[field.name]) for field in msgspec.structs.fields(kind) if field.required}
    optional = {field.name: values(hints[field.name]) for field in msgspec.structs.fields(kind) if not field.required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: kind(**fields))
