"""Deaths of workers in the middle of a turn: nothing is lost and nothing said twice, whenever they come."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.assistant.thinking import VAIN_DEATHS
from aimark_daemon.config.types import Config, LlmConfig
from aimark_daemon.conversation.pace import letters
from aimark_daemon.protocol.messages import (
    Cancelled,
    Delta,
    Done,
    Heard,
    Interrupted,
    Notice,
    Resumed,
    SpeechClause,
    SpeechEnded,
    TurnError,
)
from tests.assistant.mortal import MortalWorker
from tests.assistant.stage import Ear, stage
from tests.assistant.test_turns import refusal, silence, tone

ANSWER = "하나 둘, 셋 넷. And five and six, then 일곱 여덟!"
WORDS = len(ANSWER.split())


def mortal(job, deaths, workers=None):
    """Makes workers of which the one for `job` dies."""

    def make(spec, engine):
        worker = MortalWorker(spec, engine, deaths if spec.name == job else ())
        if workers is not None:
            workers[spec.name] = worker
        return worker

    return make


def in_vain_at_most(deaths):
    """Whether no run of deaths without a new word is long enough to give up."""
    run = 0
    for after in deaths:
        run = 0 if after else run + 1
        if run >= VAIN_DEATHS:
            return False
    return True


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, WORDS - 1), max_size=7).filter(in_vain_at_most), st.sampled_from([512, WORDS, 5]))
def test_an_answer_is_the_same_whenever_its_workers_die(tmp_path_factory, deaths, max_tokens):
    total = min(max_tokens, WORDS)
    # Those that come after the last word find nothing left to interrupt by words; they die in vain.
    cumulative, kept = 0, []
    for after in deaths:
        if cumulative + after >= total:
            break
        cumulative += after
        kept.append(after)

    async def play():
        workers = {}
        config = Config(llm=LlmConfig(max_tokens=max_tokens))
        make = mortal("llm", kept, workers)
        async with stage(tmp_path_factory.mktemp("deaths"), llm={"default": ANSWER}, worker=make, config=config) as it:
            ear = Ear()
            turn = await it.say("세어 봐", ear)
            done = await ear.ending(turn)
            assert isinstance(done, Done)
            expected = " ".join(ANSWER.split()[:total])
            assert done.reply == ear.text(turn) == expected
            assert done.tokens == total
            assert done.finish == ("stop" if max_tokens > WORDS else done.finish)
            assert len(ear.of(Interrupted)) == len(kept)
            assert (await it.store.messages(done.session))[-1].content == expected
            shown = 0
            for after, request in zip([*kept, 0], workers["llm"].requests, strict=True):
                assert request.continue_tokens == tuple(range(shown))
                assert request.continue_text == expected[: len(request.continue_text)]
                shown += after

    asyncio.run(play())


async def test_a_client_sees_interrupted_then_resumed_before_the_next_word(tmp_path):
    async with stage(tmp_path, llm={"default": ANSWER}, worker=mortal("llm", [3, 2])) as it:
        ear = Ear()
        await ear.ending(await it.say("go", ear))
        kinds = [type(event) for event in ear.of(Delta, Interrupted, Resumed)]
        assert kinds[:9] == [*[Delta] * 3, Interrupted, Resumed, *[Delta] * 2, Interrupted, Resumed]
        assert kinds[9:] == [Delta] * (WORDS - 5)
        assert [event.fault.code for event in ear.of(Interrupted)] == ["worker_killed"] * 2
        followers = [event for _, event in it.published if isinstance(event, Interrupted | Resumed)]
        assert followers == ear.of(Interrupted, Resumed)


async def test_a_death_after_the_last_word_adds_nothing(tmp_path):
    async with stage(tmp_path, llm={"default": ANSWER}, worker=mortal("llm", [WORDS])) as it:
        ear = Ear()
        done = await ear.ending(await it.say("go", ear))
        assert (done.reply, done.tokens, done.finish) == (ANSWER, WORDS, "stop")
        assert len(ear.of(Resumed)) == 1


async def test_deaths_in_vain_end_the_turn_with_their_fault_and_keep_what_was_said(tmp_path):
    async with stage(tmp_path, llm={"default": ANSWER}, worker=mortal("llm", [2, *[0] * VAIN_DEATHS])) as it:
        ear = Ear()
        ending = await ear.ending(await it.say("go", ear))
        assert isinstance(ending, TurnError)
        assert ending.fault.code == "worker_killed"
        assert ending.reply == "하나 둘,"
        assert isinstance(await ear.ending(await it.say("again", ear)), Done)


async def test_a_worker_that_is_replaced_in_the_middle_goes_on_with_the_answer(tmp_path):
    async with stage(tmp_path, llm={"default": "word " * 60, "delay_s": 0.005}) as it:
        ear = Ear()
        turn = await it.say("talk", ear)
        await ear.until(lambda: len(ear.of(Delta)) >= 5)
        worker = it.roster.here("llm")
        await worker.replace(worker.spec)
        done = await ear.ending(turn)
        assert isinstance(done, Done)
        assert done.reply == ear.text(turn) == "word " * 60
        assert {event.fault.code for event in ear.of(Interrupted)} == {"worker_stopped"}


async def test_a_turn_can_be_cancelled_while_it_waits_for_a_new_worker(tmp_path):
    class Gone(MortalWorker):
        async def ready(self):
            if self.requests:
                await asyncio.Event().wait()
            return await super().ready()

    def make(spec, engine):
        return Gone(spec, engine, [3] if spec.name == "llm" else ())

    async with stage(tmp_path, llm={"default": ANSWER}, worker=make) as it:
        ear = Ear()
        turn = await it.say("go", ear)
        await ear.until(lambda: ear.of(Interrupted))
        it.assistant.cancel(turn)
        ending = await ear.ending(turn)
        assert isinstance(ending, Cancelled)
        assert ending.reply == "하나 둘, 셋"


@pytest.mark.parametrize("pieces", [0, 1])
async def test_an_utterance_is_heard_once_more_when_the_hearing_engine_dies(tmp_path, pieces):
    make = mortal("stt", [pieces])
    async with stage(tmp_path, stt={"texts": ["오늘 날씨 어때?"]}, worker=make) as it:
        ear = Ear()
        pcm = silence(0.2) + tone(0.6) + silence(0.2)
        await ear.ending(await it.speak_into(ear, pcm))
        heard = ear.of(Heard)[0]
        assert heard.text == "오늘 날씨 어때?"
        assert heard.audio_s == pytest.approx(len(pcm) / 32_000)
        assert heard.voiced_end_s == pytest.approx(0.8, abs=0.05)


async def test_an_utterance_that_ends_two_engines_is_refused(tmp_path):
    async with stage(tmp_path, worker=mortal("stt", [1, 1])) as it:
        fault = await refusal(it.speak_into(Ear(), tone(0.5)))
        assert fault.code == "worker_killed"
        assert not it.assistant.busy


SPOKEN = "One two three four five six seven. And eight nine ten eleven twelve."


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=1))
def test_every_clause_is_spoken_once_whenever_the_voice_dies(tmp_path_factory, deaths):
    async def play():
        workers = {}
        make = mortal("tts", deaths, workers)
        async with stage(tmp_path_factory.mktemp("voice"), llm={"default": SPOKEN}, worker=make) as it:
            ear = Ear()
            await ear.ending(await it.say("count", ear, speak=True))
            assert "".join(clause.text for clause in ear.of(SpeechClause)) == SPOKEN
            assert not ear.of(Notice)
            samples = sum(len(frame.pcm) // 2 for frame in ear.frames)
            assert ear.of(SpeechEnded)[0].samples == samples
            whole = letters(SPOKEN) * 0.06 * 22_050
            assert samples <= whole + 10
            texts = [request.text for request in workers["tts"].requests]
            if not deaths:
                assert samples == pytest.approx(whole, abs=10)
            elif len(texts) > 2:
                # After some sound the words that follow, after none the whole clause.
                assert texts[0].endswith(texts[1])
                assert deaths[0] > 0 or texts[0] == texts[1]
                heard_letters = deaths[0] * 0.1 / 0.06
                assert letters(texts[0]) - letters(texts[1]) >= min(heard_letters, letters(texts[0]))

    asyncio.run(play())


async def test_a_clause_that_ends_two_voices_is_left_out_and_the_next_one_spoken(tmp_path):
    async with stage(tmp_path, llm={"default": SPOKEN}, worker=mortal("tts", [0, 0])) as it:
        ear = Ear()
        done = await ear.ending(await it.say("count", ear, speak=True))
        assert isinstance(done, Done)
        assert [notice.fault.code for notice in ear.of(Notice)] == ["worker_killed"]
        assert [clause.text for clause in ear.of(SpeechClause)] == [SPOKEN[SPOKEN.index(" And") :]]
