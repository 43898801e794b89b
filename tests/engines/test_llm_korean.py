"""Korean through the small bilingual model: right words, whole syllables, and going on in the middle of an answer."""

import unicodedata

import pytest

from aimark_daemon.conversation.prompt import ChatMessage, build_messages, system_prompt
from aimark_daemon.engines.base import ChatRequest, Sampling
from aimark_daemon.engines.llama import LlamaEngine
from tests.engines.calls import RecordedCall

pytestmark = pytest.mark.models

CAPITAL = "대한민국의 수도는 어디인가요?"


@pytest.fixture(scope="module")
def engine(small_gguf):
    engine = LlamaEngine()
    engine.load({"path": str(small_gguf), "n_ctx": 2048, "threads": 1}, lambda: None)
    yield engine
    engine.close()


def ask(engine, text, *, session="s", history=(), sampling=None, continue_text=""):
    sampling = sampling or Sampling(temperature=0.0, max_tokens=48)
    messages = build_messages(system_prompt("ko"), history, text, 5)
    call = RecordedCall()
    return engine.chat(ChatRequest(session, messages, sampling, continue_text), call), call


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_capital_of_korea_is_seoul(engine, form):
    _, call = ask(engine, unicodedata.normalize(form, CAPITAL), session=form)
    assert "서울" in call.text


def test_syllables_and_emoji_of_several_tokens_arrive_whole(engine, monkeypatch):
    model = engine._loaded.model
    text = "뷁 쀍 🙂 햏 🇰🇷 쫣"
    tokens = model.tokenize(text, special=False)
    assert any("\ufffd" in model.piece(token).decode(errors="replace") for token in tokens), "worth the test"
    script = iter([*tokens, model.eos])

    class Scripted:
        def __init__(self, *_arguments):
            pass

        def accept(self, _tokens):
            pass

        def sample(self, _context, _index):
            return next(script)

        def close(self):
            pass

    monkeypatch.setattr("aimark_daemon.engines.llama_answer.Sampler", Scripted)
    result, call = ask(engine, "따라 하세요.")
    assert [event.text for event in call.events if "\ufffd" in event.text or not event.text] == []
    assert call.text == text
    assert result.tokens == len(tokens) > len(call.events)


def test_a_stop_string_in_hangul_ends_the_answer(engine):
    _, call = ask(engine, CAPITAL, sampling=Sampling(temperature=0.0, max_tokens=48, stop=("서울",)))
    assert call.text
    assert "서" not in call.text


def test_the_next_turn_goes_on_exactly_where_the_cache_ends(engine):
    first, call = ask(engine, CAPITAL, session="talk")
    history = (ChatMessage("user", CAPITAL), ChatMessage("assistant", call.text))
    second, _ = ask(engine, "거기까지 어떻게 가나요?", session="talk", history=history)
    assert second.reused_tokens >= first.prompt_tokens + first.tokens


@pytest.mark.parametrize("pieces", [1, 6])
def test_an_answer_cut_by_a_crash_is_completed_as_if_nothing_had_happened(engine, pieces):
    _, whole = ask(engine, CAPITAL, session="whole")
    cut = "".join(event.text for event in whole.events[:pieces])
    while engine._loaded.cache.evict_idle(None):
        pass
    engine._loaded.prompts._known.clear()
    result, rest = ask(engine, CAPITAL, session=f"another {pieces}", continue_text=cut)
    assert result.reused_tokens == 0, "a new process has evaluated nothing"
    assert cut + rest.text == whole.text
