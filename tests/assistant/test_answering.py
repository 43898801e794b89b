"""What the model is asked: instructions, history, the question, and what plugins add to it."""

from aimark_daemon.assistant.answering import chat_request, messages_for
from aimark_daemon.config.types import Config
from aimark_daemon.conversation.prompt import SYSTEM_PROMPTS, ChatMessage
from aimark_daemon.engines.base import Facts

TALK = (ChatMessage("user", "안녕하세요"), ChatMessage("assistant", "안녕하세요!"))


def test_notes_of_plugins_are_seen_and_do_not_choose_the_language():
    noted = "서울 날씨 알려줘\n\n" + "It is cloudy and rather cold there today. " * 20
    make = chat_request("s", TALK, "서울 날씨 알려줘", Config(language="en"), spoken=False, noted=noted)
    messages = make(Facts()).messages
    assert [m.content for m in messages] == [SYSTEM_PROMPTS["ko"], "안녕하세요", "안녕하세요!", noted]


def test_without_notes_the_question_is_as_it_was_said():
    config = Config(language="ko")
    assert messages_for(TALK, "서울?", config)[-1].content == "서울?"
    assert messages_for((), "Who are you?", config)[0].content == SYSTEM_PROMPTS["en"]
