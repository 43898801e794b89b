"""Keyboard layouts: the same keys read as Hangul and as Latin, there and back."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.plugins.keyboard import jamo_of, to_hangul, to_latin

SYLLABLES = st.text(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")), max_size=12)


@pytest.mark.parametrize(
    ("keys", "hangul"),
    [
        ("dlalwl", "이미지"),
        ("rmfla", "그림"),
        ("ehdnaakf", "도움말"),
        ("ekfrdmf", "닭을"),
        ("rkqt", "값"),
        ("rkqtdl", "값이"),
        ("rhkwp", "과제"),
        ("dnjstnddl", "원숭이"),
        ("Rhc", "꽃"),
        ("zh", "코"),
        ("ㅁ", "ㅁ"),
        ("r", "ㄱ"),
        ("k", "ㅏ"),
        ("ghk 2rkwl", "화 2가지"),
    ],
)
def test_keys_make_the_syllables_that_a_korean_keyboard_makes(keys, hangul):
    assert to_hangul(keys) == hangul


@pytest.mark.parametrize(
    ("hangul", "keys"), [("ㅗ디ㅔ", "help"), ("ㅑㅡㅁㅎㄷ", "image"), ("샤ㅡㄷㄱ", "timer"), ("help", "help")]
)
def test_hangul_typed_by_mistake_is_the_word_that_was_meant(hangul, keys):
    assert to_latin(hangul) == keys


@given(st.text(string.ascii_lowercase + "QWERTOP -0", max_size=20))
def test_no_key_is_lost_or_moved_on_the_way_to_hangul_and_back(keys):
    assert to_latin(to_hangul(keys)) == keys


@given(SYLLABLES)
def test_every_syllable_comes_back_from_its_keys(text):
    assert to_hangul(to_latin(text)) == text


@given(SYLLABLES)
def test_the_letters_of_a_syllable_are_those_of_unicode(text):
    for syllable in text:
        assert len(jamo_of(syllable)) == len(unicodedata.normalize("NFD", syllable))
