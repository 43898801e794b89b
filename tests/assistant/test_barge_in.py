"""Speech while the assistant speaks: over fake engines, in the time of the sound."""

import asyncio

import pytest

from aimark_daemon.assistant import loudspeaker
from aimark_daemon.assistant.bargein import BargeIn
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import (
    Cancelled,
    Done,
    Heard,
    HearingChanged,
    SpeechEnded,
    SpeechHeard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
    TurnError,
    TurnStarted,
)
from aimark_daemon.store.faults import TURN_NOT_OPEN
from tests.assistant.stage import Ear, stage
from tests.assistant.test_hands_free import Talk
from tests.assistant.test_races import Gate
from tests.assistant.test_turns import silence, tone

REPLY = "첫 번째 문장입니다. 두 번째 문장은 조금 더 길게 이어집니다. 세 번째 문장입니다."
"""Some two seconds of sound for each sentence."""


class Player(Ear):
    """A client that says, when it is stopped, how much it played."""

    def __init__(self, played_ms=None):
        super().__init__()
        self.played_ms, self.it = played_ms, None

    def send(self, event):
        super().send(event)
        if isinstance(event, SpeechStopped) and self.played_ms is not None:
            self.it.assistant.played(self, event.turn, self.played_ms)

    @property
    def samples(self):
        return sum(len(frame.pcm) // 2 for frame in self.frames)


async def speaking(it, ear, **options):
    """An open microphone, and an answer that is being played to it."""
    ear.it = it
    talk = await Talk(it, ear).open(speak=True, echo_cancelled=True, **options)
    await talk.hear(tone(0.9) + silence(0.5))
    await ear.until(lambda: ear.of(Done))
    return talk


def scene(tmp_path, *texts):
    return stage(tmp_path, stt={"texts": ["이야기해 줘.", *texts]}, llm={"replies": {"이야기": REPLY}})


async def test_speech_stops_the_sound_and_is_answered(tmp_path):
    async with scene(tmp_path, "잠깐만요.") as it:
        talk = await speaking(it, Player(played_ms=2500))
        await talk.hear(tone(0.9) + silence(0.5))
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        kinds = [type(e) for e in talk.ear.of(SpeechPaused, SpeechStopped, SpeechHeard, SpeechResumed)]
        assert kinds == [SpeechPaused, SpeechStopped, SpeechHeard]
        assert [h.text for h in talk.ear.of(Heard)] == ["이야기해 줘.", "잠깐만요."]


async def test_the_sound_is_silenced_within_a_few_blocks_of_voice(tmp_path):
    async with scene(tmp_path, "잠깐만요.") as it:
        talk = await speaking(it, Player(played_ms=100))
        await talk.hear(tone(0.128))
        await talk.ear.until(lambda: talk.ear.of(SpeechPaused))
        assert not talk.ear.of(SpeechStopped)


async def test_the_history_keeps_what_was_heard(tmp_path):
    async with scene(tmp_path, "그다음은 뭐예요?") as it:
        talk = await speaking(it, Player(played_ms=900))
        await talk.hear(tone(0.9) + silence(0.5))
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        (heard,) = talk.ear.of(SpeechHeard)
        assert REPLY.startswith(heard.reply)
        assert 0 < len(heard.reply) < len(REPLY)
        stored = await it.store.messages(heard.session)
        assert (stored[1].content, stored[1].state) == (heard.reply, "cancelled")
        shown = it.engines["llm"].requests[-1].messages
        assert [m.content for m in shown[1:]] == ["이야기해 줘.", heard.reply, "그다음은 뭐예요?"]


async def test_a_client_that_does_not_say_what_it_played_is_reckoned_by_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(loudspeaker, "REPORT_S", 0.01)
    async with scene(tmp_path, "잠깐만요.") as it:
        talk = await speaking(it, Player())
        await talk.hear(tone(0.9) + silence(0.5))
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        assert len(talk.ear.of(SpeechHeard)[0].reply) < len(REPLY)


@pytest.mark.parametrize("text", ["응", "mm-hm", ""])
async def test_a_sound_of_listening_or_a_cough_lets_the_assistant_go_on(tmp_path, text):
    async with scene(tmp_path, text) as it:
        talk = await speaking(it, Player(played_ms=100))
        await talk.hear(tone(0.4) + silence(1.5))
        await talk.state("dropped")
        assert [type(e) for e in talk.ear.of(SpeechPaused, SpeechResumed, SpeechStopped)] == [
            SpeechPaused, SpeechResumed,
        ]  # fmt: skip
        assert len(talk.ear.of(TurnStarted)) == 1
        stored = await it.store.messages(talk.ear.of(Done)[0].session)
        assert [m.content for m in stored] == ["이야기해 줘.", REPLY]


async def test_short_words_that_ask_for_the_floor_interrupt(tmp_path):
    async with scene(tmp_path, "그만!") as it:
        talk = await speaking(it, Player(played_ms=100))
        await talk.hear(tone(0.4) + silence(0.6))
        await talk.ear.until(lambda: len(talk.ear.of(Done)) == 2)
        assert talk.ear.of(SpeechStopped)


async def test_sound_that_is_made_during_a_false_interruption_follows_when_it_is_over(tmp_path):
    """The second answer is held back, in order, and nothing of it is lost."""
    async with scene(tmp_path, "응") as it:
        talk = await speaking(it, Player())
        whole = talk.ear.of(SpeechEnded)[0].samples
        await talk.hear(tone(0.2))
        await talk.ear.until(lambda: talk.ear.of(SpeechPaused))
        turn = await it.say("이야기를 하나 더", talk.ear, speak=True)
        await talk.ear.ending(turn)
        assert talk.ear.samples == whole
        await talk.hear(silence(1.5))
        await talk.state("dropped")
        assert talk.ear.samples == 2 * whole
        assert [frame.sequence for frame in talk.ear.frames if frame.stream == turn] == list(
            range(sum(frame.stream == turn for frame in talk.ear.frames))
        )


async def test_a_reading_is_interrupted_like_an_answer_and_what_it_read_stays_stored(tmp_path):
    async with stage(tmp_path, stt={"texts": ["잠깐만요."]}, llm={"replies": {"이야기": REPLY}}) as it:
        ear = Player(played_ms=100)
        ear.it = it
        session = (await ear.ending(await it.say("이야기해 줘.", ear))).session
        answer = (await it.store.messages(session))[1]
        talk = await Talk(it, ear).open(session=session, speak=True, echo_cancelled=True)
        reading = await it.assistant.read_aloud(ear, session, answer.id)
        await ear.until(lambda: ear.of(SpeechEnded))
        await talk.hear(tone(0.9) + silence(0.5))
        await ear.until(lambda: len(ear.of(Done)) == 2)
        assert [stopped.turn for stopped in ear.of(SpeechStopped)] == [reading]
        assert not ear.of(SpeechHeard)
        stored = await it.store.messages(session)
        assert [m.content for m in stored[:3]] == ["이야기해 줘.", REPLY, "잠깐만요."]
        # Its number is beyond those of turns, whose answers are spoken all the same.
        assert [ended.turn for ended in ear.of(SpeechEnded)] == [reading, ear.of(Done)[1].turn]


async def test_a_turn_that_is_still_being_written_is_cancelled(tmp_path):
    long = {"default": "말이 길어집니다. " * 200, "delay_s": 0.003}
    async with stage(tmp_path, stt={"texts": ["길게 말해 줘.", "그만해 주세요."]}, llm=long) as it:
        ear = Player(played_ms=700)
        ear.it = it
        talk = await Talk(it, ear).open(speak=True, echo_cancelled=True)
        await talk.hear(tone(0.9) + silence(0.5))
        await ear.until(lambda: ear.frames)
        await talk.hear(tone(0.9) + silence(0.5))
        await ear.until(lambda: len(ear.of(TurnStarted)) == 2)
        first, second = (started.turn for started in ear.of(TurnStarted))
        assert isinstance(await ear.ending(first), Cancelled)
        frames = sum(frame.stream == first for frame in ear.frames)
        it.assistant.cancel(second)
        await ear.ending(second)
        assert sum(frame.stream == first for frame in ear.frames) == frames
        heard = ear.of(SpeechHeard)[0].reply
        assert heard.startswith("말이")
        assert len(heard) < 40


async def test_a_client_that_vanishes_while_it_interrupts_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(loudspeaker, "REPORT_S", 0.01)
    async with scene(tmp_path, "잠깐만요.") as it:
        talk = await speaking(it, Player())
        await talk.hear(tone(0.9))
        await talk.ear.until(lambda: talk.ear.of(SpeechStopped))
        it.assistant.forget(talk.ear)
        async with asyncio.timeout(20):
            while not [e for _, e in it.published if isinstance(e, SpeechHeard)]:
                await asyncio.sleep(0.001)
        assert not it.assistant.busy
        assert [e.state for e in talk.ear.of(HearingChanged)][-1] == "speech"


@pytest.mark.parametrize("echo_cancelled", [True, False])
async def test_the_assistant_does_not_begin_to_speak_while_somebody_speaks(tmp_path, echo_cancelled):
    async with scene(tmp_path, "그리고 노래도 불러 줘.") as it:
        ear, voice = Player(played_ms=0), Gate(it.engines["tts"], "speak")
        ear.it = it
        talk = await Talk(it, ear).open(speak=True, echo_cancelled=echo_cancelled)
        await talk.hear(tone(0.9) + silence(0.5))
        await ear.until(lambda: ear.of(TurnStarted))
        await talk.hear(tone(0.3))
        await talk.state("speech", 2)
        voice.open.set()
        first = ear.of(TurnStarted)[0].turn
        await ear.ending(first)
        assert not ear.frames
        await talk.hear(tone(0.9) + silence(0.5))
        await ear.until(lambda: len(ear.of(Done)) == 2)
        second = ear.of(TurnStarted)[1].turn
        assert {frame.stream for frame in ear.frames} == {second}
        assert not ear.of(SpeechPaused, SpeechStopped)
        assert ear.of(SpeechHeard)[0].reply == ""


async def test_what_was_held_back_is_spoken_when_nobody_meant_to_interrupt(tmp_path):
    async with scene(tmp_path, "음") as it:
        ear, voice = Player(), Gate(it.engines["tts"], "speak")
        ear.it = it
        talk = await Talk(it, ear).open(speak=True, echo_cancelled=True)
        await talk.hear(tone(0.9) + silence(0.5))
        await ear.until(lambda: ear.of(TurnStarted))
        await talk.hear(tone(0.3))
        await talk.state("speech", 2)
        voice.open.set()
        await ear.ending(ear.of(TurnStarted)[0].turn)
        assert not ear.frames
        await talk.hear(silence(1.5))
        await ear.until(lambda: ear.of(SpeechEnded))
        assert ear.samples == ear.of(SpeechEnded)[0].samples
        assert len(ear.of(TurnStarted)) == 1


async def test_a_short_answer_to_a_question_is_no_sound_of_listening(tmp_path):
    async with stage(tmp_path, stt={"texts": ["네."]}) as it:
        talk = await Talk(it, Player()).open(speak=True, echo_cancelled=True)
        await talk.hear(tone(0.4) + silence(1.0))
        await talk.ear.until(lambda: talk.ear.of(Done))
        assert talk.ear.of(Heard)[0].text == "네."
        assert talk.ear.frames


async def test_an_answer_that_cannot_be_cut_does_not_keep_others_running():
    class TwoSpeeches:
        interrupted = True

        def pause(self):
            """Nothing to hold."""

        def stop(self):
            return [(loudspeaker.Speech(turn, 22_050), 100) for turn in (1, 2)]

        async def report(self, _speech, reckoned):
            return reckoned

    cut = []

    async def cuts(speech, _heard):
        if speech.turn == 1:
            raise TURN_NOT_OPEN(turn=1)
        cut.append(speech.turn)

    judge = BargeIn(TwoSpeeches(), cuts)
    judge.began()
    judge.voiced(1.0)
    await judge.settled()
    assert cut == [2]


def loud(now, ear):
    """A loudspeaker at which turn 1 is played for ten seconds."""
    speaker = loudspeaker.Loudspeaker(ear, lambda: now[0])
    speaker.send(SpeechStarted(turn=1, sample_rate=16_000))
    speaker.send_audio(AudioFrame(FrameKind.SPEECH, 1, 0, bytes(320_000)))
    return speaker


@pytest.mark.parametrize(
    "ending",
    [
        Cancelled(turn=1, session="s", reply=""),
        TurnError(turn=1, session="s", fault=TURN_NOT_OPEN.fault(turn=1), reply=""),
        SpeechStopped(turn=1),
    ],
)
def test_a_turn_that_ends_early_is_not_playing_any_more(ending):
    speaker = loud([0.0], Ear())
    assert speaker.sounding
    speaker.send(ending)
    assert not speaker.sounding
    assert speaker.stop() == []


def test_nothing_of_a_turn_that_ended_while_it_was_held_back_follows():
    ear = Ear()
    speaker = loud([0.0], ear)
    speaker.pause()
    speaker.send(SpeechStarted(turn=2, sample_rate=16_000))
    speaker.send_audio(AudioFrame(FrameKind.SPEECH, 2, 0, bytes(640)))
    speaker.send(SpeechStarted(turn=3, sample_rate=16_000))
    speaker.send(Cancelled(turn=2, session="s", reply=""))
    speaker.resume()
    assert [event.turn for event in ear.of(SpeechStarted)] == [1, 3]
    assert [event.turn for event in ear.of(SpeechResumed)] == [1]
    assert [frame.stream for frame in ear.frames] == [1]
