"""WAV files: every usual encoding becomes 16 kHz mono s16le; everything else is a fault that says what to do."""

import os
import struct
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.audio.wav import check_wav, read_wav, write_wav
from aimark_daemon.errors import AimarkError
from tests.audio.wavs import FORMATS, chunk, fmt, riff, sine, wav


def refused(source):
    with pytest.raises(AimarkError) as caught:
        read_wav(source)
    return caught.value.fault


def samples(audio):
    return np.frombuffer(audio.pcm, "<i2").astype(float) / 32768


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("form", FORMATS)
def test_every_encoding_keeps_its_sound(form, extensible):
    audio = read_wav(wav(form, sine(0.5, 16_000), extensible=extensible))
    assert audio.seconds == 0.5
    assert np.max(np.abs(samples(audio) - sine(0.5, 16_000))) < (0.01 if form == "pcm8" else 0.0005)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_and_number_of_channels_becomes_16_khz_mono(rate, channels):
    audio = read_wav(wav("pcm24", sine(1.0, rate, channels), channels, rate))
    assert (audio.source_rate, audio.channels, audio.seconds) == (rate, channels, 1.0)
    heard = samples(audio)
    assert abs(len(heard) - 16_000) <= 1
    middle = slice(2_000, 14_000)
    assert np.max(np.abs(heard[middle] - sine(1.0, 16_000)[middle])) < 0.01


def test_stereo_is_the_mean_of_its_channels():
    both = np.stack([np.full(1600, 0.5), np.full(1600, -0.25)], axis=1).reshape(-1)
    assert np.allclose(samples(read_wav(wav("float32", both, 2))), 0.125, atol=1e-4)


def test_sound_that_is_ready_is_taken_as_it_is():
    pcm = np.arange(-500, 500, dtype="<i2").tobytes()
    assert read_wav(riff(fmt(1, 16), chunk(b"data", pcm))).pcm == pcm


def test_other_chunks_around_the_sound_are_skipped():
    pcm = b"\x01\x00\x02\x00"
    data = riff(
        chunk(b"JUNK", b"x" * 27),
        chunk(b"bext", b"y" * 100),
        fmt(1, 16),
        chunk(b"LIST", b"odd"),
        chunk(b"data", pcm),
        chunk(b"id3 ", b"tag"),
    )
    assert read_wav(data).pcm == pcm


def test_a_cut_off_file_gives_the_whole_frames_it_has():
    data = wav("pcm16", sine(1.0, 16_000))
    assert read_wav(data[:-1001]).pcm == read_wav(data).pcm[:-1002]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_file_from_a_pipe_reaches_to_its_end(size):
    pcm = b"\x01\x00\x02\x00"
    assert read_wav(riff(fmt(1, 16), chunk(b"data", pcm, size))).pcm == pcm


def test_infinite_and_undefined_floats_become_ordinary_samples():
    data = wav("float32", np.array([np.nan, np.inf, -np.inf, 2.0]))
    assert list(np.frombuffer(read_wav(data).pcm, "<i2")) == [0, 32767, -32768, 32767]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"ID3\x04 not a wav at all",
        "안녕하세요".encode(),
        riff(),
        riff(fmt(1, 16)),
        riff(chunk(b"data", b"ab")),
    ],
    ids=["empty", "four bytes", "mp3", "한글", "no chunks", "no samples", "no format"],
)
def test_what_is_not_a_wav_is_refused(data):
    fault = refused(data)
    assert fault.code == "wav_invalid"
    assert "ffmpeg" in fault.hint.ko


@pytest.mark.parametrize(
    "form", [fmt(6, 8), fmt(2, 4), fmt(1, 12), fmt(1, 16, rate=2_000), fmt(1, 16, rate=400_000), fmt(85, 16)]
)
def test_other_encodings_are_refused_and_named(form):
    fault = refused(riff(form, chunk(b"data", b"\0" * 64)))
    assert fault.code == "wav_unsupported"
    assert fault.detail


def test_a_contradictory_format_is_invalid():
    body = struct.pack("<HHIIHH", 1, 2, 16_000, 64_000, 7, 16)
    assert refused(riff(chunk(b"fmt ", body), chunk(b"data", b"\0" * 64))).code == "wav_invalid"
    body = struct.pack("<HHIIHH", 1, 0, 16_000, 0, 0, 16)
    assert refused(riff(chunk(b"fmt ", body), chunk(b"data", b"\0" * 64))).code == "wav_invalid"


def test_a_wav_without_sound_is_refused():
    assert refused(riff(fmt(1, 16), chunk(b"data", b""))).code == "wav_empty"


def test_an_hour_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "hour.wav"
    size = 3600 * 32_000
    with path.open("wb") as file:
        file.write(struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + fmt(1, 16) + struct.pack("<4sI", b"data", size))
        file.truncate(size + 44)
    fault = refused(path)
    assert fault.code == "wav_too_long"
    assert "60.0" in fault.message.en
    assert "60.0분" in fault.message.ko


def test_a_missing_file_and_a_folder_are_different_faults(tmp_path):
    assert refused(tmp_path / "없음.wav").code == "file_missing"
    assert refused(tmp_path).code == "file_unreadable"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are POSIX's")
def test_a_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    assert refused(tmp_path / "pipe.wav").code == "file_unreadable"


@pytest.mark.parametrize("form", FORMATS)
def test_a_check_lets_pass_what_can_be_read(tmp_path, form):
    file = tmp_path / "a.wav"
    file.write_bytes(wav(form, sine(0.1, 16_000)))
    check_wav(file)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no sound", "wav_invalid"),
        (riff(fmt(6, 8), chunk(b"data", b"12")), "wav_unsupported"),
        (riff(fmt(1, 16), chunk(b"data", b"")), "wav_empty"),
        (wav("pcm8", sine(601, 4_000), 1, 4_000), "wav_too_long"),
    ],
)
def test_a_check_refuses_what_reading_refuses(tmp_path, data, code):
    file = tmp_path / "a.wav"
    file.write_bytes(data)
    for read in (check_wav, read_wav):
        with pytest.raises(AimarkError) as caught:
            read(file)
        assert caught.value.fault.code == code


def test_written_sound_is_read_back_and_nothing_else_is_left(tmp_path):
    pcm = np.arange(-800, 800, dtype="<i2").tobytes()
    path = tmp_path / "대답.wav"
    path.write_bytes(b"old")
    write_wav(path, pcm, 16_000)
    assert read_wav(path).pcm == pcm
    assert [file.name for file in tmp_path.iterdir()] == ["대답.wav"]


def test_sound_that_cannot_be_written_leaves_the_old_file(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(AimarkError) as caught:
        write_wav(target, b"\0\0", 16_000)
    assert caught.value.fault.code == "file_unwritable"
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(AimarkError):
        write_wav(tmp_path / "absent" / "a.wav", b"\0\0", 16_000)


@given(st.binary(max_size=200), st.booleans(), st.integers(0, 60))
def test_broken_files_are_faults_never_crashes(junk, as_body, cut):
    data = riff(junk, chunk(b"data", junk)) if as_body else wav("pcm16", sine(0.01, 16_000))[:cut] + junk
    code = ""
    try:
        pcm = read_wav(data).pcm
    except AimarkError as error:
        code, pcm = error.fault.code, b""
    assert code.startswith("wav_") or (len(pcm) >= 2 and len(pcm) % 2 == 0)
