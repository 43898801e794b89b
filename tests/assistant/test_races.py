"""Turns that meet: in one session, with clients that leave or change their mind, and with engines that are replaced."""

import asyncio
import threading

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.assistant import speaking, streams
from aimark_daemon.engine_specs import fake_spec
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import Cancelled, Delta, Done, Interrupted, Notice, Resumed
from tests.assistant.stage import Ear, stage
from tests.assistant.test_turns import refusal, silence, tone


class Gate:
    """Holds up a method of an engine until `open` is set; `calls` are its requests."""

    def __init__(self, engine, name):
        self.open, self.calls = threading.Event(), []
        self._method = getattr(engine, name)
        setattr(engine, name, self)

    def __call__(self, request, call):
        self.calls.append(request)
        assert self.open.wait(20)
        return self._method(request, call)


async def test_the_next_turn_knows_the_answer_that_is_still_being_spoken(tmp_path):
    async with stage(tmp_path) as it:
        ear, voice = Ear(), Gate(it.engines["tts"], "speak")
        session = (await it.store.create_session()).id
        spoken = await it.say("내 이름은 민수야", ear, session=session, speak=True)
        await ear.until(lambda: ear.text(spoken) == "You said: 내 이름은 민수야")
        await ear.ending(await it.say("내 이름이 뭐야?", ear, session=session))
        assert not ear.endings(spoken)
        shown = it.engines["llm"].requests[-1].messages
        assert [m.content for m in shown[1:]] == [
            "내 이름은 민수야", "You said: 내 이름은 민수야", "내 이름이 뭐야?",
        ]  # fmt: skip
        voice.open.set()
        assert isinstance(await ear.ending(spoken), Done)


@pytest.mark.parametrize("speak", [True, False])
async def test_the_next_turn_knows_what_was_said_in_one_that_was_cancelled(tmp_path, speak):
    told = "한 문장이 있습니다. " + "그리고 이야기는 계속됩니다. " * 40
    async with stage(tmp_path, llm={"default": told, "delay_s": 0.005}) as it:
        ear = Ear()
        session = (await it.store.create_session()).id
        first = await it.say("내 이름은 민수야", ear, session=session, speak=speak)
        await ear.until(lambda: len(ear.text(first)) > 20)
        second = await it.say("내 이름이 뭐야?", ear, session=session)
        for _ in range(3):  # the store answers in turn: the second one waits for the first now
            await it.store.get_session(session)
        it.assistant.cancel(first)
        cancelled = await ear.ending(first)
        await ear.until(lambda: ear.text(second))
        shown = [request for request in it.engines["llm"].requests if not request.only_prompt][-1].messages
        assert isinstance(cancelled, Cancelled)
        assert [m.content for m in shown[1:]] == ["내 이름은 민수야", cancelled.reply, "내 이름이 뭐야?"]


async def test_a_cancelled_turn_leaves_the_queue_of_its_session_to_those_who_wait(tmp_path):
    async with stage(tmp_path) as it:
        ear, gate, held = Ear(), asyncio.Event(), []
        session = (await it.store.create_session()).id
        end_turn = it.store.end_turn

        async def held_end(turn, *arguments, **named):
            await end_turn(turn, *arguments, **named)
            if turn in (first, third):
                held.append(turn)
                await gate.wait()

        it.store.end_turn = held_end
        first, second, third = [await it.say(f"{n}", ear, session=session) for n in ("하나", "둘", "셋")]
        await ear.until(lambda: ear.text(first) == "You said: 하나")
        it.assistant.cancel(third)
        async with asyncio.timeout(20):
            while sorted(held) != [first, third]:
                await asyncio.sleep(0.001)
        thinking = Gate(it.engines["llm"], "chat")
        # The first one leaves the queue and the third one is gone in the same step of the loop.
        gate.set()
        assert isinstance(await ear.ending(third), Cancelled)
        fourth = await it.say("넷", ear, session=session)
        for _ in range(5):  # time in which the fourth one would read the history too early
            await it.store.count_sessions()
        thinking.open.set()
        for turn in (first, second, fourth):
            assert isinstance(await ear.ending(turn), Done)
        assert [m.content for m in it.engines["llm"].requests[-1].messages[1:] if m.role == "user"] == [
            "하나", "둘", "넷",
        ]  # fmt: skip


async def test_nothing_more_is_spoken_for_a_client_that_left(tmp_path):
    async with stage(tmp_path, llm={"default": "First sentence. Second sentence. Third sentence. "}) as it:
        ear, voice = Ear(), Gate(it.engines["tts"], "speak")
        turn = await it.say("talk", ear, speak=True)
        await ear.until(lambda: len(ear.text(turn)) > 40)
        async with asyncio.timeout(20):
            while not voice.calls:
                await asyncio.sleep(0.001)
        it.assistant.forget(ear)
        voice.open.set()
        async with asyncio.timeout(20):
            while not [e for _, e in it.published if isinstance(e, Done)]:
                await asyncio.sleep(0.001)
        assert len(voice.calls) == 1
        assert not ear.frames


async def test_a_voice_that_fails_in_an_unknown_way_is_told_and_the_answer_is_complete(tmp_path, monkeypatch):
    def broken(_text, _language):
        raise ZeroDivisionError("no such sound")

    monkeypatch.setattr(speaking, "spoken_runs", broken)
    async with stage(tmp_path) as it:
        ear = Ear()
        assert isinstance(await ear.ending(await it.say("hello", ear, speak=True)), Done)
        assert [(n.fault.code, n.fault.detail) for n in ear.of(Notice)] == [
            ("internal", "ZeroDivisionError: no such sound")
        ]


async def test_an_answer_goes_on_when_the_model_is_changed_in_its_middle(tmp_path):
    said = {"default": "word " * 200, "delay_s": 0.003}
    async with stage(tmp_path, llm=said) as it:
        ear = Ear()
        turn = await it.say("talk", ear)
        await ear.until(lambda: len(ear.of(Delta)) >= 5)
        await it.roster.assign("llm", fake_spec("llm", said))
        ending = await ear.ending(turn)
        assert isinstance(ending, Done)
        assert ending.reply == ear.text(turn) == "word " * 200
        *interrupted, resumed = ear.of(Interrupted, Resumed)
        assert {type(event) for event in interrupted} == {Interrupted}
        assert isinstance(resumed, Resumed)


async def test_a_stream_number_that_is_open_is_not_opened_again(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        await it.assistant.listen(ear, 1, language="auto", session=None)
        again = it.assistant.listen(ear, 1, language="auto", session=None)
        assert (await refusal(again)).code == "listen_open"
        assert it.assistant.stop_listening(ear, 1)
        # Nothing is left that would keep the hearing engine from others.
        for _ in range(6):
            assert isinstance(await ear.ending(await it.speak_into(ear, silence(0.1) + tone(0.3))), Done)


async def test_listening_is_refused_soon_while_the_model_that_hears_is_being_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "LISTEN_PATIENCE_S", 0.01)
    async with stage(tmp_path) as it:
        it.roster._places["stt"].settled.clear()
        opened = it.assistant.listen(Ear(), 1, language="auto", session=None)
        assert (await refusal(opened)).code == "listen_not_ready"
        assert not it.assistant.busy


async def test_streams_that_bring_nothing_do_not_keep_others_from_being_heard(tmp_path, monkeypatch):
    async with stage(tmp_path) as it:
        asleep, ear = Ear(), Ear()
        for stream in range(it.engines["stt"].parallel):
            await it.assistant.listen(asleep, stream, language="auto", session=None)
        monkeypatch.setattr(streams, "IDLE_S", 0.0)
        async with asyncio.timeout(20):
            assert isinstance(await ear.ending(await it.speak_into(ear, silence(0.1) + tone(0.3))), Done)
        late = AudioFrame(FrameKind.MICROPHONE, 0, 0, tone(0.02))
        assert (await refusal(it.assistant.hear(asleep, late))).code == "listen_unknown"


async def test_an_assistant_that_was_stopped_begins_no_turn(tmp_path):
    async with stage(tmp_path) as it:
        await it.assistant.stop()
        with pytest.raises(AimarkError, match="engine_stopped"):
            await it.say("hello", Ear())
        assert await it.store.count_sessions() == 0
