"""The speaking contract, on the fake engine and on Piper."""

import pytest

from aimark_daemon.audio.audible import first_audible_sample
from aimark_daemon.audio.wav import read_wav, write_wav
from aimark_daemon.engines.base import Audio, HearRequest, SpeakRequest
from aimark_daemon.engines.fake_voice import FakeTTS
from aimark_daemon.engines.piper import PiperEngine
from aimark_daemon.engines.piper_text import LONGEST, pieces
from aimark_daemon.engines.whisper import WhisperEngine
from aimark_daemon.errors import AimarkError
from tests.engines.voice_calls import StubCall, in_frames, word_error_rate


@pytest.fixture(scope="module")
def piper(piper_onnx):
    engine = PiperEngine()
    facts = engine.load({"path": str(piper_onnx), "threads": 2}, lambda: None)
    assert facts.sample_rate == 22_050
    assert facts.languages == ("en",)
    yield engine
    engine.close()


@pytest.fixture(params=["fake", pytest.param("piper", marks=pytest.mark.models)])
def engine(request):
    if request.param == "piper":
        return request.getfixturevalue("piper")
    fake = FakeTTS()
    fake.load({"languages": ["en"]}, lambda: None)
    return fake


def spoken(engine, text, **request):
    call = StubCall()
    result = engine.speak(SpeakRequest(text, **request), call)
    assert all(isinstance(event, Audio) for event in call.events)
    pcm = b"".join(event.pcm for event in call.events)
    assert result.samples * 2 == len(pcm)
    return pcm, result, call


def test_a_sentence_is_spoken_and_counted(engine):
    pcm, result, _ = spoken(engine, "The capital of France is Paris.")
    assert result.sample_rate == 22_050
    assert result.samples > 22_050
    assert first_audible_sample(pcm) is not None


@pytest.mark.parametrize("text", ["", "   ", "...", "—", "🙂", "?!"])
def test_a_text_without_words_gives_no_sound_and_no_error(engine, text):
    pcm, result, call = spoken(engine, text)
    assert pcm == b""
    assert result.samples == 0
    assert call.events == []


@pytest.mark.parametrize("text", ["안녕하세요.", "안녕", "Python은 언어입니다."])
def test_a_korean_sentence_is_never_read_by_an_english_voice(engine, text):
    call = StubCall()
    with pytest.raises(AimarkError) as caught:
        engine.speak(SpeakRequest(text, language="ko"), call)
    assert caught.value.fault.code == "voice_cannot_speak"
    assert call.events == []


def test_a_faster_voice_needs_less_time(engine):
    text = "This sentence is long enough to be measured well."
    assert spoken(engine, text, speed=1.6)[1].samples < 0.8 * spoken(engine, text, speed=1.0)[1].samples


def test_a_cancelled_sentence_stops_between_pieces(engine):
    call = StubCall(cancel_after=1)
    engine.speak(SpeakRequest("One sentence is here. Another sentence is here. A third one is here."), call)
    assert len(call.events) == 1


@pytest.mark.models
def test_piper_speaks_sentence_by_sentence(piper):
    _, _, call = spoken(piper, "One is here. Two is here. Three is here.")
    assert len(call.events) == 3


@pytest.mark.models
@pytest.mark.parametrize("text", ["Hello.", "Sure,", "What time is it?", "It works."])
def test_piper_begins_within_ten_milliseconds_and_ends_with_a_short_gap(piper, text):
    pcm, result, _ = spoken(piper, text)
    assert first_audible_sample(pcm) <= 0.0101 * result.sample_rate
    reversed_pcm = b"".join(pcm[i : i + 2] for i in range(len(pcm) - 2, -1, -2))
    assert first_audible_sample(reversed_pcm) <= 0.19 * result.sample_rate


@pytest.mark.models
def test_an_english_sentence_with_one_korean_word_is_spoken(piper):
    assert spoken(piper, "The Korean word 안녕 means hello to a friend.")[1].samples > 0


@pytest.mark.models
@pytest.mark.parametrize("question", ["What is the capital of France?", "How many days are there in one week?"])
def test_whisper_understands_what_piper_says(piper, whisper_dir, tmp_path, question):
    pcm, result, _ = spoken(piper, question)
    write_wav(tmp_path / "question.wav", pcm, result.sample_rate)
    hearing = WhisperEngine()
    hearing.load({"path": str(whisper_dir), "threads": 2}, lambda: None)
    heard = hearing.hear(HearRequest(), StubCall(in_frames(read_wav(tmp_path / "question.wav").pcm)))
    hearing.close()
    assert heard.language == "en"
    assert word_error_rate(question, heard.text) <= 0.15


def test_a_missing_voice_names_the_missing_files(tmp_path):
    with pytest.raises(AimarkError) as caught:
        PiperEngine().load({"path": str(tmp_path / "voice.onnx")}, lambda: None)
    assert caught.value.fault.code == "voice_missing"
    assert caught.value.fault.detail == "voice.onnx, voice.onnx.json"


@pytest.mark.models
def test_a_damaged_voice_is_a_fault(tmp_path, piper_onnx):
    (tmp_path / "voice.onnx").write_bytes(piper_onnx.read_bytes()[:50_000])
    (tmp_path / "voice.onnx.json").write_bytes(piper_onnx.with_name(f"{piper_onnx.name}.json").read_bytes())
    with pytest.raises(AimarkError) as caught:
        PiperEngine().load({"path": str(tmp_path / "voice.onnx")}, lambda: None)
    assert caught.value.fault.code == "voice_invalid"


@pytest.mark.parametrize(
    "text",
    ["word " * 200, "a" * 1000, "단어 " * 300, "one, two and three; " * 40],
    ids=["words", "letters", "한글", "pauses"],
)
def test_a_long_sentence_is_spoken_in_pieces_that_lose_nothing(text):
    found = pieces(text)
    assert all(len(piece) <= LONGEST for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_raw_phoneme_brackets_are_plain_text():
    assert "[[" not in "".join(pieces("say [[hello]] now"))
