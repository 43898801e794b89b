"""The instructions are in the language that is spoken."""

import pytest

from aimark_daemon.config.instructions import instructions
from aimark_daemon.config.types import Config, LlmConfig, SystemPrompt
from aimark_daemon.conversation.prompt import SYSTEM_PROMPTS


@pytest.mark.parametrize(
    ("configured", "said", "expected"),
    [
        ("en", [], "en"),
        ("ko", [], "ko"),
        ("auto", [], "en"),
        ("en", ["대한민국의 수도는?"], "ko"),
        ("en", ["\u1112\u1161\u11ab\u1100\u1173\u11af"], "ko"),
        ("ko", ["Who are you?"], "en"),
        ("ko", ["2 + 2 = ?"], "ko"),
        ("en", ["Python은 무엇인가요?", "그럼 Rust는요?", "OK"], "ko"),
        ("ko", ["Tell me more about the history of the city", "서울"], "en"),
    ],
)
def test_the_language_of_most_words_decides(configured, said, expected):
    assert instructions(Config(language=configured), said) == SYSTEM_PROMPTS[expected]


def test_a_persons_own_instructions_stay():
    own = Config(llm=LlmConfig(system_prompt="Talk like a pirate."))
    assert instructions(own, ["안녕하세요"]) == "Talk like a pirate."
    both = Config(llm=LlmConfig(system_prompt=SystemPrompt(ko="해적처럼", en="pirate")))
    assert instructions(both, ["안녕하세요"]) == "해적처럼"
