"""The speaking contract, on the fake engine, on Piper, on espeak and on several voices behind one."""

import sys
import unicodedata

import numpy as np
import pytest

from aimark_daemon.audio.audible import first_audible_sample
from aimark_daemon.audio.wav import read_wav, write_wav
from aimark_daemon.engines import espeak as espeak_engine
from aimark_daemon.engines.base import Audio, HearRequest, SpeakRequest
from aimark_daemon.engines.espeak import EspeakEngine
from aimark_daemon.engines.fake_voice import FakeTTS
from aimark_daemon.engines.piper import PiperEngine
from aimark_daemon.engines.piper_text import LONGEST, pieces
from aimark_daemon.engines.voices import VoicesEngine
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


@pytest.fixture(scope="module")
def espeak():
    engine = EspeakEngine()
    facts = engine.load({}, lambda: None)
    assert facts.sample_rate == 22_050
    assert facts.languages == ("en", "ko")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def voices(piper_onnx):
    engine = VoicesEngine()
    facts = engine.load({"path": str(piper_onnx), "threads": 2}, lambda: None)
    assert facts.languages == ("en", "ko")
    assert facts.extra["voices"] == {"en": "en_US-joe-medium", "ko": "espeak"}
    yield engine
    engine.close()


@pytest.fixture
def fake():
    engine = FakeTTS()
    engine.load({"languages": ["en"]}, lambda: None)
    return engine


MODELS = pytest.mark.models
REAL = ["espeak", pytest.param("piper", marks=MODELS), pytest.param("voices", marks=MODELS)]


@pytest.fixture(params=["fake", *REAL])
def engine(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=REAL)
def real(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["fake", pytest.param("piper", marks=MODELS)])
def english(request):
    """A voice that speaks only English."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["espeak", pytest.param("voices", marks=MODELS)])
def bilingual(request):
    return request.getfixturevalue(request.param)


def spoken(engine, text, **request):
    call = StubCall()
    result = engine.speak(SpeakRequest(text, **request), call)
    assert all(isinstance(event, Audio) for event in call.events)
    pcm = b"".join(event.pcm for event in call.events)
    assert result.samples * 2 == len(pcm)
    return pcm, result, call


def median_hz(pcm, result):
    """The frequency below which half of the sound's energy lies."""
    power = np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2").astype(float))) ** 2
    half = int(np.searchsorted(np.cumsum(power), power.sum() / 2))
    return half * result.sample_rate / (len(pcm) // 2)


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
def test_a_korean_sentence_is_never_read_by_an_english_voice(english, text):
    call = StubCall()
    with pytest.raises(AimarkError) as caught:
        english.speak(SpeakRequest(text, language="ko"), call)
    assert caught.value.fault.code == "voice_cannot_speak"
    assert call.events == []


def test_a_faster_voice_needs_less_time(engine):
    text = "This sentence is long enough to be measured well."
    assert spoken(engine, text, speed=1.6)[1].samples < 0.8 * spoken(engine, text, speed=1.0)[1].samples


def test_a_cancelled_sentence_stops_between_pieces(engine):
    call = StubCall(cancel_after=1)
    engine.speak(SpeakRequest("One sentence is here. Another sentence is here. A third one is here."), call)
    assert len(call.events) == 1


@pytest.mark.parametrize("text", ["안녕하세요.", "안녕", "Python은 언어입니다.", "한국어와 English"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_korean_sentence_is_read_by_the_korean_voice_whatever_was_asked_for(bilingual, text, language):
    pcm, result, call = spoken(bilingual, text, language=language)
    assert first_audible_sample(pcm) is not None
    assert {event.voice for event in call.events} == {result.voice} == {"espeak"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_decomposed_korean_is_spoken_by_the_korean_voice(bilingual, form):
    assert spoken(bilingual, unicodedata.normalize(form, "안녕하세요."))[1].voice == "espeak"


@pytest.mark.models
def test_english_stays_with_the_english_voice(voices):
    assert spoken(voices, "The capital of France is Paris.")[1].voice == "en_US-joe-medium"


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_the_sound_has_the_rate_that_is_asked_for(engine, rate):
    text = "The capital of France is Paris."
    pcm, result, _ = spoken(engine, text, sample_rate=rate)
    assert result.sample_rate == rate
    own = spoken(engine, text)[1]
    assert len(pcm) // 2 / rate == pytest.approx(own.samples / own.sample_rate, rel=0.15)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_another_rate_keeps_the_pitch(espeak, rate):
    """Half the sound's energy lies below the same frequency, whatever the rate."""
    assert median_hz(*spoken(espeak, "Hello there, my friend.", sample_rate=rate)[:2]) == pytest.approx(
        median_hz(*spoken(espeak, "Hello there, my friend.")[:2]), rel=0.1
    )


def test_a_real_voice_speaks_sentence_by_sentence(real):
    _, _, call = spoken(real, "One is here. Two is here. Three is here.")
    assert len(call.events) == 3


@pytest.mark.parametrize("text", ["Hello.", "Sure,", "What time is it?", "It works."])
def test_a_real_voice_begins_within_ten_milliseconds_and_ends_with_a_short_gap(real, text):
    pcm, result, _ = spoken(real, text)
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


@pytest.mark.models
def test_whisper_makes_out_words_of_what_espeak_says_in_korean(espeak, whisper_dir):
    """All that holds of this voice: a small model that knows the language hears some of its words."""
    said = "대한민국의 수도는 서울입니다."
    pcm, _, _ = spoken(espeak, said, language="ko", sample_rate=16_000)
    hearing = WhisperEngine()
    hearing.load({"path": str(whisper_dir), "threads": 2}, lambda: None)
    heard = hearing.hear(HearRequest(language="ko"), StubCall(in_frames(pcm)))
    hearing.close()
    assert "대한민국의" in heard.text.split()
    assert heard.text.rstrip(".").endswith("입니다")


def test_a_language_that_nobody_speaks_is_a_fault(bilingual):
    with pytest.raises(AimarkError) as caught:
        bilingual.speak(SpeakRequest("Bonjour", language="fr"), StubCall())
    assert caught.value.fault.code == "voice_cannot_speak"


def test_a_text_with_odd_characters_is_spoken(espeak):
    assert spoken(espeak, "One\0two \ud800 three [[four]] <b>five</b>")[1].samples > 0


@pytest.mark.models
def test_a_broken_voice_of_one_language_leaves_the_others(piper_onnx, tmp_path):
    engine = VoicesEngine()
    settings = {"path": str(piper_onnx), "threads": 1, "voices": {"ko": str(tmp_path / "no.onnx")}, "warm": ["ko"]}
    engine.load(settings, lambda: None)
    with pytest.raises(AimarkError) as caught:
        engine.speak(SpeakRequest("안녕하세요.", language="ko"), StubCall())
    assert caught.value.fault.code == "voice_missing"
    assert spoken(engine, "Hello.")[1].samples > 0
    engine.close()


@pytest.mark.models
def test_a_second_voice_is_loaded_with_its_first_sentence_or_when_it_is_to_be_warm(piper_onnx):
    for warm, loaded in (([], 1), (["ko"], 2), (["auto"], 1)):
        engine = VoicesEngine()
        engine.load({"path": str(piper_onnx), "threads": 1, "warm": warm}, lambda: None)
        assert len(engine._engines) == loaded
        spoken(engine, "안녕하세요.", language="ko")
        assert len(engine._engines) == 2
        engine.close()


def test_without_the_library_espeak_is_a_fault_that_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr("aimark_daemon.engines.espeak._library", espeak_engine._library.__wrapped__)
    with pytest.raises(AimarkError) as caught:
        EspeakEngine().load({}, lambda: None)
    assert caught.value.fault.code == "espeak_missing"


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
