"""Real children killed and stopped in the middle of turns."""

import asyncio
import os
import random
import signal

import msgspec
import psutil
import pytest

from aimark_daemon.config.types import Config, LlmConfig
from aimark_daemon.conversation.pace import letters
from aimark_daemon.engine_specs import fake_spec
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import Delta, Done, Heard, Interrupted, Notice, Resumed, SpeechClause
from aimark_daemon.workers.base import WorkerSpec
from tests.assistant.children import end, live_stage
from tests.assistant.stage import Ear
from tests.assistant.test_turns import silence, tone

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends children with POSIX signals")

ANSWER = "하나 둘 셋, 넷 다섯. And six seven!"
WORDS = len(ANSWER.split())
SLOWLY = {"default": ANSWER, "delay_s": 0.02}


async def interrupted_at(it, text, kills, *, job="llm", number=signal.SIGKILL, **arguments):
    """Ask, and end the child whenever so many pieces are there; the client's ear and the turn's ending."""
    ear = Ear()
    turn = await it.say(text, ear, **arguments)
    for at in kills:
        await ear.until(lambda at=at: len(ear.of(Delta)) >= at or ear.endings(turn))
        end(it, job, number)
    return ear, await ear.ending(turn)


async def test_a_kill_at_every_token_loses_and_repeats_nothing(tmp_path):
    async with live_stage(tmp_path, llm=SLOWLY) as it:
        for at in range(WORDS):
            ear, done = await interrupted_at(it, f"세어 봐 {at}", [at])
            assert isinstance(done, Done)
            assert (done.reply, done.tokens, done.finish) == (ANSWER, WORDS, "stop")
            assert ear.text(done.turn) == ANSWER
            assert len(ear.of(Resumed)) == len(ear.of(Interrupted)) <= 1


async def test_one_answer_outlives_many_kills(tmp_path):
    async with live_stage(tmp_path, llm=SLOWLY) as it:
        ear, done = await interrupted_at(it, "세어 봐", range(1, WORDS))
        assert done.reply == ear.text(done.turn) == ANSWER
        assert len(ear.of(Interrupted)) >= WORDS - 2


async def test_an_answer_goes_on_when_its_engine_is_loaded_anew_at_every_token_as_game_mode_does(tmp_path):
    async with live_stage(tmp_path, llm=SLOWLY) as it:
        worker = it.roster.here("llm")
        for at in range(WORDS):
            ear = Ear()
            turn = await it.say(f"세어 봐 {at}", ear)
            await ear.until(lambda ear=ear, at=at, turn=turn: len(ear.of(Delta)) >= at or ear.endings(turn))
            pid = worker.status.pid
            assert await worker.reload(force=True)
            assert not psutil.pid_exists(pid)
            done = await ear.ending(turn)
            assert isinstance(done, Done)
            assert (done.reply, done.tokens) == (ANSWER, WORDS)
            assert ear.text(turn) == ANSWER
            assert len(ear.of(Resumed)) == len(ear.of(Interrupted)) <= 1


async def test_a_turn_that_begins_while_its_engine_falls_asleep_waits_for_the_next_child(tmp_path):
    async with live_stage(tmp_path, llm={"default": ANSWER}) as it:
        worker = it.roster.here("llm")
        for steps in range(0, 60, 6):
            await worker.ready()
            ear, falling = Ear(), asyncio.create_task(worker.sleep())
            for _ in range(steps):
                await asyncio.sleep(0)
            done = await ear.ending(await it.say("자니?", ear))
            assert isinstance(done, Done)
            assert done.reply == ear.text(done.turn) == ANSWER
            assert not ear.of(Interrupted)
            await falling


async def test_a_child_that_hangs_is_noticed_and_the_answer_goes_on(tmp_path):
    impatient = msgspec.structs.replace(fake_spec("llm", SLOWLY), heartbeat_timeout_s=1.0)
    async with live_stage(tmp_path, specs={"llm": impatient}) as it:
        pid = it.roster.here("llm").status.pid
        ear, done = await interrupted_at(it, "세어 봐", [3], number=signal.SIGSTOP)
        assert done.reply == ear.text(done.turn) == ANSWER
        assert [event.fault.code for event in ear.of(Interrupted)] == ["worker_hung"]
        assert not psutil.pid_exists(pid)


async def test_an_utterance_outlives_a_kill_of_the_hearing_engine_while_it_is_spoken(tmp_path):
    async with live_stage(tmp_path, stt={"texts": ["오늘 날씨 어때?"]}) as it:
        ear = Ear()
        pcm = silence(0.2) + tone(0.6) + silence(0.2)
        await it.assistant.listen(ear, 1, language="auto", session=None)
        for number, start in enumerate(range(0, len(pcm), 640)):
            await it.assistant.hear(ear, AudioFrame(FrameKind.MICROPHONE, 1, number, pcm[start : start + 640]))
            if number == 20:
                end(it, "stt")
        await ear.ending(await it.assistant.end_listening(ear, 1, session=None, speak=False))
        heard = ear.of(Heard)[0]
        assert heard.text == "오늘 날씨 어때?"
        assert heard.audio_s == pytest.approx(1.0)
        assert heard.voiced_end_s == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("at", [1, 4, 7])
async def test_every_clause_is_announced_once_although_the_voice_is_killed(tmp_path, at):
    async with live_stage(tmp_path, llm=SLOWLY) as it:
        ear, done = await interrupted_at(it, "세어 봐", [at], job="tts", speak=True)
        assert isinstance(done, Done)
        assert "".join(clause.text for clause in ear.of(SpeechClause)) == ANSWER
        assert not ear.of(Notice, Interrupted)
        most = sum(letters(clause.text) for clause in ear.of(SpeechClause)) * 0.06 * 22_050
        assert sum(len(frame.pcm) // 2 for frame in ear.frames) <= most


QUESTIONS = ("What is the sea?", "Name three colours.", "Who was Newton?", "바다는 무엇인가요?", "Say hello twice.")
KILLS = 50


@pytest.mark.models
@pytest.mark.timeout(900)
async def test_fifty_answers_of_a_model_are_those_of_an_undisturbed_one_although_it_is_killed_in_each(
    tmp_path, tiny_gguf
):
    llama = WorkerSpec(
        "llm",
        "aimark_daemon.engines.llama:LlamaEngine",
        {"model": "smol", "path": str(tiny_gguf), "n_ctx": 1024, "threads": 1},
    )
    config = Config(llm=LlmConfig(temperature=0, max_tokens=16))
    async with live_stage(tmp_path, specs={"llm": llama}, config=config) as it:

        async def fresh():
            """A new child: where other sessions lie in the cache decides between words that are as good as equal."""
            died = asyncio.Event()
            it.roster.here("llm").on_status(lambda _status: died.set())
            end(it, "llm")
            await died.wait()
            await it.roster.here("llm").ready()

        undisturbed = {}
        for question in QUESTIONS:
            await fresh()
            _, done = await interrupted_at(it, question, [])
            undisturbed[question] = done
        moments = random.Random(3)
        for number in range(KILLS):
            question = QUESTIONS[number % len(QUESTIONS)]
            whole = undisturbed[question]
            await fresh()
            ear, done = await interrupted_at(it, question, [moments.randrange(whole.tokens)])
            assert isinstance(done, Done), done
            assert done.reply == ear.text(done.turn) == whole.reply
            assert (done.tokens, done.finish) == (whole.tokens, whole.finish)
        assert it.roster.here("llm").status.restarts > KILLS + KILLS // 2
