"""The speaker in virtual time: what is spoken when, by whom, and at which rate."""

import asyncio
from array import array
from itertools import pairwise

import pytest

from aimark_daemon.assistant.running import Voice
from aimark_daemon.assistant.speaking import AHEAD_S, Speaker
from aimark_daemon.assistant.stopwatch import Stopwatch
from aimark_daemon.engine_specs import fake_spec
from aimark_daemon.engines.base import Audio, Facts, Spoken
from aimark_daemon.engines.fake_voice import TONE_HZ
from aimark_daemon.protocol.messages import Notice, SpeechClause, SpeechEnded, SpeechStarted
from tests.assistant.stage import Ear as Listener
from tests.assistant.stage import stage
from tests.assistant.virtual import play

LETTER_S = 0.06
ANSWER = (
    "Sure, here is what you asked for. The first part is short. The second part has a few more words in it than the "
    "first one had. Then comes a third sentence, which says that numbers like 3.14 and times like 10:30 stay whole. "
    "After that the fourth sentence goes on for a while, because a listener should have something to hear. The last "
    "sentence of all of them says goodbye to everyone who listened until now."
)


class Call:
    def __init__(self, voice, request):
        self.voice, self.request = voice, request
        self.samples = int(sum(map(str.isalnum, request.text)) * LETTER_S * request.sample_rate)

    async def __aiter__(self):
        await asyncio.sleep(self.voice.slowness * self.samples / self.request.sample_rate)
        yield Audio(bytes(2 * self.samples), voice=f"voice-{self.request.language}")

    async def result(self):
        return Spoken(self.samples, self.request.sample_rate)

    def cancel(self):
        pass


class SlowVoice:
    """A worker and the roster that has it: takes `slowness` seconds for a second of speech."""

    def __init__(self, slowness=0.2, rate=22_050, languages=("en", "ko")):
        self.slowness = slowness
        self.facts = Facts(sample_rate=rate, languages=languages)
        self.requests = []

    async def get(self, job):
        assert job == "tts"
        return self

    async def ready(self):
        return self.facts

    @property
    def status(self):
        return self

    def call(self, method, request):
        self.requests.append(request)
        return Call(self, request)


class Ear:
    def __init__(self, clock, language="en"):
        self.clock, self.language = clock, language
        self.events, self.sounds = [], []

    def send(self, event):
        self.events.append(event)

    def send_audio(self, frame):
        self.sounds.append((self.clock(), len(frame.pcm) // 2))

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def gaps(self, rate):
        """Seconds that the player had nothing to play between the first sound and the last."""
        silent, plays_until = [], None
        for at, samples in self.sounds:
            if plays_until is not None and at > plays_until:
                silent.append(at - plays_until)
            plays_until = max(at, plays_until or at) + samples / rate
        return silent


def speaker(voice, ear, clock):
    return Speaker(1, roster=voice, listener=Voice(ear), stopwatch=Stopwatch(clock), speed=1.0, clock=clock)


async def speak(voice, ear, clock, text=ANSWER, tokens_per_s=20.0):
    """The text as a model writes it; the time when it was written."""
    it = speaker(voice, ear, clock)
    for word in text.split(" "):
        it.feed(word + " ")
        await asyncio.sleep(1 / tokens_per_s)
    written = clock()
    await it.finish()
    return written


def test_each_clause_is_made_before_the_one_before_it_has_been_played():
    async def scene(clock):
        voice, ear = SlowVoice(slowness=0.3), Ear(clock)
        await speak(voice, ear, clock)
        return len(voice.requests), sum(samples for _, samples in ear.sounds) / 22_050, ear.gaps(22_050)

    requests, seconds, gaps = play(scene)
    assert requests >= 6
    assert seconds > 20
    # Behind a first clause of one word the next cannot be ready yet: a breath, and the only one.
    assert len(gaps) <= 1
    assert sum(gaps) < 0.4


def test_sound_begins_long_before_the_answer_is_written():
    async def scene(clock):
        ear = Ear(clock)
        written = await speak(SlowVoice(), ear, clock)
        return ear.sounds[0][0], written

    first, written = play(scene)
    assert first < 0.5
    assert written > 3


def test_a_slow_voice_does_not_hold_the_model_up():
    def written_with(slowness):
        return play(lambda clock: speak(SlowVoice(slowness), Ear(clock), clock))

    assert abs(written_with(9.0) - written_with(0.0)) < 0.001


def test_the_first_clause_is_the_shortest_and_later_ones_are_whole_sentences():
    async def scene(clock):
        ear = Ear(clock)
        await speak(SlowVoice(), ear, clock)
        return [clause.text for clause in ear.of(SpeechClause)]

    clauses = play(scene)
    assert clauses[0] == "Sure,"
    assert len(clauses[0]) == min(map(len, clauses))
    assert all(clause.rstrip().endswith(".") for clause in clauses[1:])


def test_sound_is_not_sent_further_ahead_than_a_client_can_keep():
    async def scene(clock):
        ear = Ear(clock)
        await speak(SlowVoice(0.0), ear, clock, text=" ".join([ANSWER] * 6), tokens_per_s=10_000.0)
        sent, furthest = 0, 0.0
        for at, samples in ear.sounds:
            furthest = max(furthest, sent / 22_050 - (at - ear.sounds[0][0]))
            sent += samples
        return sent / 22_050, furthest

    seconds, furthest = play(scene)
    assert seconds > 4 * AHEAD_S
    assert 0.5 * AHEAD_S < furthest <= AHEAD_S + 0.001


def test_a_voice_of_another_rate_speaks_on_at_the_rate_that_was_told():
    async def scene(clock):
        voice, ear = SlowVoice(rate=22_050), Ear(clock)
        it = speaker(voice, ear, clock)
        it.feed("One sentence is said. ")
        await asyncio.sleep(5)
        voice.facts = Facts(sample_rate=16_000, languages=("en",))
        it.feed("Another one follows. ")
        await it.finish()
        return voice.requests, ear

    requests, ear = play(scene)
    assert [request.sample_rate for request in requests] == [22_050, 22_050]
    assert [started.sample_rate for started in ear.of(SpeechStarted)] == [22_050]
    assert ear.of(SpeechEnded)[0].samples == sum(samples for _, samples in ear.sounds)


def test_each_language_has_its_voice_and_the_order_stays():
    async def scene(clock):
        voice, ear = SlowVoice(), Ear(clock)
        await speak(
            voice,
            ear,
            clock,
            text='안녕하세요. "Nice to meet you all today"라고 합니다. The word 안녕 means hello. GPT-4는 좋아요.',
        )
        return [(request.language, request.text) for request in voice.requests], ear

    said, ear = play(scene)
    assert said == [
        ("ko", "안녕하세요."),
        ("en", '"Nice to meet you all today"'),
        ("ko", "라고 합니다."),
        ("en", "The word"),
        ("ko", "안녕"),
        ("en", "means hello."),
        ("ko", "지피티 사는 좋아요."),
    ]
    assert [(clause.language, clause.voice) for clause in ear.of(SpeechClause)] == [
        ("ko", "voice-ko"),
        ("en", "voice-en"),
        ("en", "voice-en"),
        ("ko", "voice-ko"),
    ]


def test_what_has_no_letters_is_read_in_the_language_of_the_answer_or_else_of_the_client():
    async def scene(clock):
        said = []
        for language, text in (("en", "정답은 이것입니다.\n42.\n```py\nx = 1\n```"), ("ko", "42."), ("en", "42.")):
            voice = SlowVoice()
            await speak(voice, Ear(clock, language), clock, text=text)
            said.append([request.text for request in voice.requests])
        return said

    assert play(scene) == [["정답은 이것입니다.", "사십이.", "(코드)"], ["사십이."], ["forty-two."]]


def test_a_language_without_a_voice_is_told_once_and_the_others_are_spoken():
    async def scene(clock):
        voice, ear = SlowVoice(languages=("en",)), Ear(clock)
        await speak(voice, ear, clock, text="안녕하세요. 반갑습니다. Nice to meet you. 네.")
        return [request.text for request in voice.requests], [notice.fault.code for notice in ear.of(Notice)]

    assert play(scene) == (["Nice to meet you."], ["no_voice_for_language"])


def hertz(pcm, rate):
    """The pitch of a tone, by its zero crossings."""
    samples = array("h", pcm)
    crossings = sum((left < 0) != (right < 0) for left, right in pairwise(samples))
    return crossings / 2 / (len(samples) / rate)


@pytest.mark.parametrize("rate", [16_000, 44_100])
async def test_a_voice_that_is_replaced_in_an_answer_keeps_its_pitch(tmp_path, rate):
    async with stage(tmp_path, llm={"default": "One sentence is here. " * 12, "delay_s": 0.01}) as it:
        ear = Listener()
        turn = await it.say("talk", ear, speak=True)
        await ear.until(lambda: ear.frames)
        await it.roster.assign("tts", fake_spec("tts", {"sample_rate": rate}))
        heard = len(ear.frames)
        await ear.ending(turn)
        assert [started.sample_rate for started in ear.of(SpeechStarted)] == [22_050]
        later = [frame for frame in ear.frames[heard:] if len(frame.pcm) > 2000]
        assert later
        assert hertz(later[-1].pcm, 22_050) == pytest.approx(TONE_HZ, rel=0.05)
