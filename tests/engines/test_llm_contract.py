"""What every language model engine does, real or fake."""

from contextlib import ExitStack, closing

import pytest

from aimark_daemon.conversation.prompt import ChatMessage
from aimark_daemon.engines.base import ChatRequest, CountRequest, Parked, ParkRequest, Sampling, UnparkRequest
from aimark_daemon.engines.fake_llm import FakeLLM
from aimark_daemon.engines.faults import CONTEXT_OVERFLOW, LLM_SETTINGS_INVALID
from aimark_daemon.engines.llama import LlamaEngine
from aimark_daemon.errors import AimarkError
from tests.engines.calls import RecordedCall

CONTEXT = 1024
GREEDY = Sampling(temperature=0.0, max_tokens=24)
SYSTEM = ChatMessage("system", "You are a helpful assistant. " * 8)


@pytest.fixture(scope="module", params=["fake", pytest.param("llama", marks=pytest.mark.models)])
def load(request):
    """Makes loaded engines of one kind."""

    def load():
        if request.param == "fake":
            engine, settings = (
                FakeLLM(),
                {"n_ctx": CONTEXT, "default": "This is an answer to {text} of more than a few words."},
            )
        else:
            path = str(request.getfixturevalue("tiny_gguf"))
            engine, settings = LlamaEngine(), {"path": path, "n_ctx": CONTEXT, "n_ubatch": 64, "threads": 1}
        facts = engine.load(settings, lambda: None)
        assert facts.context == CONTEXT
        return engine

    return load


@pytest.fixture(scope="module")
def engine(load):
    engine = load()
    yield engine
    engine.close()


@pytest.fixture
def make(load):
    """Makes engines for one test."""
    with ExitStack() as stack:

        def make():
            return stack.enter_context(closing(load()))

        yield make


def ask(engine, text, *, session="s", history=(), sampling=GREEDY, continue_text="", continue_tokens=(), call=None):
    call = call or RecordedCall()
    messages = (SYSTEM, *history, ChatMessage("user", text))
    request = ChatRequest(session, messages, sampling, continue_text, continue_tokens=continue_tokens)
    return engine.chat(request, call), call


def test_an_answer_is_streamed_in_pieces_whose_tokens_add_up(engine):
    result, call = ask(engine, "Tell me about the sea.")
    assert call.text
    assert len(call.events) > 3
    assert sum(event.tokens for event in call.events) == result.tokens
    assert result.finish in {"stop", "length"}
    assert result.prompt_tokens > 10


def test_at_temperature_0_the_same_question_gets_the_same_answer(engine):
    answers = [ask(engine, "Name a colour.", session="same")[1].text for _ in range(3)]
    assert answers[1] == answers[2]


def test_a_prompt_alone_is_evaluated_and_nothing_is_said(engine):
    talk = (SYSTEM, ChatMessage("user", "Ein Wort?"), ChatMessage("assistant", "Wort."))
    call = RecordedCall()
    silent = engine.chat(ChatRequest("ready", (*talk, ChatMessage("user", "")), GREEDY, only_prompt=True), call)
    assert (silent.finish, silent.tokens, call.events) == ("stop", 0, [])
    asked = engine.chat(ChatRequest("ready", (*talk, ChatMessage("user", "Tell me more.")), GREEDY), RecordedCall())
    assert asked.reused_tokens >= silent.prompt_tokens - 10


def test_an_answer_ends_after_max_tokens(engine):
    result, _ = ask(engine, "Count to a hundred in words.", sampling=Sampling(temperature=0.0, max_tokens=3))
    assert (result.finish, result.tokens) == ("length", 3)


def test_a_stop_string_ends_the_answer_and_is_not_shown(engine):
    _, whole = ask(engine, "Tell me about a dog.")
    stop = whole.text[5:9]
    sampling = Sampling(temperature=0.0, max_tokens=24, stop=(stop,))
    result, call = ask(engine, "Tell me about a dog.", sampling=sampling)
    assert result.finish == "stop"
    assert call.text == whole.text[: whole.text.index(stop)]


def test_a_cancel_while_answering_ends_it_after_the_token_in_work(engine):
    result, call = ask(engine, "Tell me a story.", call=RecordedCall(cancel_after_events=3))
    assert result.finish == "cancelled"
    assert len(call.events) == 3


def test_a_call_cancelled_before_it_begins_says_nothing(engine):
    call = RecordedCall()
    call.cancel()
    result, _ = ask(engine, "Anything?", call=call)
    assert (result.finish, result.tokens, call.events) == ("cancelled", 0, [])


def test_the_next_turn_does_not_evaluate_the_conversation_again(engine):
    first, call = ask(engine, "What is a cat?", session="turns")
    history = (ChatMessage("user", "What is a cat?"), ChatMessage("assistant", call.text))
    second, _ = ask(engine, "And a dog?", session="turns", history=history)
    assert second.reused_tokens >= first.prompt_tokens
    assert second.prompt_tokens - second.reused_tokens < 30


def test_oldest_whole_turns_are_dropped_when_the_context_is_full(engine):
    long = "A rather long sentence about nothing in particular. " * 6
    history = tuple(
        message
        for i in range(18)
        for message in (ChatMessage("user", f"{i} {long}"), ChatMessage("assistant", f"Answer {i}."))
    )
    result, call = ask(engine, "Hello there", session="long", history=history)
    assert 0 < result.dropped_turns < 18
    assert result.prompt_tokens + GREEDY.max_tokens <= CONTEXT
    kept, _ = ask(engine, "Hello there", session="long", history=history[2 * result.dropped_turns :])
    assert (kept.dropped_turns, kept.prompt_tokens) == (0, result.prompt_tokens)
    assert kept.reused_tokens == kept.prompt_tokens - 1, "the very same prompt"
    assert call.text


def test_a_message_larger_than_the_context_is_refused_before_any_work(engine):
    call = RecordedCall()
    with pytest.raises(AimarkError) as caught:
        ask(engine, "word " * 3000, call=call)
    assert CONTEXT_OVERFLOW.caught_in(caught.value)
    assert call.progressed == 0
    assert call.events == []
    result, _ = ask(engine, "Still there?")
    assert result.tokens > 0


def test_a_continued_answer_goes_on_where_it_was_cut(engine):
    _, whole = ask(engine, "Describe the moon.", session="moon")
    cut = "".join(event.text for event in whole.events[:6])
    _, rest = ask(engine, "Describe the moon.", session="moon", continue_text=cut)
    assert cut + rest.text == whole.text


def test_the_tokens_of_an_answer_are_told_with_its_pieces(engine):
    result, call = ask(engine, "Tell me about the sea.")
    assert all(len(event.ids) == event.tokens for event in call.events)
    assert sum(len(event.ids) for event in call.events) == result.tokens


@pytest.mark.parametrize("stop", [(), ("zzz",), (" the",)])
def test_an_answer_continued_by_its_tokens_is_the_undisturbed_one(engine, stop):
    sampling = Sampling(temperature=0.0, max_tokens=24, stop=stop)
    result, whole = ask(engine, "서울은 어디에 있나요?", session="first", sampling=sampling)
    for k in range(1, len(whole.events) + 1, 5):
        cut = "".join(event.text for event in whole.events[:k])
        ids = tuple(token for event in whole.events[:k] for token in event.ids)
        rest, call = ask(
            engine,
            "서울은 어디에 있나요?",
            session="first",
            sampling=sampling,
            continue_text=cut,
            continue_tokens=ids,
        )
        assert cut + call.text == whole.text
        assert len(ids) + rest.tokens == result.tokens
        assert rest.finish == result.finish


def test_tokens_that_do_not_say_the_text_are_ignored(engine):
    _, whole = ask(engine, "Describe the moon.", session="moon 2")
    cut = "".join(event.text for event in whole.events[:4])
    for foreign in ((1, 2, 3), (-1,), (2**31 - 1,)):
        _, rest = ask(engine, "Describe the moon.", session="moon 2", continue_text=cut, continue_tokens=foreign)
        assert cut + rest.text == whole.text


def test_a_continued_answer_is_no_longer_than_max_tokens_in_all(engine):
    eight = Sampling(temperature=0.0, max_tokens=8)
    whole, call = ask(engine, "Tell me about the sea.", session="c", sampling=eight)
    cut = "".join(event.text for event in call.events[:5])
    rest, _ = ask(engine, "Tell me about the sea.", session="c", sampling=eight, continue_text=cut)
    assert (whole.tokens, whole.finish) == (8, "length")
    assert (rest.tokens, rest.finish) == (3, "length")


def test_tokens_are_counted(engine):
    call = RecordedCall()
    assert engine.count(CountRequest(""), call).tokens == 0
    assert engine.count(CountRequest("one"), call).tokens == 1
    assert engine.count(CountRequest("안녕하세요 여러분"), call).tokens > 1


def park(engine, path, *, cap=1 << 30, within_s=60.0, call=None):
    path.touch()
    return engine.park(ParkRequest(str(path), cap, within_s), call or RecordedCall())


def test_a_parked_conversation_is_gone_on_with_by_another_engine_even_when_the_file_was_deleted(make, tmp_path):
    old, new = make(), make()
    first, call = ask(old, "서울은 어디에 있나요?", session="대화")
    parked = park(old, tmp_path / "parked")
    assert parked.sessions == 1
    assert parked.size > 0
    assert new.unpark(UnparkRequest(str(tmp_path / "parked")), RecordedCall()).sessions == 1
    (tmp_path / "parked").unlink()
    history = (ChatMessage("user", "서울은 어디에 있나요?"), ChatMessage("assistant", call.text))
    second, again = ask(new, "And where is Busan?", session="대화", history=history)
    assert second.reused_tokens >= first.prompt_tokens
    kept, undisturbed = ask(old, "And where is Busan?", session="대화", history=history)
    assert (again.text, second.reused_tokens) == (undisturbed.text, kept.reused_tokens)


def test_what_was_used_last_is_parked_first_and_the_cap_is_kept(make, tmp_path):
    engine = make()
    for name in "abca":
        ask(engine, f"{name * 3} and so on. " * 12, session=name)
    whole = park(engine, tmp_path / "parked")
    assert whole.sessions == 3
    some = park(engine, tmp_path / "parked", cap=whole.size * 3 // 4)
    assert some.sessions == 2
    assert some.size <= whole.size * 3 // 4
    other = make()
    other.unpark(UnparkRequest(str(tmp_path / "parked")), RecordedCall())
    evaluated = {}
    for name in "bca":
        result, _ = ask(other, f"{name * 3} and so on. " * 12, session=name)
        evaluated[name] = result.prompt_tokens - result.reused_tokens
    assert evaluated["a"] == evaluated["c"] == 1
    assert evaluated["b"] > 20, "the one used longest ago stayed out"
    assert park(engine, tmp_path / "parked", cap=0) == Parked()


def test_parking_ends_when_its_time_is_over_or_nobody_wants_it_any_more(make, tmp_path):
    engine = make()
    ask(engine, "Anything", session="s")
    assert park(engine, tmp_path / "parked", within_s=-1.0) == Parked()
    assert park(engine, tmp_path / "parked", call=RecordedCall(cancel_after_looks=1)) == Parked()


def test_a_file_that_cannot_be_gone_on_from_is_ignored_and_said(make, tmp_path, caplog):
    engine = make()
    ask(engine, "Anything at all", session="s")
    path = tmp_path / "parked"
    park(engine, path)
    whole = path.read_bytes()
    other = make()
    spoiled = [b"", whole[:20], whole[:-1], b"X" + whole[1:], whole[:8] + b"\x07" + whole[9:], whole[:-9] + b"\xff" * 9]
    for data in spoiled:
        path.write_bytes(data)
        caplog.clear()
        assert other.unpark(UnparkRequest(str(path)), RecordedCall()) == Parked()
        assert "parked conversations cannot be used" in caplog.text
    path.unlink()
    assert other.unpark(UnparkRequest(str(path)), RecordedCall()) == Parked()
    assert engine.park(ParkRequest(str(path), 1 << 30), RecordedCall()) == Parked()
    assert ask(other, "Anything at all", session="s")[0].reused_tokens == 0


@pytest.mark.parametrize("kind", [FakeLLM, LlamaEngine])
def test_settings_of_the_wrong_type_are_refused(kind):
    with pytest.raises(AimarkError) as caught:
        kind().load({"path": "x", "n_ctx": "big"}, lambda: None)
    assert LLM_SETTINGS_INVALID.caught_in(caught.value)
    assert "n_ctx" in caught.value.fault.message.en
