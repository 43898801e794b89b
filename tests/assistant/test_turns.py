"""Turns, conducted over fake engines: every one ends exactly once, whatever happens in it."""

import asyncio
import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon import AimarkError
from aimark_daemon.assistant.faults import NOTHING_HEARD
from aimark_daemon.config.types import Config, LlmConfig, SttConfig
from aimark_daemon.engines.base import ChatMessage
from aimark_daemon.protocol.audio import MIC_RATE, AudioFrame, FrameKind
from aimark_daemon.protocol.messages import (
    Cancelled,
    Delta,
    Done,
    Heard,
    Notice,
    SpeechClause,
    SpeechEnded,
    SpeechStarted,
    TurnError,
    TurnStarted,
)
from aimark_daemon.provision import NO_MODEL
from tests.assistant.stage import Ear, stage


def tone(seconds):
    count = int(seconds * MIC_RATE)
    return array("h", [int(8000 * math.sin(2 * math.pi * 220 * i / MIC_RATE)) for i in range(count)]).tobytes()


def silence(seconds):
    return bytes(2 * int(seconds * MIC_RATE))


def refusal(awaitable):
    async def catch():
        with pytest.raises(AimarkError) as caught:
            await awaitable
        return caught.value.fault

    return catch()


async def test_a_question_that_is_refused_leaves_no_empty_session(tmp_path):
    async with stage(tmp_path) as it:
        asked = it.assistant.submit("고친 질문", session=None, speak=False, listener=Ear(), replaces=12345)
        assert (await refusal(asked)).code == "message_unknown"
        assert await it.store.count_sessions() == 0


async def test_a_typed_utterance_is_answered_and_stored(tmp_path):
    async with stage(tmp_path, llm={"replies": {"수도": "서울입니다."}}) as it:
        ear = Ear()
        turn = await it.say("대한민국의 수도는?", ear)
        done = await ear.ending(turn)
        assert isinstance(done, Done)
        assert done.reply == ear.text(turn) == "서울입니다."
        stored = await it.store.messages(done.session)
        assert [(m.role, m.content) for m in stored] == [("user", "대한민국의 수도는?"), ("assistant", "서울입니다.")]
        assert not ear.frames


async def test_events_come_in_order_and_the_request_is_named_to_its_client(tmp_path):
    async with stage(tmp_path, llm={"default": "One sentence. Another one."}) as it:
        ear = Ear()
        turn = await it.say("hello", ear, speak=True, request=77)
        await ear.ending(turn)
        started = ear.events[0]
        assert isinstance(started, TurnStarted)
        assert started.id == 77
        assert [e.id for _, e in it.published if isinstance(e, TurnStarted)] == [None]
        assert isinstance(ear.events[-1], Done)
        order = [type(event) for event in ear.events]
        assert order.index(Delta) < order.index(SpeechStarted) < order.index(SpeechClause) < order.index(SpeechEnded)


async def test_a_spoken_answer_is_complete_and_its_frames_are_in_sequence(tmp_path):
    async with stage(tmp_path, llm={"default": "하나, 둘, 셋. 그리고 넷입니다."}) as it:
        ear = Ear()
        turn = await it.say("세어 봐", ear, speak=True)
        await ear.ending(turn)
        assert [frame.sequence for frame in ear.frames] == list(range(len(ear.frames)))
        assert {(frame.stream, frame.kind) for frame in ear.frames} == {(turn, FrameKind.SPEECH)}
        samples = sum(len(frame.pcm) // 2 for frame in ear.frames)
        assert ear.of(SpeechEnded)[0].samples == samples
        assert "".join(clause.text for clause in ear.of(SpeechClause)) == "하나, 둘, 셋. 그리고 넷입니다."


async def test_a_spoken_question_is_heard_and_answered(tmp_path):
    async with stage(tmp_path, stt={"texts": ["오늘 날씨 어때?"]}, llm={"replies": {"날씨": "맑아요."}}) as it:
        ear = Ear()
        turn = await it.speak_into(ear, silence(0.2) + tone(0.6) + silence(0.2))
        done = await ear.ending(turn)
        heard = ear.of(Heard)[0]
        assert heard.text == "오늘 날씨 어때?"
        assert heard.language == "ko"
        assert heard.voiced_end_s == pytest.approx(0.8, abs=0.05)
        assert done.reply == "맑아요."
        assert done.timings.transcript_s is not None
        assert done.timings.transcript_s <= done.timings.prefill_s <= done.timings.first_token_s
        assert done.timings.first_audio_s >= done.timings.first_token_s
        assert ear.frames


@pytest.mark.parametrize(
    ("asked", "configured", "heard"), [("auto", "ko", "ko"), ("en", "ko", "en"), ("auto", "auto", "en")]
)
async def test_the_configured_language_is_heard_unless_the_client_asks_for_another(tmp_path, asked, configured, heard):
    config = Config(stt=SttConfig(language=configured))
    async with stage(tmp_path, config=config, stt={"texts": ["OK"]}) as it:
        ear = Ear()
        await ear.ending(await it.speak_into(ear, tone(0.5), language=asked))
        assert ear.of(Heard)[0].language == heard


async def test_silence_begins_no_turn_and_stores_nothing(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        fault = await refusal(it.speak_into(ear, silence(1)))
        assert fault.code == NOTHING_HEARD.code
        assert await it.store.count_sessions() == 0
        assert not it.assistant.busy


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "text_empty"), (" \n\t", "text_empty"), ("x" * 100_001, "text_too_long"), ("/제목", "content_missing"),
     ("/title  ", "content_missing"), ("/nosuch thing", "command_unknown"), ("/title a --b=c", "option_unknown")],
)  # fmt: skip
async def test_bad_text_is_refused_before_any_work(tmp_path, text, code):
    async with stage(tmp_path) as it:
        fault = await refusal(it.say(text, Ear()))
        assert fault.code == code
        assert await it.store.count_sessions() == 0


async def test_an_unknown_session_is_refused(tmp_path):
    async with stage(tmp_path) as it:
        assert (await refusal(it.say("hello", Ear(), session="nosuch"))).code == "session_unknown"
        assert (await refusal(it.assistant.listen(Ear(), 1, language="auto", session="x"))).code == "session_unknown"


async def test_the_command_of_a_session_renames_that_session_only(tmp_path):
    async with stage(tmp_path) as it:
        sessions = [await it.store.create_session(f"제목 {n}") for n in range(5)]
        ear = Ear("ko")
        turn = await it.say("/제목 휴가", ear, session=sessions[2].id)
        done = await ear.ending(turn)
        assert isinstance(done, Done)
        assert "휴가" in done.reply
        titles = [(await it.store.get_session(session.id)).title for session in sessions]
        assert titles == ["제목 0", "제목 1", "휴가", "제목 3", "제목 4"]


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_the_configured_number_of_history_turns_is_shown_to_the_model(tmp_path, turns):
    async with stage(tmp_path, config=Config(llm=LlmConfig(history_turns=turns))) as it:
        ear = Ear()
        session = (await it.store.create_session()).id
        for number in range(6):
            await ear.ending(await it.say(f"질문 {number}", ear, session=session))
        shown = it.engines["llm"].requests[-1].messages
        assert shown[0].role == "system"
        earlier = range(5 - turns, 5)
        expected = [m for n in earlier for m in (("user", f"질문 {n}"), ("assistant", f"You said: 질문 {n}"))]
        assert [(m.role, m.content) for m in shown[1:]] == [*expected, ("user", "질문 5")]
        assert all(isinstance(m, ChatMessage) for m in shown)


async def test_turns_of_one_session_wait_for_each_other(tmp_path):
    async with stage(tmp_path, llm={"delay_s": 0.002}) as it:
        ear = Ear()
        session = (await it.store.create_session()).id
        turns = [await it.say(f"number {n}", ear, session=session) for n in range(4)]
        for turn in turns:
            await ear.ending(turn)
        assert [ending.turn for ending in ear.endings()] == turns
        assert [len(request.messages) for request in it.engines["llm"].requests] == [2, 4, 6, 8]


async def test_a_cancel_stops_thinking_and_speaking_and_keeps_what_was_said(tmp_path):
    async with stage(tmp_path, llm={"default": "word " * 400, "delay_s": 0.003}) as it:
        ear = Ear()
        turn = await it.say("talk", ear, speak=True)
        await ear.until(lambda: len(ear.of(Delta)) >= 5)
        it.assistant.cancel(turn)
        ending = await ear.ending(turn)
        assert isinstance(ending, Cancelled)
        assert ending.reply == ear.text(turn)
        assert 0 < len(ending.reply) < 2000
        frames = len(ear.frames)
        stored = await it.store.messages(ending.session)
        assert (stored[-1].state, stored[-1].content) == ("cancelled", ending.reply)
        assert (await refusal(_cancel(it, turn))).code == "turn_unknown"
        await ear.ending(await it.say("again", ear, session=ending.session))
        assert len(ear.frames) == frames


async def test_an_answer_is_complete_when_its_text_is_and_stays_so_when_its_sound_is_cut_off(tmp_path):
    text = "가나다라 마바사아. " * 100  # a minute and a half of sound, of which half a minute is sent ahead
    async with stage(tmp_path, llm={"default": text}) as it:
        ear = Ear()
        turn = await it.say("길게 말해 줘", ear, speak=True)
        session = ear.of(TurnStarted)[0].session
        async with asyncio.timeout(20):
            while (stored := (await it.store.messages(session))[-1]).state == "streaming":
                await asyncio.sleep(0)
        assert (stored.state, stored.content) == ("complete", ear.text(turn))
        assert not ear.endings()
        it.assistant.cancel(turn)
        assert isinstance(await ear.ending(turn), Cancelled)
        assert (await it.store.messages(session))[-1].state == "complete"


async def _cancel(it, turn):
    it.assistant.cancel(turn)


async def test_a_turn_cancelled_before_its_first_step_still_ends(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        turn = await it.say("hello", ear)
        it.assistant.cancel(turn)
        assert isinstance(await ear.ending(turn), Cancelled)


async def test_a_failing_model_ends_the_turn_with_its_fault_and_the_next_turn_works(tmp_path):
    async with stage(tmp_path, llm={"default": "a b c d e f", "fail_after": 3}) as it:
        ear = Ear()
        turn = await it.say("hello", ear, speak=True)
        ending = await ear.ending(turn)
        assert isinstance(ending, TurnError)
        assert ending.fault.code == "llm_failed"
        assert ending.reply == ear.text(turn) != ""
        assert isinstance(await ear.ending(await it.say("/help", ear)), Done)


async def test_without_a_model_a_turn_fails_with_the_reason_and_commands_still_work(tmp_path):
    async with stage(tmp_path, absent={"llm": NO_MODEL.fault(job="llm")}) as it:
        ear = Ear()
        ending = await ear.ending(await it.say("hello", ear))
        assert ending.fault.code == "no_model"
        assert isinstance(await ear.ending(await it.say("/help", ear)), Done)


async def test_without_a_voice_the_answer_is_shown_and_said_to_be_silent(tmp_path):
    async with stage(tmp_path, absent={"tts": NO_MODEL.fault(job="tts")}) as it:
        ear = Ear()
        done = await ear.ending(await it.say("hello", ear, speak=True))
        assert isinstance(done, Done)
        assert [notice.fault.code for notice in ear.of(Notice)] == ["no_model"]
        assert not ear.frames


async def test_a_korean_sentence_is_never_read_by_an_english_voice(tmp_path):
    async with stage(
        tmp_path, llm={"default": "안녕하세요. 반갑습니다. Nice to meet you."}, tts={"languages": ["en"]}
    ) as it:
        ear = Ear()
        await ear.ending(await it.say("hi", ear, speak=True))
        assert [notice.fault.code for notice in ear.of(Notice)] == ["no_voice_for_language"]
        message = ear.of(Notice)[0].fault.message
        assert "Korean" in message.en
        assert "한국어" in message.ko
        assert [clause.text.strip() for clause in ear.of(SpeechClause)] == ["Nice to meet you."]


async def test_a_client_that_leaves_gets_nothing_more_and_its_turn_is_completed(tmp_path):
    async with stage(tmp_path, llm={"default": "word " * 60, "delay_s": 0.003}) as it:
        ear = Ear()
        turn = await it.say("talk", ear, speak=True)
        await ear.until(lambda: ear.of(Delta))
        it.assistant.forget(ear)
        seen = len(ear.events)
        async with asyncio.timeout(20):
            while not [e for _, e in it.published if isinstance(e, Done)]:
                await asyncio.sleep(0.01)
        assert len(ear.events) == seen
        done = next(e for _, e in it.published if isinstance(e, Done))
        assert (done.turn, done.reply) == (turn, "word " * 60)


async def test_a_lost_frame_closes_the_stream(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        await it.assistant.listen(ear, 5, language="auto", session=None)
        await it.assistant.hear(ear, AudioFrame(FrameKind.MICROPHONE, 5, 0, tone(0.02)))
        late = AudioFrame(FrameKind.MICROPHONE, 5, 2, tone(0.02))
        assert (await refusal(it.assistant.hear(ear, late))).code == "frames_lost"
        assert (await refusal(it.assistant.hear(ear, late))).code == "listen_unknown"
        assert not it.assistant.busy


async def test_a_stream_that_is_cancelled_begins_no_turn(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        await it.assistant.listen(ear, 1, language="auto", session=None)
        assert it.assistant.stop_listening(ear, 1)
        assert not it.assistant.stop_listening(ear, 1)
        ended = it.assistant.end_listening(ear, 1, session=None, speak=True)
        assert (await refusal(ended)).code == "listen_unknown"


async def test_stopping_ends_every_turn(tmp_path):
    async with stage(tmp_path, llm={"default": "word " * 400, "delay_s": 0.003}) as it:
        ear = Ear()
        turns = [await it.say(f"talk {n}", ear, speak=True) for n in range(3)]
        await ear.until(lambda: ear.of(Delta))
        await it.assistant.stop()
        assert sorted(ending.turn for ending in ear.endings()) == turns
        assert not it.assistant.busy


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 12)), min_size=1, max_size=5))
def test_every_turn_ends_exactly_once_whenever_it_is_cancelled(tmp_path_factory, script):
    async def play():
        async with stage(tmp_path_factory.mktemp("turns"), llm={"default": "a b c d e f g h", "delay_s": 0.0005}) as it:
            ear, turns = Ear(), []
            sessions = [(await it.store.create_session()).id for _ in range(3)]
            for session, speak, yields in script:
                turn = await it.say("hello", ear, session=sessions[session], speak=speak)
                turns.append(turn)
                for _ in range(yields):
                    await asyncio.sleep(0)
                if yields % 2:
                    try:
                        it.assistant.cancel(turn)
                    except AimarkError as error:
                        assert error.fault.code == "turn_unknown"
            for turn in turns:
                await ear.ending(turn)
            await it.assistant.stop()
            assert sorted(ending.turn for ending in ear.endings()) == turns
            for turn in turns:
                assert ear.endings(turn)[0].reply == ear.text(turn)

    asyncio.run(play())


async def test_an_asked_again_question_takes_the_place_of_the_old_one_and_everyone_is_told(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        first = await it.assistant.submit("하나", session=None, speak=False, listener=ear)
        session = (await ear.ending(first)).session
        question = (await it.store.messages(session))[0].id
        again = await it.assistant.submit("둘", session=session, speak=False, listener=ear, replaces=question)
        await ear.ending(again)
        assert [message.content for message in await it.store.messages(session) if message.role == "user"] == ["둘"]
        assert [event.replaces for event in ear.of(TurnStarted)] == [None, question]
