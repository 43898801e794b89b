"""The examples in the documentation work: commands parse, JSON is what it claims to be, Python runs."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import unicodedata

import pytest

import aimark_daemon
from aimark_daemon import AimarkError, Context
from aimark_daemon.cli.parser import build_parser, with_command
from aimark_daemon.config import load_config
from aimark_daemon.config.types import Config
from aimark_daemon.errors import FAULT_KINDS
from aimark_daemon.reference import declared_faults
from aimark_daemon.reference_hooks import hooks
from aimark_daemon.store.transfer import from_json
from tests.docs.markdown import IDS, PAGES, ROOT, blocks, mentioned_calls, read, talk, typed_calls
from tests.plugins.hosts import Services, hosting, said, states

PYTHON = {
    "docs/tutorial/first-command.md": 1,
    "docs/tutorial/ko/first-command.md": 1,
    "docs/reference/plugins.md": 1,
    "docs/reference/hooks.md": len(hooks()),
    "docs/how-to/use-from-scripts.md": 1,
}
"""Pages with Python, and how many blocks each has: all of them are run below."""
TALK = sorted({line for page in PAGES for line in talk(read(page))})


def parses(arguments):
    """Whether the real parser takes the arguments; what they name need not exist."""
    try:
        build_parser().parse_args(with_command(arguments))
    except AimarkError:
        return False
    except SystemExit as end:  # --help, --version
        return end.code == 0
    return True


def is_command(code):
    """Whether inline code is a whole command line, or the name of a command."""
    arguments = shlex.split(code.removeprefix("uv run "))[1:]
    names = all(argument.isalpha() and argument.islower() for argument in arguments)
    return parses(arguments) or (names and parses([*arguments, "--help"]))


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_line_parses(page):
    for call in typed_calls(page.read_text(encoding="utf-8")):
        assert parses(call), shlex.join(["aimark", *call])


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_that_is_mentioned_exists(page):
    for code in mentioned_calls(page.read_text(encoding="utf-8")):
        assert is_command(code), code


def test_every_command_that_a_fault_recommends_exists():
    for kind in [kind for kinds in declared_faults().values() for kind in kinds]:
        for text in (kind.message.en, kind.message.ko, kind.hint.en, kind.hint.ko):
            for code in mentioned_calls(text):
                assert is_command(code), f"{kind.code}: {code}"


@pytest.mark.parametrize("arguments", [["sing"], ["models", "sell", "x"], ["ask"], ["say", "a.wav", "--loud"]])
def test_the_check_refuses_what_does_not_exist(arguments):
    assert not parses(arguments)
    assert not is_command(shlex.join(["aimark", *arguments])) or arguments == ["ask"]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_json_block_is_json_and_what_it_shows(page, tmp_path):
    for block in blocks(page.read_text(encoding="utf-8"), "json"):
        values = json.loads(block.text)
        if set(values) <= set(Config.__struct_fields__):
            file = tmp_path / "config.json"
            file.write_text(block.text, encoding="utf-8")
            assert load_config(file).warnings == ()
        elif values.get("version") == 1:
            assert from_json(block.text).sessions


def test_every_page_with_python_is_run_here():
    found = {page: len(blocks(read(page), "python")) for page in IDS}
    assert {page: count for page, count in found.items() if count} == PYTHON


class Page:
    """The Python of a page as the plugin `name`, beside the bundled plugins."""

    def __init__(self, folder, name, page):
        (folder / f"{name}.py").write_text(blocks(read(page), "python")[0].text, encoding="utf-8")
        self.folder = folder
        self.page = page

    def said(self, line, language="en"):
        """What a command says, as one text."""

        async def ask():
            async with hosting(self.folder, bundled=True) as plugins:
                assert set(states(plugins).values()) == {"active"}, plugins.told
                return await said(plugins, line, language=language)

        return asyncio.run(ask())


@pytest.fixture(params=["docs/tutorial/first-command.md", "docs/tutorial/ko/first-command.md"])
def counting(tmp_path, request):
    return Page(tmp_path, "count", request.param)


def test_the_tutorials_plugin_does_what_the_tutorial_says(counting):
    assert counting.said("/count hello world") == "11 characters."
    assert counting.said("/글자수 --spaces=no 안녕하세요 여러분", "ko") == "8자입니다."
    assert counting.said(unicodedata.normalize("NFD", "/글자수 하나")) == "2 characters."
    assert "/count - Count the characters of a text" in counting.said("/help")
    assert "/글자수 - 글자 수를 셉니다" in counting.said("/도움말", "ko")


def test_the_tutorials_mistakes_are_refused_as_it_says(counting):
    rows = [row.split("`") for row in read(counting.page).splitlines() if row.startswith("| `/")]
    assert len(rows) == 4
    with pytest.raises(AimarkError, match="command_unknown") as caught:
        counting.said("/채ㅕㅜㅅ hello")
    assert "/count" in caught.value.fault.hint.en
    for _, line, _, code, _ in rows:
        with pytest.raises(AimarkError) as caught:
            counting.said(line)
        assert caught.value.fault.code == code


@pytest.mark.parametrize("line", TALK)
def test_every_command_that_is_typed_into_a_conversation_works(counting, line):
    assert counting.said(line)


def test_the_plugins_page_raises_its_fault(tmp_path):
    try:
        page = Page(tmp_path, "coffee", "docs/reference/plugins.md")
        with pytest.raises(AimarkError) as caught:
            page.said("/커피 지우", "ko")
    finally:
        FAULT_KINDS.pop("no_coffee", None)
    assert caught.value.fault.code == "no_coffee"
    assert caught.value.fault.message.ko == "지우에게 줄 커피가 없습니다."


def test_the_plugins_page_names_everything_a_plugin_may_use():
    page = read("docs/reference/plugins.md")
    members = {*dir(Context), *vars(Context(session="", language="en", services=Services()))}
    public = [name for name in members if not name.startswith("_")]
    for name in aimark_daemon.__all__:
        assert f"| `{name}` |" in page
    for name in public:
        assert f"| `{name}`" in page or f"| `{name}(" in page, name


def on_fakes(home, **further):
    """The environment of a call whose engines are fakes, with everything in a folder of its own."""
    return os.environ | {
        "AIMARK_HOME": str(home),
        "AIMARK_FAKE_ENGINES": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        **further,
    }


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.ko.md", "ko")])
def test_the_demo_prints_what_the_readme_shows(page, language, tmp_path):
    call, *shown, rest = blocks(read(page), "console")[0].text.splitlines()
    assert (call, rest) == ("$ uv run aimark demo", "...")
    locale = {"LC_ALL": f"{language}.UTF-8", "LANG": f"{language}.UTF-8"}
    command = [sys.executable, "-m", "aimark_daemon", "demo", "--out", str(tmp_path / "answer.wav")]
    environment = on_fakes(tmp_path, **locale)
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert printed[0] == shown[0]
    assert [line[:4] for line in printed[1:3]] == [line[:4] for line in shown[1:]] == ["  > ", "  < "]
    assert printed[-1].strip() == str(tmp_path / "answer.wav")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for `aimark` is a shell script")
def test_the_script_of_the_how_to_holds_a_conversation(tmp_path):
    (tmp_path / "aimark").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aimark_daemon "$@"\n', encoding="utf-8")
    (tmp_path / "aimark").chmod(0o755)
    environment = on_fakes(tmp_path / "home", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    script = blocks(read("docs/how-to/use-from-scripts.md"), "python")[0].text
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
