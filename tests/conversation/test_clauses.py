"""Cutting an answer into clauses while it is being written."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimark_daemon.conversation.clauses import ClauseCutter

PIECES = st.sampled_from(
    [
        *(" ", "\n", "\r\n", "\n\n", ". ", ".", ", ", ",", "! ", "? ", "…", "。", "！", '"', "'", ")", "(", "**", "`"),
        *(
            "```\n",
            "\n```python\n",
            "e.g. ",
            "Dr. ",
            "etc. ",
            "No. ",
            "Then",
            "3.14",
            "1,000",
            " 2. ",
            "https://a.kr/b.c?d=e ",
            "and ",
            "but ",
        ),
        *("word ", "하고 ", "있습니다", "지만 ", "는데 ", "습니다. ", "안녕하세요", "\u1112\u1161\u11ab", "e\u0301"),
        *("👩‍👩‍👧", "👍🏽 ", "\ufe0f", "\u200d", "- ", "1. ", "| a | b |\n"),
    ]
)
KOREAN = ["오늘", "날씨가", "맑고", "따뜻해서", "좋지만", "비가", "옵니다.", "네,", "그래요?", "합니다.\n"]
ANSWERS = st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join)


def clauses_of(text, sizes=(10_000,)):
    cutter, found, at, turn = ClauseCutter(), [], 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        found += cutter.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    return found + cutter.flush()


@given(ANSWERS, st.lists(st.integers(1, 9), min_size=1, max_size=8))
@example("```\na. b\n```\nThen. ", [1])
@example("Hi!\r\nThere. ", [1])
def test_clauses_joined_are_the_text_and_do_not_depend_on_the_chunks(text, sizes):
    whole = clauses_of(text)
    assert "".join(whole) == text
    assert all(whole)
    assert clauses_of(text, tuple(sizes)) == whole
    assert clauses_of(text, (1,)) == whole


@given(ANSWERS)
def test_no_cut_splits_a_grapheme_a_number_or_a_word(text):
    found = clauses_of(text)
    for left, right in pairwise(found):
        assert not unicodedata.category(right[0]).startswith("M")
        assert right[0] not in "\u200d\ufe0f"
        assert not (left[-1] == "\r" and right[0] == "\n")
        assert not (left[-1].isalnum() and right[0].isalnum())
        assert not (left[-1] in ".," and right[0].isdigit())


ATOMS = st.sampled_from(
    [
        *("3.14", "1,000", "1,234,567.89", "10:30", "2024.1.5", "1.2.3", "$3.50", "50%", "3.14는", "10:30에"),
        *("https://a.kr/b.c?d=e,f;g", "www.a.com/x.y", "a.b@c.com", "naver.com을", "U.S.", "e.g.", "Dr.", "Ph.D."),
        *(
            "snake_case.py",
            "it's",
            "한국어로",
            unicodedata.normalize("NFD", "안녕하세요"),
            "👩‍👩‍👧",
            "e\u0301te\u0301",
            "ᄒ한ᅡ",
        ),
        *("끓이고", "좋지만", "그런데", "and", "word"),
    ]
)


@given(st.lists(st.tuples(ATOMS, st.sampled_from([" ", " ", ", ", ". ", "! ", "\n", '" ', ") "])), max_size=30))
def test_no_number_address_word_or_grapheme_is_cut_in_two(parts):
    text, inside = "", set()
    for atom, after in parts:
        inside.update(range(len(text) + 1, len(text) + len(atom)))
        text += atom + after
    at = 0
    for clause in clauses_of(text)[:-1]:
        at += len(clause)
        assert at not in inside, text[:at]


@pytest.mark.parametrize("abbreviation", ["Dr.", "Mr.", "e.g.", "i.e.", "vs.", "U.S.", "No. 5 is", "Nos. 3"])
@given(word=st.sampled_from(["Kim", "this", "Army", "한국"]))
def test_an_abbreviation_stays_with_what_follows(abbreviation, word):
    text = f"We met {abbreviation} {word} today."
    assert clauses_of(text) == [text]


@given(ANSWERS)
def test_a_cutter_is_new_after_the_flush(text):
    cutter = ClauseCutter()
    first = cutter.feed(text) + cutter.flush()
    assert cutter.feed(text) + cutter.flush() == first


@given(st.lists(st.sampled_from(KOREAN), max_size=30).map(" ".join))
def test_decomposed_hangul_is_cut_at_the_same_places(text):
    decomposed = unicodedata.normalize("NFD", text)
    assert [unicodedata.normalize("NFC", clause) for clause in clauses_of(decomposed)] == clauses_of(text)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Sure, here it is, all of it. Good.", ["Sure,", " here it is, all of it.", " Good."]),
        ("안녕하세요! 저는 마크입니다. 반갑습니다.", ["안녕하세요!", " 저는 마크입니다.", " 반갑습니다."]),
        ("네, 알겠습니다. 좋아요.", ["네, 알겠습니다.", " 좋아요."]),
        ("오늘은 날씨가 정말 맑고 따뜻합니다.", ["오늘은 날씨가 정말 맑고", " 따뜻합니다."]),
        ("저는 지금 음악을 열심히 듣고 있습니다.", ["저는 지금 음악을 열심히 듣고 있습니다."]),
        ("내일은 비가 올 것 같은데 우산이 없어요.", ["내일은 비가 올 것 같은데", " 우산이 없어요."]),
        ("Paris is the capital of France and it is large.", ["Paris is the capital of France", " and it is large."]),
        ("It costs 3.14 dollars. Not 1,000.", ["It costs 3.14 dollars.", " Not 1,000."]),
        ("Dr. Kim met Mr. Lee, e.g. in Seoul.", ["Dr. Kim met Mr. Lee,", " e.g. in Seoul."]),
        ("See https://example.com/a.b?c=1,2 now. Ok.", ["See https://example.com/a.b?c=1,2 now.", " Ok."]),
        ("2024. 1. 5에 만나요. 네.", ["2024. 1. 5에 만나요.", " 네."]),
        ("1. First one\n2. Second one", ["1. First one", "\n2. Second one"]),
        ('He said "Yes." Then he left.', ['He said "Yes."', " Then he left."]),
        ("Wait... what?! Really", ["Wait...", " what?!", " Really"]),
        ("그렇죠？네。좋아요", ["그렇죠？", "네。", "좋아요"]),
        ("좋습니다.다음은 이것입니다.", ["좋습니다.", "다음은 이것입니다."]),
        ("Here:\n```py\na = 1. \n\nb = 2\n```\nDone.", ["Here:", "\n```py\na = 1. \n\nb = 2\n```", "\nDone."]),
        ("`a. b` is code. Yes.", ["`a. b` is code.", " Yes."]),
        ("He said no. Then he left.", ["He said no.", " Then he left."]),
        ("Apples, pears, etc. Then nuts.", ["Apples,", " pears, etc.", " Then nuts."]),
        ("At 5 p.m. we go. At 6 p.m. He came.", ["At 5 p.m. we go.", " At 6 p.m.", " He came."]),
        ("It is 10:30 and it costs 1,000 won, in all.", ["It is 10:30 and it costs 1,000 won,", " in all."]),
        ("물을 끓이고, 면을 넣어요.", ["물을 끓이고,", " 면을 넣어요."]),
        ("인구는 약 5,000만 명이며 수도는 서울입니다.", ["인구는 약 5,000만 명이며", " 수도는 서울입니다."]),
        ("서울은 크고 부산은 바다가 있지만 둘 다 좋아요.", ["서울은 크고 부산은 바다가 있지만", " 둘 다 좋아요."]),
        ("", []),
        ("\n", ["\n"]),
    ],
)  # fmt: skip
def test_clauses_of_ordinary_answers(text, clauses):
    assert clauses_of(text) == clauses


def test_the_first_clause_comes_while_the_sentence_is_still_written():
    cutter = ClauseCutter()
    assert cutter.feed("물론입니다,") == []
    assert cutter.feed(" 지금") == ["물론입니다,"]


def test_a_long_sentence_without_punctuation_is_cut_between_words():
    found = clauses_of("word " * 400)
    assert len(found) > 3
    assert max(map(len, found)) < 350
