"""Titles, search terms and excerpts."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.store.text import automatic_title, clean_title, cut, excerpt, match_expression, storable, terms, tidy
from tests.store.helpers import fault_of

any_text = st.text(st.characters())
"""Lone surrogates too."""
hangul = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=8)


@settings(deadline=None)
@given(any_text)
def test_a_title_is_tidy_or_refused(title):
    tidied = tidy(title)
    if 1 <= len(tidied) <= 200:
        assert clean_title(title) == tidied
        assert clean_title(tidied) == tidied
        assert tidied == tidied.strip() == unicodedata.normalize("NFC", tidied)
        assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in tidied)
    else:
        assert fault_of(clean_title, title).code == "title_invalid"


@pytest.mark.parametrize("title", ["", "  \n\t ", "\x00\x1b", "\u202e", "가" * 201])
def test_a_title_without_content_or_too_long_is_refused(title):
    fault = fault_of(clean_title, title)
    assert fault.code == "title_invalid"
    assert fault.exit_code == 2


def test_a_title_keeps_its_words_and_joins_its_letters():
    assert clean_title("  서울\n여행\x07 ✈️ 계획 ") == "서울 여행 ✈️ 계획"
    assert clean_title(unicodedata.normalize("NFD", "회의")) == "회의"
    assert len(clean_title(unicodedata.normalize("NFD", "각" * 200))) == 200


@settings(deadline=None)
@given(any_text)
def test_an_automatic_title_is_a_title_or_empty(message):
    title = automatic_title(message)
    assert len(title) <= 40
    if title:
        assert clean_title(title) == title


def test_an_automatic_title_is_the_first_line_that_says_something():
    assert automatic_title("\n \n대한민국의 수도는 어디인가요?\n둘째 줄") == "대한민국의 수도는 어디인가요?"
    assert automatic_title("가" * 50) == "가" * 40


@pytest.mark.parametrize("whole", ["👨‍👩‍👧", "👍🏽", "❤️", "🇰🇷", "e\u0301\u0323", "한", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
def test_nothing_is_cut_inside_what_is_seen_as_one_character(whole):
    for before in range(41):
        text = "가" * before + whole + "나"
        shown = cut(text, 40)
        assert shown in ("가" * before, "가" * before + whole, text, "가" * 40)


def test_flags_are_cut_between_their_pairs():
    assert cut("🇰🇷🇺🇸🇯🇵", 5) == "🇰🇷🇺🇸"
    assert cut("a🇰🇷🇺🇸", 4) == "a🇰🇷"


def test_an_endless_character_is_cut_all_the_same():
    assert len(cut("a" + "\u0301" * 100, 40)) <= 40


@settings(deadline=None)
@given(any_text, st.integers(0, 50))
def test_a_cut_text_is_a_beginning(text, limit):
    shown = cut(text, limit)
    assert text.startswith(shown)
    assert len(shown) <= limit
    assert shown or not text or limit == 0


@settings(deadline=None)
@given(any_text)
def test_what_is_stored_is_utf8_and_otherwise_the_same(text):
    stored = storable(text)
    stored.encode()
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert stored == text


def phrase_in(needle, hay):
    return any(hay[index : index + len(needle)] == needle for index in range(len(hay)))


@settings(deadline=None)
@given(hangul, hangul, hangul)
def test_a_part_of_a_hangul_word_is_a_phrase_of_its_terms(before, part, after):
    assert phrase_in(terms(part), terms(before + part + after))
    assert terms(unicodedata.normalize("NFD", part)) == terms(part)


@settings(deadline=None)
@given(any_text)
def test_terms_are_plain_ascii_and_quotable(text):
    for term in terms(text):
        assert term.isascii()
        assert term
        assert all(char.isalnum() or char == "_" for char in term)
        assert term == term.lower()


@settings(deadline=None)
@given(any_text)
def test_an_expression_has_no_syntax_of_the_users(query):
    for phrase in match_expression(query).split(" AND "):
        inner = phrase.removesuffix("*").removeprefix('"').removesuffix('"')
        assert all(char.isalnum() or char in "_ " for char in inner)
        assert inner.isascii()


def test_an_excerpt_shows_the_surroundings_on_one_line():
    text = "앞말 " * 30 + "내일\n서울에서 회의가 있습니다. " + "뒷말 " * 60
    shown = excerpt(text, unicodedata.normalize("NFD", "회의"))
    assert "서울에서 회의가 있습니다." in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "\n" not in shown
    assert len(shown) <= 122


@settings(deadline=None)
@given(any_text, any_text)
def test_an_excerpt_is_always_short(text, query):
    assert len(excerpt(storable(text), storable(query))) <= 122
