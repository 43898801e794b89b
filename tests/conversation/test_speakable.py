"""Written text made speakable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.clauses import ClauseCutter
from aimark_daemon.conversation.language import has_hangul
from aimark_daemon.conversation.speakable import speakable, spoken_runs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**굵게** 그리고 _기울여_", "굵게 그리고 기울여"),
        ("# Title", "Title"),
        ("- one", "one"),
        ("* [x] done", "done"),
        ("> quoted", "quoted"),
        ("2. Second **thing**.", "two, Second thing."),
        ("Use `snake_case` now", "Use snake_case now"),
        ("See [the page](https://example.com/x) now.", "See the page now."),
        ("Go to https://example.com/a?b=c.", "Go to (link)."),
        ("5*3 is 15", "five times three is fifteen"),
        ("A → B", "A, B"),
        ("좋아요 👍🏽👩‍👩‍👧!", "좋아요!"),
        ("25°C", "twenty-five degrees Celsius"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b one, two"),
        ("Sure,", "Sure,"),
        ("one<br>two", "one two"),
        ("a < b and b > c", "a < b and b > c"),
        ("안녕 ~~하지~~ 마세요 ...", "안녕 하지 마세요..."),
    ],
)
def test_markdown_is_said_as_a_person_would(text, said):
    assert speakable(text) == said


@pytest.mark.parametrize("text", ["", "  \n", "---", "***", "🙂", "...", "|---|---|", "-" * 300])
def test_nothing_to_say_is_empty(text):
    assert speakable(text) == ""


@pytest.mark.parametrize("code", ["```python\nprint('hi')\n```", "```\nx = 1\n```", "```js\nunfinished("])
def test_code_is_mentioned_and_never_read(code):
    assert speakable(code, "en") == "(code)"
    assert speakable(code, "ko") == "(코드)"


def test_a_link_in_a_korean_sentence_keeps_its_particle():
    assert speakable("https://naver.com/news를 보세요.", "ko") == "(링크)를 보세요."


@given(st.text(max_size=120))
def test_what_is_speakable_stays_speakable(text):
    once = speakable(text)
    assert once == "" or any(map(str.isalnum, once))
    assert "\n" not in once
    assert "```" not in once


@given(st.lists(st.sampled_from(["x = 1.\n", "안녕. ", "go, ", "\n"]), max_size=10).map("".join))
def test_a_code_block_reaches_the_voice_as_one_mention(code):
    cutter = ClauseCutter()
    clauses = cutter.feed(f"Look:\n```py\n{code}\n```\nDone.") + cutter.flush()
    assert [speakable(clause) for clause in clauses] == ["Look:", "(code)", "Done."]


@pytest.mark.parametrize(
    "text",
    [
        "-" * 5000 + "x",
        "[" * 5000,
        " " * 5000 + "x",
        "|-" * 2000 + "x",
        "<a" * 2000,
        "`" * 5001,
        "http://" * 900,
        "* " * 3000 + "x",
        "1," * 3000,
        "1.1." * 2000,
        "1-" * 3000,
        "1:" * 3000,
        "1~" * 3000,
        "a@" * 3000,
        "a." * 3000,
        "$1 " * 2000,
        "개1" * 2000,
        "9" * 6000,
    ],
)
@pytest.mark.timeout(20)
def test_hostile_text_is_handled_without_delay(text):
    cutter = ClauseCutter()
    clauses = cutter.feed(text) + cutter.flush()
    assert "".join(clauses) == text
    assert all(isinstance(speakable(clause, language), str) for clause in clauses for language in ("en", "ko"))
    assert all(isinstance(spoken_runs(clause), list) for clause in clauses)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("GPT-4는 좋아요.", [("지피티 사는 좋아요.", "ko")]),
        ("저는 Visual Studio Code를 3년 썼어요.", [("저는 Visual Studio Code를 삼년 썼어요.", "ko")]),
        ("The word 안녕 means hello.", [("The word", "en"), ("안녕", "ko"), ("means hello.", "en")]),
        ("There are 3 apples.", [("There are three apples.", "en")]),
        (
            "영어로 “How are you doing today”라고 해요.",
            [("영어로", "ko"), ("“How are you doing today”", "en"), ("라고 해요.", "ko")],
        ),
        ("**굵은** [글](https://a.kr)과 `code`", [("굵은 글과 code", "ko")]),
        ("🙂", []),
    ],
)
def test_each_part_goes_to_the_voice_of_its_language(text, runs):
    assert spoken_runs(text) == runs


@pytest.mark.parametrize(("default", "said"), [("ko", "사십이."), ("en", "forty-two.")])
def test_numbers_alone_are_read_in_the_language_around_them(default, said):
    assert spoken_runs("42.", default) == [(said, default)]


@given(
    st.lists(
        st.sampled_from(["안녕", "3개", "word", "GPT-4는", "10:30", "**b**", "I", "am", "here", "“q”라고"])
        | st.text(max_size=5)
    )
)
def test_no_english_voice_is_given_a_korean_word(words):
    for said, spoken_in in spoken_runs(" ".join(words)):
        assert said
        assert spoken_in == "ko" or not has_hangul(said)
