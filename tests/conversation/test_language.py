"""Which language a text is in, and its runs of one language."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.language import has_hangul, language_of, split_by_script

MIXED = st.text(st.sampled_from("가나다 힣ㄱabcé XYZ 12.,!?漢あ\n\t🙂") | st.characters(), max_size=60)


@pytest.mark.parametrize(
    "text",
    [
        "대한민국의 수도는 서울입니다.",
        "Python은 프로그래밍 언어입니다.",
        "저는 Visual Studio Code IDE를 씁니다",
        "ㅋㅋㅋ",
        "네",
        unicodedata.normalize("NFD", "안녕하세요"),
    ],
)
def test_korean_sentences_are_korean(text):
    assert language_of(text) == "ko"


@pytest.mark.parametrize(
    "text", ["What time is it?", 'The Korean word "안녕" means hello.', "Café au lait", "3 apples"]
)
def test_english_sentences_are_english(text):
    assert language_of(text) == "en"


@pytest.mark.parametrize("text", ["", "  ", "123", "...", "🙂", "漢字"])
def test_without_letters_of_either_script_the_default_holds(text):
    assert language_of(text, "ko") == "ko"
    assert language_of(text, "en") == "en"


@given(MIXED)
def test_runs_joined_are_the_text_and_neighbours_differ(text):
    runs = split_by_script(text)
    assert "".join(run for run, _ in runs) == text
    assert all(left[1] != right[1] for left, right in pairwise(runs))
    assert all(not has_hangul(run) for run, language in runs if language == "en")


@given(st.text(st.sampled_from("가나다 힣각 abc "), max_size=40))
def test_decomposed_text_is_in_the_same_language(text):
    assert language_of(unicodedata.normalize("NFD", text)) == language_of(text)


def test_words_stay_whole_and_numbers_stick_to_their_neighbour():
    assert split_by_script("3개의 apples, 1,000 and 사과를!") == [
        ("3개의 ", "ko"),
        ("apples, 1,000 and ", "en"),
        ("사과를!", "ko"),
    ]
    assert split_by_script("12, 안녕") == [("12, 안녕", "ko")]
    assert split_by_script("2024", "ko") == [("2024", "ko")]
    assert split_by_script("") == []
