"""Hands-free over fake engines, in the time of the sound: the assistant itself decides where utterances end."""

import asyncio
import random

import pytest

from aimark_daemon.assistant import microphone
from aimark_daemon.assistant.microphone import AHEAD_S, OpenMicrophone
from aimark_daemon.conversation.endpoint import Rules
from aimark_daemon.engine_specs import fake_spec
from aimark_daemon.engines.base import ATTEND
from aimark_daemon.protocol.audio import MIC_RATE, AudioFrame, FrameKind
from aimark_daemon.protocol.messages import (
    Cancelled,
    Delta,
    Done,
    Heard,
    HeardSoFar,
    HearingChanged,
    SpeechStarted,
    TurnStarted,
)
from tests.assistant.stage import Ear, stage
from tests.assistant.test_races import Gate
from tests.assistant.test_turns import refusal, silence, tone

FRAME = 640


class Talk:
    """A client with an open microphone, that sends as fast as it is let."""

    def __init__(self, it, ear, stream=1):
        self.it, self.ear, self.stream, self.sent = it, ear, stream, 0

    async def open(self, **options):
        options = {"language": "auto", "session": None, "hands_free": True, "speak": False, **options}
        await self.it.assistant.listen(self.ear, self.stream, **options)
        return self

    async def hear(self, pcm, size=FRAME):
        for start in range(0, len(pcm), size):
            frame = AudioFrame(FrameKind.MICROPHONE, self.stream, self.sent, pcm[start : start + size])
            self.sent += 1
            await self.it.assistant.hear(self.ear, frame)

    async def end(self):
        await self.it.assistant.end_listening(self.ear, self.stream, session=None, speak=False)

    @property
    def states(self):
        return [event.state for event in self.ear.of(HearingChanged)]

    async def state(self, state, count=1):
        await self.ear.until(lambda: self.states.count(state) >= count)


async def test_an_utterance_is_answered_without_anyone_saying_that_it_is_over(tmp_path):
    async with stage(tmp_path, stt={"texts": ["지금 몇 시예요?"]}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(silence(0.32) + tone(0.96) + silence(0.6))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert talk.states == ["speech", "pause", "ended"]
        (heard,) = talk.ear.of(Heard)
        assert heard.text == "지금 몇 시예요?"
        assert heard.voiced_end_s == pytest.approx(1.28, abs=0.04)
        assert talk.ear.of(TurnStarted)[0].id == talk.stream
        stored = await it.store.messages(talk.ear.of(Done)[0].session)
        assert [m.content for m in stored] == ["지금 몇 시예요?", "You said: 지금 몇 시예요?"]


async def test_a_conversation_of_thirty_seconds_is_one_session_with_a_turn_for_each_utterance(tmp_path):
    texts = ["안녕하세요.", "What time is it?", ["내일 비가 오면", "내일 비가 오면 우산을 챙길게요."], "고마워요."]
    async with stage(tmp_path, stt={"texts": texts}) as it:
        talk = await Talk(it, Ear()).open()
        said = tone(1.2)
        await talk.hear(silence(3.0) + said + silence(5.0) + said + silence(6.0))
        await talk.hear(said + silence(0.7) + said + silence(5.0) + said + silence(4.8))
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 4)
        assert [h.text for h in talk.ear.of(Heard)] == [
            "안녕하세요.", "What time is it?", "내일 비가 오면 우산을 챙길게요.", "고마워요.",
        ]  # fmt: skip
        assert len({done.session for done in talk.ear.of(Done)}) == 1
        ends = [heard.voiced_end_s for heard in talk.ear.of(Heard)]
        assert ends == pytest.approx([4.2, 10.4, 19.5, 25.7], abs=0.07)
        assert [h.text for h in talk.ear.of(HeardSoFar)][2:4] == texts[2]


async def test_words_so_far_are_shown_before_the_turn_begins(tmp_path):
    async with stage(tmp_path, stt={"texts": ["그리고"]}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.64) + silence(0.4))
        await talk.ear.until(lambda: talk.ear.of(HeardSoFar))
        assert not talk.ear.of(TurnStarted)
        assert await it.store.count_sessions() == 0


async def test_a_long_hesitation_does_not_cut_the_speaker_off(tmp_path):
    texts = [["어제 친구를 만났는데", "어제 친구를 만났는데 정말 반가웠어요."]]
    async with stage(tmp_path, stt={"texts": texts}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(1.0) + silence(0.8) + tone(1.0) + silence(1.0))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert [h.text for h in talk.ear.of(Heard)] == ["어제 친구를 만났는데 정말 반가웠어요."]
        assert talk.states == ["speech", "pause", "speech", "pause", "ended"]


@pytest.mark.parametrize("seed", range(4))
async def test_jitter_changes_nothing(tmp_path, seed):
    rng = random.Random(seed)
    async with stage(tmp_path, stt={"texts": ["네.", "알겠습니다."]}) as it:
        talk = await Talk(it, Ear()).open()
        pcm = silence(0.5) + tone(0.96) + silence(1.5) + tone(0.96) + silence(1.5)
        at = 0
        while at < len(pcm):
            size = 2 * rng.randrange(1, 6000)
            await talk.hear(pcm[at : at + size], size)
            at += size
            for _ in range(rng.randrange(3)):
                await asyncio.sleep(0)
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        assert [h.voiced_end_s for h in talk.ear.of(Heard)] == pytest.approx([1.46, 3.92], abs=0.04)


async def test_what_is_being_said_when_the_stream_ends_is_the_last_utterance(tmp_path):
    async with stage(tmp_path, stt={"texts": ["지금 몇 시"]}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(silence(0.3) + tone(0.9))
        await talk.end()
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert talk.states == ["speech", "ended", "closed"]
        assert talk.ear.of(Heard)[0].text == "지금 몇 시"
        assert not it.assistant.busy


async def test_a_stream_in_which_nobody_speaks_ends_without_a_turn(tmp_path):
    async with stage(tmp_path) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(silence(3.0))
        await talk.end()
        assert talk.states == ["closed"]
        assert await it.store.count_sessions() == 0


async def test_an_open_microphone_in_a_silent_room_keeps_no_model_awake(tmp_path):
    async with stage(tmp_path) as it:
        woken = []
        it.roster.wake = woken.append
        talk = await Talk(it, Ear()).open()
        await talk.hear(silence(2.0))
        assert not it.assistant.busy
        woken.clear()
        await talk.hear(tone(0.6))
        await talk.state("speech")
        assert it.assistant.busy
        assert woken == ["llm"]


async def test_sound_without_words_begins_no_turn(tmp_path):
    async with stage(tmp_path, stt={"texts": [""]}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear((tone(1.0) + silence(2.0)) * 3)
        await talk.state("dropped", 3)
        assert talk.states == ["speech", "pause", "dropped"] * 3
        await talk.end()
        assert await it.store.count_sessions() == 0


async def test_a_client_that_vanishes_in_the_middle_of_a_word_leaves_nothing_behind(tmp_path):
    async with stage(tmp_path) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.5))
        await talk.state("speech")
        it.assistant.forget(talk.ear)
        await asyncio.sleep(0)
        assert not it.assistant.busy
        assert await it.store.count_sessions() == 0
        assert not [t for t in asyncio.all_tasks() if t.get_name().startswith("attend") and not t.cancelling()]


async def test_sound_that_stops_without_an_end_is_answered_as_far_as_it_came(tmp_path, monkeypatch):
    monkeypatch.setattr(microphone, "STALL_S", 0.05)
    async with stage(tmp_path, stt={"texts": ["불 켜 줘."]}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.9))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert talk.states == ["speech", "ended"]
        await talk.hear(silence(0.5) + tone(0.9) + silence(1.0))
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        assert talk.ear.of(Heard)[1].voiced_end_s == pytest.approx(2.3, abs=0.04)


async def test_ten_minutes_without_a_pause_become_utterances_of_bounded_length(tmp_path, monkeypatch):
    most = []
    forget = OpenMicrophone._forget

    def measured(self, before):
        most.append(len(self._pcm))
        forget(self, before)

    monkeypatch.setattr(OpenMicrophone, "_forget", measured)
    async with stage(tmp_path, stt={"texts": ["라라라."]}) as it:
        talk = await Talk(it, Ear()).open()
        minute = tone(60.0)
        for _ in range(10):
            await talk.hear(minute, 64_000)
        await talk.end()
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 5)
        assert max(most) <= 2 * MIC_RATE * (Rules().limit_s + AHEAD_S + 5)
        assert talk.states == ["speech", "ended"] * 5 + ["closed"]


async def test_hours_of_silence_are_forgotten(tmp_path):
    async with stage(tmp_path) as it:
        talk = await Talk(it, Ear()).open()
        (mic,) = it.assistant._ears._streams._hearings.values()
        for _ in range(20):
            await talk.hear(silence(30.0), 64_000)
            assert len(mic._pcm) <= 2 * MIC_RATE * (AHEAD_S + 5)
        await talk.end()
        assert len(mic._pcm) <= 2 * MIC_RATE * 5


async def test_a_lost_frame_closes_the_stream(tmp_path):
    async with stage(tmp_path) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.1))
        talk.sent += 1
        assert (await refusal(talk.hear(tone(0.02)))).code == "frames_lost"
        assert not it.assistant.busy


async def test_a_cancelled_microphone_begins_no_turn(tmp_path):
    async with stage(tmp_path) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.9))
        await talk.state("speech")
        assert it.assistant.stop_listening(talk.ear, talk.stream)
        assert not it.assistant.busy
        assert await it.store.count_sessions() == 0


async def test_an_engine_that_is_replaced_hears_the_utterance_once_more(tmp_path):
    async with stage(tmp_path, stt={"texts": ["하나."]}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(silence(0.5) + tone(0.6))
        await talk.state("speech")
        await it.roster.assign("stt", fake_spec("stt", {"texts": ["둘."]}))
        await talk.hear(tone(0.4) + silence(1.0))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert [h.text for h in talk.ear.of(Heard)] == ["둘."]
        assert talk.ear.of(Heard)[0].voiced_end_s == pytest.approx(1.5, abs=0.04)


async def test_what_the_loudspeaker_says_is_not_heard_without_echo_cancelling(tmp_path):
    async with stage(tmp_path, stt={"texts": ["하나.", "둘."]}, llm={"default": "길게 말하는 대답입니다."}) as it:
        deaf = await Talk(it, Ear()).open(speak=True)
        await deaf.hear(tone(0.9) + silence(0.5))
        await deaf.ear.until(lambda: deaf.ear.of(Done))
        assert deaf.ear.frames
        await deaf.hear(tone(0.9) + silence(0.9))
        await deaf.end()
        assert len(deaf.ear.of(TurnStarted)) == 1


async def test_a_client_that_cancels_echo_is_heard_while_it_plays(tmp_path):
    async with stage(tmp_path, stt={"texts": ["하나.", "둘."]}, llm={"default": "길게 말하는 대답입니다."}) as it:
        talk = await Talk(it, Ear()).open(speak=True, echo_cancelled=True)
        await talk.hear(tone(0.9) + silence(0.5))
        await talk.ear.until(lambda: talk.ear.of(Done))
        await talk.hear(tone(0.9) + silence(0.9))
        await talk.end()
        await talk.ear.until(lambda: len(talk.ear.of(Done, Cancelled)) == 2)
        assert [h.text for h in talk.ear.of(Heard)] == ["하나.", "둘."]


async def test_words_that_are_late_end_the_utterance_where_it_ended(tmp_path):
    async with stage(tmp_path, stt={"texts": ["하나.", "둘."]}) as it:
        engine = it.engines["stt"]
        gate = Gate(engine, ATTEND.name)
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.9) + silence(3.0) + tone(0.9) + silence(3.0))
        gate.open.set()
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        assert [h.text for h in talk.ear.of(Heard)] == ["하나.", "둘."]
        assert [h.voiced_end_s for h in talk.ear.of(Heard)] == pytest.approx([0.9, 4.8], abs=0.04)


async def asked(it, count=1):
    """Wait until the model was asked so often."""
    async with asyncio.timeout(20):
        while len(it.engines["llm"].requests) < count:
            await asyncio.sleep(0.001)
    return it.engines["llm"].requests


async def test_an_answer_is_prepared_at_a_pause_and_used_if_that_is_the_end(tmp_path):
    async with stage(tmp_path, stt={"texts": ["음악을 틀고"]}) as it:
        talk = await Talk(it, Ear()).open(speak=True)
        await talk.hear(tone(0.9) + silence(0.3))
        requests = await asked(it)
        # Half a second of patience is left: nothing is shown, spoken or stored.
        assert not talk.ear.of(TurnStarted, Delta, SpeechStarted)
        assert await it.store.count_sessions() == 0
        await talk.hear(silence(1.0))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert len(requests) == 1
        done = talk.ear.of(Done)[0]
        assert done.reply == "You said: 음악을 틀고"
        assert requests[0].session == done.session
        assert [m.content for m in await it.store.messages(done.session)] == ["음악을 틀고", done.reply]
        assert talk.ear.frames


async def test_speech_that_goes_on_takes_back_what_was_prepared(tmp_path):
    texts = [["음악을 틀고", "음악을 틀고 불을 꺼 줘."]]
    async with stage(tmp_path, stt={"texts": texts}, llm={"delay_s": 0.002, "default": "말 " * 400}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.9) + silence(0.3))
        await asked(it)
        await talk.hear(tone(0.9) + silence(1.0))
        await talk.ear.until(lambda: talk.ear.of(TurnStarted))
        requests = await asked(it, 2)
        # The first answer was cancelled, or this one would have had to wait for it.
        assert [r.messages[-1].content for r in requests] == texts[0]
        assert talk.ear.of(TurnStarted)[0].text == texts[0][1]
        assert await it.store.count_sessions() == 1
        it.assistant.cancel(talk.ear.of(TurnStarted)[0].turn)
        assert isinstance(await talk.ear.ending(talk.ear.of(TurnStarted)[0].turn), Cancelled)
        assert len(it.engines["llm"].requests) == 2


async def test_a_command_runs_only_when_the_words_are_complete(tmp_path):
    async with stage(tmp_path, stt={"texts": ["/제목 음악을 틀고"]}) as it:
        session = await it.store.create_session("전")
        talk = await Talk(it, Ear()).open(session=session.id)
        await talk.hear(tone(0.9) + silence(0.5))
        await talk.ear.until(lambda: talk.ear.of(HeardSoFar))
        for _ in range(5):
            await it.store.count_sessions()
        assert (await it.store.get_session(session.id)).title == "전"
        await talk.hear(silence(1.0))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert (await it.store.get_session(session.id)).title == "음악을 틀고"
        assert it.engines["llm"].requests == []


async def test_a_client_that_vanishes_during_a_pause_takes_its_prepared_answer_with_it(tmp_path):
    async with stage(tmp_path, stt={"texts": ["음악을 틀고"]}, llm={"default": "말 " * 4000, "delay_s": 0.002}) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.9) + silence(0.3))
        await asked(it)
        it.assistant.forget(talk.ear)
        # An answer of eight seconds would keep the only place of the model.
        ear = Ear()
        turn = await it.say("hello", ear)
        await ear.until(lambda: ear.text(turn))
        it.assistant.cancel(turn)
        assert [r.messages[-1].content for r in await asked(it, 2)] == ["음악을 틀고", "hello"]
        assert await it.store.count_sessions() == 1


async def test_an_answer_prepared_for_another_state_of_the_conversation_is_not_used(tmp_path):
    async with stage(tmp_path, stt={"texts": ["음악을 틀고"]}) as it:
        session = (await it.store.create_session()).id
        talk = await Talk(it, Ear()).open(session=session)
        await talk.hear(tone(0.9) + silence(0.3))
        await asked(it)
        await talk.ear.ending(await it.say("내 이름은 민수야", talk.ear, session=session))
        await talk.hear(silence(1.0))
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        assert [m.content for m in it.engines["llm"].requests[-1].messages[1:]] == [
            "내 이름은 민수야", "You said: 내 이름은 민수야", "음악을 틀고",
        ]  # fmt: skip


CHANGING = """
from aimark_daemon import hookimpl
asked = []
@hookimpl
async def aimark_transform_input(text):
    asked.append(text)
    return f"{text} {len(asked)}번"
"""


async def test_plugins_change_what_was_heard_once_when_the_words_are_complete(tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "changing.py").write_text(CHANGING, encoding="utf-8")
    async with stage(tmp_path, stt={"texts": ["음악을 틀고"]}, plugin_folder=plugins) as it:
        talk = await Talk(it, Ear()).open()
        await talk.hear(tone(0.9) + silence(0.3))
        await asked(it)
        await talk.hear(silence(1.0))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert [r.messages[-1].content for r in await asked(it, 2)] == ["음악을 틀고", "음악을 틀고 1번"]
        assert talk.ear.of(Heard)[0].text == talk.ear.of(TurnStarted)[0].text == "음악을 틀고 1번"
        assert talk.ear.of(Done)[0].reply == "You said: 음악을 틀고 1번"
