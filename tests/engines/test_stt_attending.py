"""An open microphone: voice and words as they come, with stand-ins for detector and decoder, and with Whisper."""

import json
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.audio.spans import WINDOW
from aimark_daemon.audio.wav import read_wav
from aimark_daemon.engines import whisper_attending
from aimark_daemon.engines.base import AttendRequest, HearRequest
from aimark_daemon.engines.fake_voice import FakeSTT
from aimark_daemon.engines.whisper import WhisperEngine
from aimark_daemon.engines.whisper_attending import WAITING_PIECES, Attending
from aimark_daemon.engines.whisper_decoder import Heard
from aimark_daemon.errors import AimarkError
from tests.engines.test_stt_contract import RECORDED, manifest, needs_recordings
from tests.engines.voice_calls import StubCall, in_frames, key_clicks, noise, silence, tone, word_error_rate

RATE = 16_000


class Detector:
    """Voice is where the samples are loud; samples wait until a block is full."""

    def __init__(self):
        self.rest = np.zeros(0, np.float32)

    def feed(self, samples):
        joined = np.concatenate([self.rest, samples])
        whole = len(joined) - len(joined) % WINDOW
        self.rest = joined[whole:]
        return [float(abs(joined[at : at + WINDOW]).max() > 0.05) for at in range(0, whole, WINDOW)]

    def finish(self):
        return []


class Decoder:
    """Hears a word for every tenth of a second, or what it is told to; `gate` holds it up."""

    def __init__(self, text=None):
        self.text, self.heard, self.gate = text, [], threading.Event()
        self.gate.set()

    def hear(self, samples, _language):
        assert self.gate.wait(20)
        self.heard.append(len(samples))
        text = self.text if self.text is not None else f"말{len(samples) // 1600}"
        return Heard(text, "ko", 0.9)


class Call(StubCall):
    """Tells when something was emitted."""

    def __init__(self):
        super().__init__()
        self.news = threading.Condition()
        self.dropped = False

    @property
    def cancelled(self):
        return self.dropped

    def emit(self, event):
        with self.news:
            super().emit(event)
            self.news.notify_all()

    def on_cancel(self, callback):
        self.cancel_now = callback

    def cancel(self):
        self.dropped = True
        self.cancel_now()

    @property
    def blocks(self):
        return [p for event in self.events for p in event.blocks]

    @property
    def transcripts(self):
        return [event.transcript for event in self.events if event.transcript is not None]

    def until_words(self, count=1):
        with self.news:
            assert self.news.wait_for(lambda: len(self.transcripts) >= count, 20)
        return self.transcripts[count - 1]


def attending(decoder=None):
    call = Call()
    return Attending(decoder or Decoder(), Detector(), "auto", call), call


@given(st.integers(1, 5000))
@settings(max_examples=20, deadline=None)
def test_voice_is_told_block_by_block_however_the_bytes_are_split(size):
    it, call = attending()
    for piece in in_frames(silence(0.32) + tone(0.64) + silence(0.32), size):
        it.feed(piece)
    it.finish()
    assert call.blocks == [0.0] * 10 + [1.0] * 20 + [0.0] * 10


def test_the_words_before_a_pause_are_told_before_anyone_asks_for_them():
    it, call = attending()
    it.feed(silence(0.32) + tone(0.96) + silence(0.2))
    told = call.until_words()
    assert told.text.startswith("말")
    assert told.voiced_start_s == pytest.approx(0.32)
    assert told.voiced_end_s == pytest.approx(1.28)
    assert it.finish().text == told.text


def test_one_pause_is_understood_once_and_its_end_is_free():
    decoder = Decoder()
    it, call = attending(decoder)
    for frame in in_frames(tone(0.96) + silence(1.2)):
        it.feed(frame)
        call.until_words() if it._tried else None
    assert it.finish().text
    assert len(decoder.heard) == 1


def test_no_first_syllable_is_lost():
    decoder = Decoder()
    it, call = attending(decoder)
    it.feed(silence(3.2) + tone(0.96) + silence(0.2))
    call.until_words()
    it.finish()
    # A quarter of a second before the first voiced sample, and what there is after the last.
    assert decoder.heard[0] >= (0.96 + 0.25) * RATE


def test_a_long_utterance_is_understood_in_pieces_and_joined():
    it, call = attending(Decoder("안녕."))
    it.feed(tone(20.0) + silence(0.5) + tone(20.0))
    assert it.finish().text == "안녕. 안녕."
    assert call.transcripts[-1].text == "안녕. 안녕."


def test_clicks_before_the_first_word_are_not_understood():
    decoder = Decoder("you")
    it, call = attending(decoder)
    for _ in range(20):
        it.feed(silence(0.64) + tone(0.032))
    assert it.finish().text == ""
    assert decoder.heard == []
    assert sum(call.blocks) > 0


def test_ten_minutes_without_a_pause_faster_than_real_time_take_bounded_memory():
    decoder = Decoder("말")
    decoder.gate.clear()
    it, _ = attending(decoder)
    most, fed = [], threading.Thread(target=lambda: feed_minutes(it, most, 600))
    fed.start()
    with it._changed:
        assert it._changed.wait_for(lambda: len(it._pieces) == WAITING_PIECES, 20)
    # What cannot be understood yet is not taken either: the caller waits.
    decoder.gate.set()
    fed.join(60)
    assert not fed.is_alive()
    assert max(most) <= 30 * RATE
    assert it.finish().text.count("말") >= 20
    assert max(decoder.heard) <= 30 * RATE


def feed_minutes(it, most, seconds):
    minute = tone(10.0)
    for _ in range(seconds // 10):
        it.feed(minute)
        most.append(len(it._samples))


def test_hours_of_silence_take_no_memory():
    it, call = attending()
    for _ in range(60):
        it.feed(silence(10.0))
        call.events.clear()
    assert len(it._samples) <= 2 * RATE
    assert not it._cutter._probabilities or len(it._cutter._probabilities) * WINDOW <= RATE
    assert it.finish().text == ""


def test_words_in_the_middle_of_speech_are_told_only_where_that_is_quick(monkeypatch):
    for quick, told in ((10.0, True), (-1.0, False)):
        monkeypatch.setattr(whisper_attending, "QUICK_S", quick)
        it, call = attending()
        it.feed(tone(0.64) + silence(0.2))
        call.until_words()
        it.feed(tone(1.5))
        if told:
            assert call.until_words(2).voiced_end_s > 1.5
        else:
            with it._changed:
                assert it._changed.wait_for(lambda it=it: not it._working, 20)
            assert it._so_far is None
        it.close()


def test_a_decoder_that_fails_is_told_to_the_caller():
    class Broken:
        def hear(self, _samples, _language):
            raise RuntimeError("out of memory")

    it, _ = attending(Broken())
    it.feed(tone(1.0) + silence(0.5))
    with pytest.raises(RuntimeError):
        it.finish()


def test_a_cancelled_call_understands_nothing_more_and_leaves_no_thread():
    decoder = Decoder()
    it, call = attending(decoder)
    decoder.gate.clear()
    it.feed(tone(1.0) + silence(0.5) + tone(1.0))
    call.cancel()
    decoder.gate.set()
    assert it.finish().text == ""
    it._thread.join(20)
    assert not it._thread.is_alive()
    assert call.transcripts == []


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


def attend(engine, sound):
    call = Call()
    call.pieces = in_frames(sound)
    return engine.attend(AttendRequest(), call), call


@pytest.mark.parametrize("sound", [b"", b"\x01", silence(3.0)], ids=["nothing", "half a sample", "silence"])
def test_where_nobody_speaks_no_words_are_told(engine, sound):
    heard, call = attend(engine, sound)
    assert heard.text == ""
    assert heard.voiced_start_s is None
    assert call.transcripts == []


@needs_recordings
def test_every_block_is_told_and_the_words_come_with_the_pause(engine):
    wav = read_wav(RECORDED / "ko_coffee.wav")
    heard, call = attend(engine, wav.pcm + silence(1.0))
    assert len(call.blocks) >= int((wav.seconds + 1.0) / 0.032)
    assert heard.text
    assert call.transcripts[-1].text == heard.text
    assert call.transcripts[-1].voiced_end_s == heard.voiced_end_s
    assert 1.5 < heard.voiced_end_s < 2.2


def music(seconds):
    """Chords with vibrato over a beat."""
    at = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros(len(at))
    for bar, root in enumerate((220.0, 174.6, 261.6, 196.0)):
        on = (at % 2.0 >= bar * 0.5) & (at % 2.0 < (bar + 1) * 0.5)
        for ratio in (1.0, 1.26, 1.5, 2.0):
            sound += on * np.sin(2 * np.pi * root * ratio * at + 0.3 * np.sin(2 * np.pi * 5 * at))
    sound += np.random.default_rng(3).normal(0, 1, len(at)) * np.exp(-(at % 0.5) * 30)
    return (sound / np.abs(sound).max() * 12_000).astype("<i2").tobytes()


def clipped(seconds):
    return np.clip(np.frombuffer(noise(seconds, 40_000.0), "<i2") * 8, -32768, 32767).astype("<i2").tobytes()


SOUNDS = {
    "white noise": noise(4.0),
    "keyboard": key_clicks(6.0),
    "tone": tone(4.0, 12_000),
    "music": music(6.0),
    "clipping noise": clipped(4.0),
    "direct current": np.full(4 * RATE, 9000, "<i2").tobytes(),
}


@pytest.mark.models
@pytest.mark.parametrize("name", SOUNDS)
def test_whisper_invents_no_words_on_what_is_no_speech(whisper, name):
    heard, call = attend(whisper, SOUNDS[name] + silence(1.0))
    assert heard.text == ""
    assert {t.text for t in call.transcripts} <= {""}


@pytest.mark.models
@needs_recordings
@pytest.mark.parametrize("offset", [0, 4000], ids=["clean", "direct current"])
def test_whisper_hears_the_same_in_an_open_microphone(whisper, offset):
    for entry in json.loads((RECORDED / "manifest.json").read_text("utf-8")):
        samples = np.frombuffer(read_wav(RECORDED / entry["file"]).pcm, "<i2").astype(int) + offset
        pcm = np.clip(samples, -32768, 32767).astype("<i2").tobytes()
        heard, _ = attend(whisper, silence(1.0) + pcm + silence(1.0))
        assert heard.language == entry["language"]
        if entry["language"] == "en":
            assert word_error_rate(entry["text"], heard.text) <= 0.2
        elif not offset:
            assert all(word in heard.text for word in entry["contains"])


@pytest.mark.models
def test_whisper_that_fails_says_so_as_a_fault(whisper, monkeypatch):
    def broken(_samples, _language):
        raise RuntimeError("failed to allocate")

    monkeypatch.setattr(whisper._decoder, "hear", broken)
    with pytest.raises(AimarkError, match="hearing_out_of_memory"):
        whisper.attend(AttendRequest(), StubCall(in_frames(read_voice() + silence(1.0))))


def read_voice():
    if not manifest("ko"):
        pytest.skip("no recorded speech at ../shared/audio")
    return read_wav(RECORDED / manifest("ko")[0]["file"]).pcm


@pytest.mark.models
@needs_recordings
def test_push_to_talk_and_the_open_microphone_hear_the_same_words(whisper):
    pcm = read_wav(RECORDED / "ko_change_color.wav").pcm
    held = whisper.hear(HearRequest(), StubCall(in_frames(pcm)))
    free, _ = attend(whisper, pcm)
    assert free.text == held.text
