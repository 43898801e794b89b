"""The closed loop on real models: what is said is heard, answered, spoken, and can be understood again."""

import difflib
import re
from pathlib import Path

import pytest

from aimark_daemon.audio.wav import read_wav
from aimark_daemon.engines.base import HEAR, SPEAK, HearRequest, SpeakRequest
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.supervisor import Supervisor
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
        exchange = await ask(client, "대한민국의 수도는 어디인가요?", speak=True)
        assert "서울" in exchange.text
        assert exchange.pcm == b"", "a Korean sentence was read by an English voice"


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
