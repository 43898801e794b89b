"""The hearing contract, on the fake engine and on Whisper."""

import json
from pathlib import Path

import pytest

from aimark_daemon.audio.wav import read_wav
from aimark_daemon.engines.base import HearRequest, Partial
from aimark_daemon.engines.fake_voice import FakeSTT
from aimark_daemon.engines.whisper import WhisperEngine
from aimark_daemon.errors import AimarkError
from tests.engines.voice_calls import StubCall, in_frames, key_clicks, noise, silence, word_error_rate

RECORDED = Path(__file__).parents[2] / ".." / "shared" / "audio"
needs_recordings = pytest.mark.skipif(
    not (RECORDED / "manifest.json").is_file(), reason="no recorded speech at ../shared/audio"
)


def manifest(language):
    entries = (
        json.loads((RECORDED / "manifest.json").read_text("utf-8")) if (RECORDED / "manifest.json").is_file() else []
    )
    return [entry for entry in entries if entry["language"] == language]


@pytest.fixture(scope="module")
def whisper(whisper_dir):
    engine = WhisperEngine()
    engine.load({"path": str(whisper_dir), "threads": 2}, lambda: None)
    yield engine
    engine.close()


@pytest.fixture(params=["fake", pytest.param("whisper", marks=pytest.mark.models)])
def engine(request):
    if request.param == "whisper":
        return request.getfixturevalue("whisper")
    fake = FakeSTT()
    fake.load({"texts": ["안녕하세요"]}, lambda: None)
    return fake


@pytest.mark.parametrize("sound", [b"", b"\x01", silence(3.0)], ids=["nothing", "half a sample", "silence"])
def test_where_nobody_speaks_the_transcript_is_empty(engine, sound):
    heard = engine.hear(HearRequest(), StubCall(in_frames(sound)))
    assert heard.text == ""
    assert heard.language == ""
    assert heard.voiced_start_s is None
    assert heard.voiced_end_s is None
    assert heard.audio_s == len(sound) // 2 / 16_000


def test_a_cancelled_call_returns_an_empty_transcript(engine):
    call = StubCall(in_frames(noise(30.0, 9000.0)), cancel_after=3)
    assert engine.hear(HearRequest(), call).text == ""
    assert call.given == 3


@needs_recordings
def test_voice_is_heard_within_the_utterance_and_a_fixed_language_is_kept(engine):
    wav = read_wav(RECORDED / "ko_coffee.wav")
    heard = engine.hear(HearRequest(language="ko"), StubCall(in_frames(wav.pcm)))
    assert heard.text
    assert heard.language == "ko"
    assert heard.audio_s == pytest.approx(wav.seconds, abs=0.01)
    assert 0.2 < heard.voiced_start_s < 0.8
    assert 1.5 < heard.voiced_end_s < 2.2
    assert heard.took_s >= 0


def test_the_fake_says_its_texts_in_turn_and_emits_what_it_understood():
    fake = FakeSTT()
    fake.load({"texts": ["하나", "two"]}, lambda: None)
    call = StubCall([noise(0.5, 9000.0)])
    assert [fake.hear(HearRequest(), call).text for _ in range(3)] == ["하나", "two", "하나"]
    assert call.events == [Partial("하나"), Partial("two"), Partial("하나")]


@pytest.mark.models
@pytest.mark.parametrize("sound", [noise(4.0), key_clicks(6.0)], ids=["white noise", "keyboard"])
def test_whisper_invents_no_text_on_noise(whisper, sound):
    assert whisper.hear(HearRequest(), StubCall(in_frames(sound))).text == ""


@pytest.mark.models
@needs_recordings
@pytest.mark.parametrize("entry", manifest("en"), ids=lambda entry: entry["file"])
def test_whisper_hears_english_recordings(whisper, entry):
    heard = whisper.hear(HearRequest(), StubCall(in_frames(read_wav(RECORDED / entry["file"]).pcm)))
    assert heard.language == "en"
    assert word_error_rate(entry["text"], heard.text) <= 0.2


@pytest.mark.models
@needs_recordings
@pytest.mark.parametrize("entry", manifest("ko"), ids=lambda entry: entry["file"])
def test_whisper_hears_korean_recordings(whisper, entry):
    heard = whisper.hear(HearRequest(), StubCall(in_frames(read_wav(RECORDED / entry["file"]).pcm)))
    assert heard.language == "ko"
    assert heard.probability > 0.9
    assert all(word in heard.text for word in entry["contains"])


@pytest.mark.models
@needs_recordings
def test_whisper_hears_the_same_words_however_the_bytes_are_split(whisper):
    pcm = read_wav(RECORDED / "ko_change_color.wav").pcm
    heard = [whisper.hear(HearRequest(), StubCall(pieces)) for pieces in ([pcm], in_frames(pcm), in_frames(pcm, 4097))]
    assert len({(h.text, h.language, h.voiced_start_s, h.voiced_end_s) for h in heard}) == 1


@pytest.mark.models
@needs_recordings
def test_whisper_hears_more_than_a_window_piece_by_piece(whisper):
    english = [read_wav(RECORDED / entry["file"]).pcm for entry in manifest("en")]
    text = " ".join(entry["text"] for entry in manifest("en"))
    call = StubCall([silence(0.4).join(english * 3)])
    heard = whisper.hear(HearRequest(), call)
    assert heard.audio_s > 50
    assert word_error_rate(" ".join([text] * 3), heard.text) <= 0.2
    assert call.progressed >= 2


@pytest.mark.models
@needs_recordings
def test_whisper_skips_a_long_silence_between_words(whisper):
    pcm = read_wav(RECORDED / "ko_coffee.wav").pcm
    heard = whisper.hear(HearRequest(), StubCall([pcm, silence(40.0), pcm]))
    assert heard.text.count("커피") == 2
    assert heard.voiced_end_s > 40


@pytest.mark.models
@needs_recordings
def test_when_the_pause_was_the_end_the_words_understood_in_it_are_the_transcript(whisper):
    pcm = read_wav(RECORDED / "ko_coffee.wav").pcm
    call = StubCall(in_frames(pcm))
    at_once = whisper.hear(HearRequest(), call)
    assert call.events == []

    class SlowCall(StubCall):
        """Comes as a microphone does: each frame's time passes on the engine's clock."""

        @property
        def input(self):
            for frame in super().input:
                clock.now += len(frame) / 32_000
                yield frame

    from aimark_daemon.engines import whisper_hearing

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whisper_hearing, "time", clock)
        live = SlowCall(in_frames(pcm))
        heard = whisper.hear(HearRequest(), live)
    assert live.events == [Partial(heard.text)]
    assert heard.text == at_once.text


@pytest.mark.models
@needs_recordings
@pytest.mark.parametrize("file", ["ko_change_color.wav", "LJ001-0002.wav", "LJ001-0013.wav"])
def test_a_decoder_that_loops_on_a_window_too_short_is_repaired_by_the_full_one(whisper, file, monkeypatch):
    from aimark_daemon.engines import whisper_decoder

    pcm = read_wav(RECORDED / file).pcm
    expected = whisper.hear(HearRequest(), StubCall([pcm]))
    assert not expected.fallback
    monkeypatch.setattr(whisper_decoder, "window_frames", lambda samples: max(300, -(-samples // 160)))
    heard = whisper.hear(HearRequest(), StubCall([pcm]))
    assert heard.fallback
    assert word_error_rate(expected.text, heard.text) <= 0.2


@pytest.mark.models
def test_whisper_tells_what_it_loaded(whisper_dir):
    engine = WhisperEngine()
    progress = []
    facts = engine.load({"path": str(whisper_dir), "threads": 1, "device": "cpu"}, lambda: progress.append(1))
    assert facts.languages == ("ko", "en")
    assert facts.threads == 1
    assert facts.extra["device"] == "cpu"
    assert len(progress) >= 2
    engine.close()


def test_a_missing_hearing_model_names_the_missing_files(tmp_path):
    with pytest.raises(AimarkError) as caught:
        WhisperEngine().load({"path": str(tmp_path)}, lambda: None)
    assert caught.value.fault.code == "hearing_model_missing"
    assert "model.bin" in caught.value.fault.detail


@pytest.mark.models
def test_a_damaged_hearing_model_is_a_fault(tmp_path, whisper_dir):
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((whisper_dir / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((whisper_dir / "model.bin").read_bytes()[:100_000])
    with pytest.raises(AimarkError) as caught:
        WhisperEngine().load({"path": str(tmp_path), "device": "cpu"}, lambda: None)
    assert caught.value.fault.code == "hearing_model_invalid"
