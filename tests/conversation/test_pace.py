"""The speaking pace: what was heard is never said again."""

from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.pace import DEFAULT_LETTERS_PER_S, Pace, letters

TEXTS = st.lists(st.sampled_from(["서울은", "대한민국의", "수도", "a", "capital,", "2026", "..."]), max_size=12).map(
    " ".join
)


@given(TEXTS, st.floats(0, 30))
def test_the_rest_begins_with_a_word_and_holds_none_that_was_heard(text, seconds):
    pace = Pace()
    rest = pace.rest(text, seconds)
    assert text.endswith(rest)
    assert rest in ("", text) or text[: -len(rest)].endswith(" ")
    if rest and seconds:
        assert letters(text) - letters(rest) >= seconds * pace.letters_per_s


@given(TEXTS, st.floats(0, 10), st.floats(0, 10))
def test_the_more_was_heard_the_less_is_left(text, one, other):
    pace = Pace()
    shorter, longer = sorted((one, other))
    assert pace.rest(text, shorter).endswith(pace.rest(text, longer))


def test_nothing_heard_leaves_everything_and_everything_heard_leaves_nothing():
    text = "안녕하세요, 반갑습니다."
    assert Pace().rest(text, 0) == text
    assert Pace().rest(text, 60) == ""


def test_the_pace_is_learnt_from_what_was_spoken():
    pace = Pace()
    assert pace.letters_per_s == DEFAULT_LETTERS_PER_S
    pace.learn("one two three", 1.1)
    assert pace.letters_per_s == 10
    assert pace.rest("one two three four", 0.5) == "three four"
