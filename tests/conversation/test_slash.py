"""Slash lines, in both languages and every normal form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.slash import SlashLine, fold, parse_slash


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("/help", SlashLine("help")),
        ("  /help  ", SlashLine("help")),
        ("/제목 새 이름", SlashLine("제목", "새 이름")),
        (unicodedata.normalize("NFD", "/이미지 고양이"), SlashLine("이미지", "고양이")),
        ("／이미지 고양이", SlashLine("이미지", "고양이")),
        ("/image a cat --size=512x512", SlashLine("image", "a cat", {"--size": "512x512"})),
        ("/image --size=512x512 a cat", SlashLine("image", "a cat", {"--size": "512x512"})),
        ('/say --voice="두 단어" 안녕', SlashLine("say", "안녕", {"--voice": "두 단어"})),
        ("/run --dry-run", SlashLine("run", "", {"--dry-run": None})),
        ("/run --note=", SlashLine("run", "", {"--note": ""})),
        ("/say -- --not-an-option", SlashLine("say", "--not-an-option")),
        ("/note first line\nsecond line", SlashLine("note", "first line\nsecond line")),
        ("/note a--b", SlashLine("note", "a--b")),
    ],
)
def test_a_slash_line_is_read(text, line):
    assert parse_slash(text) == line


@pytest.mark.parametrize("text", ["", "help", "/", "/ help", "/usr/bin", "//help", "1/2", "안녕 /help"])
def test_other_text_is_talk(text):
    assert parse_slash(text) is None


@given(st.text(max_size=40))
def test_any_text_is_read_without_raising(text):
    line = parse_slash(text)
    assert line is None or line.name


@given(st.text(alphabet="가나다라마바사아이미지ABCabc", min_size=1, max_size=12))
def test_a_name_is_the_same_in_every_normal_form(name):
    assert fold(unicodedata.normalize("NFD", name)) == fold(unicodedata.normalize("NFC", name).upper())
