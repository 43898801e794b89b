"""A command's question at the terminal: what agrees, what chooses, and what declines."""

import pytest

from aimark_daemon.cli.questions import accepted
from aimark_daemon.protocol.messages import Question

CONFIRM = Question(turn=1, question=1, text="지울까요?", confirm=True)
CHOICE = Question(turn=1, question=1, text="언제?", choices=("봄", "여름 끝", "여름"))
WORDS = Question(turn=1, question=1, text="왜?")


@pytest.mark.parametrize("line", ["y\n", "YES\n", " 예\n", "네\n", "ㅛ\n"])
def test_a_yes_in_either_language_confirms(line):
    assert accepted(CONFIRM, line) == ""


@pytest.mark.parametrize("line", ["\n", "", "n\n", "아니요\n", "maybe\n", "yesterday\n"])
def test_anything_else_does_not(line):
    assert accepted(CONFIRM, line) is None


@pytest.mark.parametrize(
    ("line", "answer"),
    [("봄\n", "봄"), ("여름\n", "여름"), ("여름 끝", "여름 끝"), ("겨울\n", None), ("여\n", None), ("\n", None)],
)
def test_a_choice_is_chosen_by_its_unique_beginning(line, answer):
    assert accepted(CHOICE, line) == answer


def test_words_are_taken_as_they_are_and_nothing_declines():
    assert accepted(WORDS, " 그냥요\n") == "그냥요"
    assert accepted(WORDS, " \n") is None
