"""The plugin host: commands are found in both languages, refused before any work, and never harm the host."""

import asyncio
from typing import Annotated, Literal

import msgspec
import pytest

from aimark_daemon import AimarkError, Context, command, hookimpl
from aimark_daemon.conversation.slash import parse_slash
from aimark_daemon.plugins.context import ProgressOutput, TextOutput
from aimark_daemon.plugins.host import PluginHost, PluginState, bundled_folder


class Services:
    def __init__(self):
        self.renamed = []

    def commands(self):
        return ()

    async def rename_session(self, session, title):
        self.renamed.append((session, title))


def context(language="en", services=None):
    return Context(session="s1", language=language, services=services or Services())


@command("paint", names={"ko": ["그림", "이미지"]}, help={"en": "Paint", "ko": "그립니다"})
async def paint(
    ctx, prompt: str, *, size: Literal["small", "large"] = "small", seed: Annotated[int, msgspec.Meta(ge=0)] = 0
):
    yield ctx.progress(0.5)
    yield ctx.text(f"{prompt}:{size}:{seed}")


class Painter:
    @hookimpl
    def aimark_register_commands(self):
        return [paint]


@pytest.fixture
def host():
    host = PluginHost()
    host.register("painter", Painter())
    return host


def run(host, text, ctx=None):
    async def collect():
        line = parse_slash(text)
        return [output async for output in host.run(line, ctx or context())]

    return asyncio.run(collect())


def refused(host, text):
    with pytest.raises(AimarkError) as caught:
        run(host, text)
    return caught.value.fault


@pytest.mark.parametrize("name", ["/paint", "/그림", "/이미지", "／이미지", "/PAINT"])
def test_a_command_answers_to_all_its_names(host, name):
    assert run(host, f"{name} 고양이") == [ProgressOutput(0.5), TextOutput("고양이:small:0")]


def test_options_are_typed(host):
    assert run(host, "/paint a cat --size=large --seed=7")[-1] == TextOutput("a cat:large:7")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/paint", "content_missing"),
        ("/이미지   ", "content_missing"),
        ("/paint --size=large", "content_missing"),
        ("/paint cat --size=huge", "argument_invalid"),
        ("/paint cat --seed=-1", "argument_invalid"),
        ("/paint cat --seed=many", "argument_invalid"),
        ("/paint cat --colour=red", "option_unknown"),
        ("/print cat", "command_unknown"),
        ("/ㅔ먀ㅜㅅ cat", "command_unknown"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason_in_both_languages(host, text, code):
    fault = refused(host, text)
    assert fault.code == code
    assert fault.message.ko
    assert fault.hint.en


@pytest.mark.parametrize(
    ("typed", "meant"), [("/pant cat", "/paint"), ("/ㅔ먀ㅜㅅ", "/paint"), ("/rmfla", "/그림"), ("/ㅇㅁㅈ", "/이미지")]
)
def test_an_unknown_name_is_answered_with_the_one_that_was_meant(host, typed, meant):
    fault = refused(host, typed)
    assert f"Did you mean {meant}?" in fault.hint.en
    assert f"혹시 {meant} 명령을" in fault.hint.ko


def test_a_command_that_raises_is_told_and_the_host_goes_on(host):
    @command("boom", help={"en": "Breaks"})
    async def boom(ctx):
        yield ctx.text("so far")
        raise ZeroDivisionError("by zero")

    host.register("bomb", type("Bomb", (), {"aimark_register_commands": hookimpl(lambda self: [boom])})())
    fault = refused(host, "/boom")
    assert fault.code == "plugin_failed"
    assert "ZeroDivisionError: by zero" in fault.detail
    assert run(host, "/paint cat")


def test_two_plugins_cannot_take_one_name(host):
    with pytest.raises(ValueError, match="already a command of painter"):
        host.register("again", Painter())
    assert [status.name for status in host.statuses] == ["painter"]


def test_a_misspelt_hook_is_refused(host):
    class Misspelt:
        @hookimpl
        def aimark_register_comands(self):
            return []

    with pytest.raises(Exception, match="aimark_register_comands"):
        host.register("misspelt", Misspelt())


def test_a_folder_loads_what_it_can_and_says_why_the_rest_is_off(tmp_path):
    (tmp_path / "good.py").write_text(
        "from aimark_daemon import command, hookimpl\n"
        "@command('hello', names={'ko': ['안녕']}, help={'en': 'Greet', 'ko': '인사합니다'})\n"
        "async def hello(ctx):\n    yield ctx.text('hi')\n"
        "@hookimpl\ndef aimark_register_commands():\n    return [hello]\n"
    )
    (tmp_path / "broken.py").write_text("import a_module_that_is_not_there\n")
    (tmp_path / "quits.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "off.py").write_text("raise RuntimeError('loaded although it is off')\n")
    host = PluginHost(disabled=["off"])
    host.load_folder(tmp_path)
    assert {status.name: status.state for status in host.statuses} == {
        "broken": PluginState.FAILED,
        "good": PluginState.ACTIVE,
        "off": PluginState.DISABLED,
        "quits": PluginState.FAILED,
    }
    assert "a_module_that_is_not_there" in next(s.why for s in host.statuses if s.name == "broken")
    assert run(host, "/안녕") == [TextOutput("hi")]


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


def test_the_bundled_plugins_load_and_use_only_the_public_api():
    host = PluginHost()
    host.load_folder(bundled_folder())
    assert {status.state for status in host.statuses} == {PluginState.ACTIVE}
    for path in bundled_folder().glob("*.py"):
        imports = [line for line in path.read_text().splitlines() if line.startswith(("from aimark", "import aimark"))]
        assert all(line.startswith("from aimark_daemon import ") for line in imports), path.name


def test_title_renames_the_session_that_asks_in_its_language():
    host, services = PluginHost(), Services()
    host.load_folder(bundled_folder())
    outputs = run(host, "/제목 휴가 계획", context("ko", services))
    assert services.renamed == [("s1", "휴가 계획")]
    assert "휴가 계획" in outputs[0].text
