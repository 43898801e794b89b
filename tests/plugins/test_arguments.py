"""Arguments: what a signature allows is read from a line; what it does not is refused by name, value and reason."""

from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon import AimarkError, Text, command
from aimark_daemon.conversation.slash import parse_slash


@command(
    "paint",
    names={"ko": ["그림"]},
    help={"en": "Paint", "ko": "그립니다"},
    option_help={"size": {"en": "How large", "ko": "크기"}},
    permissions=["files"],
    confirm=Text("Paint?", "그릴까요?"),
)
async def paint(
    ctx,
    prompt: str,
    *,
    size: Literal["small", "Large"] = "small",
    seed: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0,
    weight: Annotated[float, msgspec.Meta(gt=0)] = 1.0,
    frame: bool = False,
    model: str | None = None,
    steps: int | None = None,
):
    yield ctx.text(prompt)


@command("wait", help={"en": "Wait", "ko": "기다립니다"})
async def wait(ctx, minutes: Annotated[int, msgspec.Meta(ge=1)] = 5, *, sound: Literal["bell", "birds"]):
    yield ctx.text(str(minutes))


def read(made, line):
    return made.arguments(parse_slash(line))


def refused(made, line):
    with pytest.raises(AimarkError) as caught:
        read(made, line)
    return caught.value.fault


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("/paint 고양이", {"prompt": "고양이"}),
        ("/paint a cat --size=Large --seed=7", {"prompt": "a cat", "size": "Large", "seed": 7}),
        ("/paint --SIZE=large 고양이", {"prompt": "고양이", "size": "Large"}),
        ("/paint cat --weight=0.5", {"prompt": "cat", "weight": 0.5}),
        ("/paint cat --weight=2", {"prompt": "cat", "weight": 2.0}),
        ("/paint cat --frame", {"prompt": "cat", "frame": True}),
        ("/paint cat --frame=아니요", {"prompt": "cat", "frame": False}),
        ("/paint cat --frame=예", {"prompt": "cat", "frame": True}),
        ("/paint cat --frame=OFF", {"prompt": "cat", "frame": False}),
        ('/paint cat --model="두 단어"', {"prompt": "cat", "model": "두 단어"}),
        ("/paint cat --model=", {"prompt": "cat", "model": ""}),
        ("/paint cat --steps=4", {"prompt": "cat", "steps": 4}),
        ("/paint 12", {"prompt": "12"}),
    ],
)
def test_a_line_becomes_typed_arguments(line, arguments):
    assert read(paint, line) == arguments


def test_the_rest_of_the_line_may_be_a_number_and_an_option_may_be_required():
    assert read(wait, "/wait 10 --sound=bell") == {"minutes": 10, "sound": "bell"}
    assert refused(wait, "/wait 10").code == "argument_missing"
    assert "--sound" in refused(wait, "/wait").message.ko
    assert refused(wait, "/wait soon --sound=bell").message.en == "/wait: minutes cannot be 'soon'."
    assert refused(wait, "/wait 0 --sound=bell").hint.ko == "쓸 수 있는 값: 1 이상인 정수."


@pytest.mark.parametrize(
    ("line", "code", "named", "allowed", "allowed_ko"),
    [
        ("/paint", "content_missing", "/paint needs something", "", ""),
        ("/paint --size=small", "content_missing", "/paint needs something", "", ""),
        ("/paint cat --size=huge", "argument_invalid", "--size cannot be 'huge'", "small, Large", "small, Large"),
        (
            "/paint cat --seed=10",
            "argument_invalid",
            "--seed cannot be '10'",
            "a whole number, at least 0 and at most 9",
            "0 이상 9 이하인 정수",
        ),
        ("/paint cat --seed=일곱", "argument_invalid", "--seed cannot be '일곱'", "a whole number", "정수"),
        ("/paint cat --seed", "argument_invalid", "--seed", "a whole number", "정수"),
        ("/paint cat --weight=0", "argument_invalid", "--weight", "a number, above 0", "0 초과인 수"),
        ("/paint cat --frame=maybe", "argument_invalid", "--frame", "yes or no", "예 또는 아니요"),
        ("/paint cat --colour=red", "option_unknown", "--colour", "--size, --seed", "--size, --seed"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_value_and_what_is_allowed(line, code, named, allowed, allowed_ko):
    fault = refused(paint, line)
    assert fault.code == code
    assert named in fault.message.en
    assert allowed in fault.hint.en
    assert allowed_ko in fault.hint.ko


@given(st.text(max_size=30))
def test_any_text_after_a_name_is_read_or_refused(text):
    line = parse_slash(f"/paint {text}")
    try:
        arguments = paint.arguments(line)
    except AimarkError as error:
        assert error.fault.code in {"content_missing", "option_unknown", "argument_invalid"}
    else:
        assert isinstance(arguments["prompt"], str)


@given(st.integers(-20, 20))
def test_a_range_holds_exactly(seed):
    if 0 <= seed <= 9:
        assert read(paint, f"/paint x --seed={seed}")["seed"] == seed
    else:
        assert refused(paint, f"/paint x --seed={seed}").code == "argument_invalid"


def test_clients_see_what_may_be_typed():
    info = paint.info()
    by_name = {parameter.name: parameter for parameter in info.parameters}
    assert info.needs_content
    assert info.confirms
    assert info.permissions == ("files",)
    assert by_name["prompt"].flag == ""
    assert by_name["size"].choices == ("small", "Large")
    assert by_name["size"].help["ko"] == "크기"
    assert (by_name["seed"].kind, by_name["seed"].least, by_name["seed"].most) == ("integer", 0, 9)
    assert (by_name["weight"].kind, by_name["weight"].least, by_name["weight"].most) == ("number", 0, None)
    assert by_name["frame"].kind == "boolean"
    assert by_name["steps"].kind == "integer"
    assert not by_name["steps"].required


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": {"kr": ["그림"]}}, "en and ko"),
        ({"names": {"ko": ["두 단어"]}}, "no space"),
        ({"permissions": ["everything"]}, "everything"),
        ({"option_help": {"colour": {"en": "Which"}}}, "colour"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused_where_it_is_written(options, message):
    async def draw(ctx):
        yield ctx.text("")

    with pytest.raises(TypeError, match=message):
        command("draw", help={"en": "Draw"}, **options)(draw)
