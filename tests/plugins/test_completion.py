"""Completion and suggestions: in both languages, unfinished, by initial consonants, on the wrong keyboard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.plugins.completion import complete, initials, spellings, suggest
from aimark_daemon.protocol.messages import CommandInfo


def info(name, *korean):
    return CommandInfo(name=name, names={"ko": list(korean)}, help={"en": name})


IMAGE, HELP, TIMER, TITLE = (
    info("image", "이미지", "그림"),
    info("help", "도움말"),
    info("timer", "타이머"),
    info("title", "제목"),
)
COMMANDS = [IMAGE, HELP, TIMER, TITLE]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", [HELP, IMAGE, TIMER, TITLE]),
        ("/ti", [TIMER, TITLE]),
        ("/HE", [HELP]),
        ("／이미", [IMAGE]),
        ("/이", [IMAGE]),
        ("/ㅇㅁㅈ", [IMAGE]),
        ("/ㄱㄹ", [IMAGE]),
        ("/ㄷㅇ", [HELP]),
        ("/도ㅇㅁ", [HELP]),
        ("/이밎", [IMAGE]),
        ("/도우", [HELP]),
        ("/ㅗ디", [HELP]),
        ("/dlal", [IMAGE]),
        ("/없는것", []),
        ("/images", []),
    ],
)
def test_what_is_typed_so_far_finds_its_commands(typed, found):
    assert complete(typed, COMMANDS) == found


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ㅗ디ㅔ", "help"),
        ("dlalwl", "이미지"),
        ("ㅑㅡㅁㅎㄷ", "image"),
        ("ㅇㅁㅈ", "이미지"),
        ("hlep", "help"),
        ("tilte", "title"),
        ("이미자", "이미지"),
        ("도음말", "도움말"),
        ("zzz", None),
        ("전혀다른말", None),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_the_one_that_was_meant(typed, meant):
    assert suggest(typed, COMMANDS) == meant


def test_initial_consonants_of_a_word():
    assert initials("이미지 A") == "ㅇㅁㅈ A"


@given(st.sampled_from(COMMANDS), st.data())
def test_every_beginning_of_every_name_finds_its_command(command, data):
    name = data.draw(st.sampled_from(spellings(command)))
    length = data.draw(st.integers(1, len(name)))
    assert command in complete(name[:length], COMMANDS)
    assert command in complete(initials(name)[:length], COMMANDS)


@given(st.text(max_size=8))
def test_nothing_typed_breaks_completion_or_suggestion(typed):
    assert set(map(id, complete(typed, COMMANDS))) <= set(map(id, COMMANDS))
    assert suggest(typed, COMMANDS) in {None, *(name for command in COMMANDS for name in spellings(command))}
