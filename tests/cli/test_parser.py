"""Parsing of the command line, its help, and the reference page that describes it."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimark_daemon.cli.parser import COMMANDS, build_parser, with_command
from aimark_daemon.errors import AimarkError
from tests.cli.calls import Aimark

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


def test_every_command_is_parsed() -> None:
    (action,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    assert set(action.choices) == set(COMMANDS)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["run"]),
        (["--port", "0"], ["run", "--port", "0"]),
        (["--debug"], ["--debug", "run"]),
        (["--debug", "ask", "a"], ["--debug", "ask", "a"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
        (["ask", "안녕"], ["ask", "안녕"]),
    ],
)
def test_run_is_meant_where_no_command_is_named(given: list[str], meant: list[str]) -> None:
    assert with_command(given) == meant


@pytest.mark.parametrize(
    "arguments",
    [
        ["dance"],
        ["ask"],
        ["say"],
        ["ask", "a", "--sess", "b"],
        ["run", "--port", "65536"],
        ["run", "--port", "-1"],
        ["run", "--port", "여덟"],
        ["sessions"],
        ["sessions", "rename", "id"],
        ["models", "eat"],
        ["sessions", "export", "--format", "pdf"],
    ],
)
def test_a_mistake_is_a_fault_of_usage(arguments: list[str]) -> None:
    with pytest.raises(AimarkError) as caught:
        build_parser().parse_args(with_command(arguments))
    assert (caught.value.fault.code, caught.value.fault.exit_code) == ("usage", 2)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_command_and_option_has_help_in_both_languages(language: str) -> None:
    other = {"en": "ko", "ko": "en"}[language]
    for mine, theirs in zip(parsers(build_parser(language)), parsers(build_parser(other)), strict=True):
        assert mine.description
        assert mine.description != theirs.description
        for one, two in zip(mine._actions, theirs._actions, strict=True):
            assert one.help == two.help if one.help in (None, argparse.SUPPRESS) else one.help
            if one.help not in (None, argparse.SUPPRESS) and one.dest not in ("help", "version"):
                assert one.help != two.help


def test_mistakes_and_help_end_as_documented(tmp_path: Path) -> None:
    aimark = Aimark(tmp_path / "home", LANG="ko_KR.UTF-8")
    wrong = aimark("ask")
    assert (wrong.code, wrong.out) == (2, "")
    assert "[usage]" in wrong.err
    as_json = aimark("ask", "--json")
    assert (as_json.error(), as_json.code) == ("usage", 2)
    shown = aimark("--help")
    assert shown.code == 0
    assert "음성 어시스턴트" in shown.out
    assert aimark("--version").out.startswith("aimark ")
    assert not (tmp_path / "home").exists()


def test_the_reference_page_describes_every_command_and_option_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    described = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page))
    options = set()
    for parser in parsers(build_parser()):
        for action in parser._actions:
            if action.help != argparse.SUPPRESS:
                options |= {option for option in action.option_strings if option.startswith("--")}
        if parser.prog != "aimark":
            assert f"`{parser.prog}" in page, parser.prog
    assert described == options
