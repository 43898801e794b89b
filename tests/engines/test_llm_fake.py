"""The fake language model says what its settings tell it to."""

import pytest

from aimark_daemon.conversation.prompt import ChatMessage
from aimark_daemon.engines.base import ChatRequest, Sampling
from aimark_daemon.engines.fake_llm import FakeLLM
from aimark_daemon.engines.faults import LLM_FAILED
from aimark_daemon.errors import AimarkError
from tests.engines.calls import RecordedCall


def answer(settings, text, **request):
    engine, call = FakeLLM(), RecordedCall()
    engine.load(settings, lambda: None)
    return engine.chat(ChatRequest("s", (ChatMessage("user", text),), **request), call), call


def test_the_first_reply_whose_key_is_in_the_message_is_said():
    replies = {"수도": "서울입니다.", "한국": "동아시아에 있습니다."}
    assert answer({"replies": replies}, "한국의 수도는?")[1].text == "서울입니다."
    assert answer({"replies": replies}, "한국은?")[1].text == "동아시아에 있습니다."


def test_anything_else_gets_the_default_with_the_message_in_it():
    assert answer({}, "안녕, 세상!")[1].text == "You said: 안녕, 세상!"
    assert answer({"default": "{text}{text}"}, "{x}")[1].text == "{x}{x}"


def test_words_are_tokens_and_keep_their_white_space():
    result, call = answer({"default": "하나  둘\n셋 "}, "?")
    assert [event.text for event in call.events] == ["하나", "  둘", "\n셋", " "]
    assert result.tokens == 4


def test_it_goes_on_after_what_was_shown():
    _, call = answer({"default": "하나 둘 셋"}, "?", continue_text="하나 둘")
    assert call.text == " 셋"


def test_it_fails_when_it_is_told_to():
    engine, call = FakeLLM(), RecordedCall()
    engine.load({"default": "하나 둘 셋", "fail_after": 2}, lambda: None)
    with pytest.raises(AimarkError) as caught:
        engine.chat(ChatRequest("s", (ChatMessage("user", "?"),), Sampling()), call)
    assert LLM_FAILED.caught_in(caught.value)
    assert call.text == "하나 둘"


def test_it_remembers_what_it_was_asked():
    engine = FakeLLM()
    engine.load({}, lambda: None)
    request = ChatRequest("s", (ChatMessage("user", "?"),))
    engine.chat(request, RecordedCall())
    assert engine.requests == [request]
