"""The closed loop on real models: what is said is heard, answered, spoken, and can be understood again."""

import difflib
import re
from pathlib import Path

import pytest

from aimark_daemon.audio.audible import first_audible_sample
from aimark_daemon.audio.wav import read_wav
from aimark_daemon.config.types import Config
from aimark_daemon.engine_specs import engine_spec
from aimark_daemon.engines.base import HEAR, SPEAK, HearRequest, SpeakRequest
from aimark_daemon.protocol.messages import SpeechClause, SpeechStarted
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.supervisor import Supervisor
from tests.assistant.stage import Ear, stage
from tests.e2e.harness import ask, daemon, ready, say
from tests.starter import installed

pytestmark = pytest.mark.models

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "audio"


def words(text):
    return re.findall(r"[a-z']+|[0-9]+", text.lower())


def likeness(one, other):
    """0..1 by letters: a voice may run two words together ("France is", "Francis")."""
    return difflib.SequenceMatcher(None, "".join(words(one)), "".join(words(other))).ratio()


def resampled(pcm, rate):
    import numpy as np
    import soxr

    samples = np.frombuffer(pcm, np.int16).astype(np.float32)
    return soxr.resample(samples, rate, 16_000).astype(np.int16).tobytes()


async def spoken_by_piper(text):
    """The text as 16 kHz samples, made by the real voice in a worker of its own."""
    voice = {"model": "joe", "path": str(installed("piper-en-us-joe-medium")), "threads": 1}
    worker = Supervisor(WorkerSpec("tts", "aimark_daemon.engines.piper:PiperEngine", voice))
    await worker.start()
    try:
        rate = (await worker.ready()).sample_rate
        call = worker.call(SPEAK, SpeakRequest(text))
        pcm = b"".join([audio.pcm async for audio in call])
        return resampled(pcm, rate)
    finally:
        await worker.stop()


async def heard_by_whisper(pcm):
    model = {"model": "base", "path": str(installed("whisper-base-int8")), "threads": 2}
    worker = Supervisor(WorkerSpec("stt", "aimark_daemon.engines.whisper:WhisperEngine", model))
    await worker.start()
    try:
        call = worker.call(HEAR, HearRequest(language="en"))
        for start in range(0, len(pcm), 64_000):
            await call.feed(pcm[start : start + 64_000])
        await call.end_input()
        return (await call.result()).text
    finally:
        await worker.stop()


async def test_a_spoken_question_gets_a_spoken_answer_whose_words_are_its_text(tmp_path):
    question = await spoken_by_piper("What is the capital of France?")
    async with (
        daemon(tmp_path, config={"llm": {"temperature": 0, "max_tokens": 60}}) as process,
        process.connect() as client,
    ):
        await ready(client)
        exchange = await say(client, question)
    assert words(exchange.heard.text) == words("What is the capital of France?")
    assert exchange.heard.language == "en"
    assert 0 < exchange.heard.voiced_end_s <= exchange.heard.audio_s
    assert "Paris" in exchange.ending.reply
    assert exchange.ending.reply == exchange.text
    understood = await heard_by_whisper(resampled(exchange.pcm, exchange.rate))
    assert likeness(understood, exchange.text) > 0.9, (understood, exchange.text)


async def test_korean_is_understood_and_answered_in_korean(tmp_path):
    async with (
        daemon(tmp_path, config={"llm": {"temperature": 0, "max_tokens": 60}}) as process,
        process.connect("ko") as client,
    ):
        await ready(client)
        clauses = []
        exchange = await ask(
            client,
            "대한민국의 수도는 어디인가요?",
            speak=True,
            on_event=lambda event, _: clauses.append(event) if isinstance(event, SpeechClause) else None,
        )
    assert "서울" in exchange.text
    assert clauses, "nothing was spoken"
    assert {(clause.language, clause.voice) for clause in clauses} == {("ko", "espeak")}
    assert "".join(clause.text for clause in clauses) == exchange.text
    assert first_audible_sample(exchange.pcm) is not None


async def test_every_sentence_of_a_mixed_answer_has_the_voice_of_its_language(tmp_path):
    """What the assistant says is given; the voices are real, and in one process."""
    said = "안녕하세요. The capital of France is Paris. 지금은 10:30입니다."
    tts = engine_spec("tts", "joe", installed("piper-en-us-joe-medium"), Config())
    async with stage(
        tmp_path, llm={"default": said}, specs={"tts": tts}, worker=lambda spec, _: Supervisor(spec)
    ) as it:
        ear = Ear()
        await ear.ending(await it.say("hi", ear, speak=True))
        voices = [(clause.text.strip(), clause.voice) for clause in ear.of(SpeechClause)]
        pid = it.roster.info("tts").pid
    assert voices == [
        ("안녕하세요.", "espeak"),
        ("The capital of France is Paris.", "en_US-joe-medium"),
        ("지금은 10:30입니다.", "espeak"),
    ]
    assert pid
    assert {started.sample_rate for started in ear.of(SpeechStarted)} == {22_050}
    english = ear.of(SpeechClause)[1:]
    pcm = b"".join(frame.pcm for frame in ear.frames)[2 * english[0].start : 2 * english[1].start]
    assert likeness(await heard_by_whisper(resampled(pcm, 22_050)), "The capital of France is Paris.") > 0.9


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings beside the project")
async def test_recorded_speech_in_both_languages_is_heard(tmp_path):
    async with (
        daemon(tmp_path, config={"llm": {"temperature": 0, "max_tokens": 16}}) as process,
        process.connect() as client,
    ):
        await ready(client)
        english = await say(client, read_wav(RECORDINGS / "LJ001-0004.wav").pcm)
        korean = await say(client, read_wav(RECORDINGS / "ko_change_color.wav").pcm)
    expected = words("produced the block books which were the immediate predecessors of the true printed book")
    assert len(set(expected) & set(words(english.heard.text))) >= 0.9 * len(set(expected)), english.heard.text
    assert english.heard.language == "en"
    assert korean.heard.language == "ko"
    assert "파란색" in korean.heard.text
    assert "바꿔" in korean.heard.text
