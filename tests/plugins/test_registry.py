"""The registry of commands: every name finds its command, in any normal form, and unknown ones are answered."""

from typing import Annotated, Literal

import msgspec
import pytest

from aimark_daemon import AimarkError, command
from aimark_daemon.conversation.slash import parse_slash
from aimark_daemon.plugins.context import ProgressOutput, TextOutput
from aimark_daemon.plugins.host import PluginHost
from aimark_daemon.plugins.service import Plugins
from tests.plugins.hosts import run, with_commands


@command("paint", names={"ko": ["그림", "이미지"]}, help={"en": "Paint", "ko": "그립니다"})
async def paint(
    ctx, prompt: str, *, size: Literal["small", "large"] = "small", seed: Annotated[int, msgspec.Meta(ge=0)] = 0
):
    yield ctx.progress(0.5)
    yield ctx.text(f"{prompt}:{size}:{seed}")


@pytest.fixture
def plugins():
    plugins = Plugins(PluginHost())
    with_commands(plugins.host, "painter", paint)
    return plugins


def refused(plugins, text):
    with pytest.raises(AimarkError) as caught:
        plugins.check(parse_slash(text))
    return caught.value.fault


@pytest.mark.parametrize("name", ["/paint", "/그림", "/이미지", "／이미지", "/PAINT"])
async def test_a_command_answers_to_all_its_names(plugins, name):
    assert await run(plugins, f"{name} 고양이") == [ProgressOutput(0.5), TextOutput("고양이:small:0")]


async def test_options_are_typed(plugins):
    assert (await run(plugins, "/paint a cat --size=large --seed=7"))[-1] == TextOutput("a cat:large:7")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/paint", "content_missing"),
        ("/이미지   ", "content_missing"),
        ("/paint --size=large", "content_missing"),
        ("/paint cat --size=huge", "argument_invalid"),
        ("/paint cat --seed=-1", "argument_invalid"),
        ("/paint cat --colour=red", "option_unknown"),
        ("/print cat", "command_unknown"),
        ("/ㅔ먀ㅜㅅ cat", "command_unknown"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason_in_both_languages(plugins, text, code):
    fault = refused(plugins, text)
    assert fault.code == code
    assert fault.message.ko
    assert fault.hint.en


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("/pant cat", "/paint"), ("/ㅔ먀ㅜㅅ", "/paint"), ("/rmfla", "/그림"), ("/ㅇㅁㅈ", "/이미지")],
)
def test_an_unknown_name_is_answered_with_the_one_that_was_meant(plugins, typed, meant):
    fault = refused(plugins, typed)
    assert f"Did you mean {meant}?" in fault.hint.en
    assert f"혹시 {meant} 명령을" in fault.hint.ko


def test_two_plugins_cannot_take_one_name_and_none_of_the_seconds_commands_is_taken_in(plugins):
    @command("draw", help={"en": "Draw"})
    async def draw(ctx):
        yield ctx.text("")

    with pytest.raises(AimarkError, match="plugin_command_taken"):
        plugins.host.registry.add("again", [draw, paint])
    assert [made.name for made in plugins.host.registry.all()] == ["paint"]


@pytest.mark.parametrize(
    "handler",
    [
        "async def f(ctx, a: str, b: str): yield",
        "async def f(ctx, many: list): yield",
        "async def f(*, option=1): yield",
        "async def f(): yield",
        "async def f(ctx): return 1",
        "def f(ctx): return 1",
    ],
)
def test_a_signature_that_no_line_can_fill_is_refused_at_once(handler):
    space = {}
    exec(handler, space)
    with pytest.raises(TypeError):
        command("f", help={"en": "F"})(space["f"])
