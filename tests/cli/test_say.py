"""`aimark say` and `aimark demo` against a daemon with fake engines."""

import signal
import wave
from pathlib import Path

import pytest

from tests.cli.calls import Aimark
from tests.cli.sound import write_tone

FIELDS = {
    "file",
    "session",
    "turn",
    "transcript",
    "language",
    "reply",
    "audio_out",
    "audio_s",
    "v2v_s",
    "timings",
    "finish",
    "interruptions",
}


def test_a_recording_is_heard_and_answered_with_every_documented_field(aimark: Aimark, tmp_path: Path) -> None:
    file = write_tone(tmp_path / "질문.wav")
    line = aimark("say", str(file), "--json").one()
    assert set(line) == FIELDS
    assert line["file"] == str(file)
    assert (line["transcript"], line["language"]) == ("Hello.", "en")
    assert line["reply"] == "You said: Hello."
    assert line["audio_out"] is None
    assert line["audio_s"] == pytest.approx(13 * 0.06, abs=0.1)
    assert line["finish"] == "stop"
    times = line["timings"]
    assert 0 < times["transcript_s"] <= times["first_token_s"] <= times["first_audio_s"] <= line["v2v_s"]


@pytest.mark.parametrize(
    "shape",
    [
        {"channels": 2},
        {"rate": 8_000},
        {"rate": 44_100},
        {"width": 3},
        {"width": 4, "channels": 2, "rate": 48_000},
    ],
)
def test_any_usual_encoding_is_heard(aimark: Aimark, tmp_path: Path, shape: dict[str, int]) -> None:
    line = aimark("say", str(write_tone(tmp_path / "a.wav", **shape)), "--json").one()  # type: ignore[arg-type]
    assert (line["transcript"], line["finish"]) == ("Hello.", "stop")


def test_files_share_a_session_and_bad_ones_do_not_stop_the_others(aimark: Aimark, tmp_path: Path) -> None:
    good = write_tone(tmp_path / "good.wav")
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"this is no sound at all")
    silent = write_tone(tmp_path / "silent.wav", level=0)
    empty = write_tone(tmp_path / "empty.wav", seconds=0)
    missing = tmp_path / "missing.wav"
    ran = aimark("say", *map(str, (noise, good, silent, empty, missing, tmp_path, good)), "--json")
    lines = ran.lines()
    codes = [line["error"]["code"] if "error" in line else line["finish"] for line in lines]
    assert codes == ["wav_invalid", "stop", "nothing_heard", "wav_empty", "file_missing", "file_unreadable", "stop"]
    assert lines[1]["session"] == lines[6]["session"]
    assert ran.code == 2
    assert all(line["error"]["hint"] for line in lines if "error" in line)


def test_an_hour_of_sound_is_refused_before_it_is_read(aimark: Aimark, tmp_path: Path) -> None:
    file = tmp_path / "hour.wav"
    with wave.open(str(file), "wb") as wav:
        wav.setparams((1, 2, 8_000, 0, "NONE", ""))
        wav.writeframes(bytes(2 * 8_000 * 3600))
    ran = aimark("say", str(file), "--json")
    assert (ran.error(), ran.code) == ("wav_too_long", 2)


def test_answers_are_written_to_a_folder_under_the_recordings_names(aimark: Aimark, tmp_path: Path) -> None:
    file = write_tone(tmp_path / "커피.wav")
    lines = aimark("say", str(file), str(file), "--out", str(tmp_path / "new" / "folder"), "--json").lines()
    assert [Path(line["audio_out"]).name for line in lines] == ["커피.answer.wav", "커피-2.answer.wav"]
    for line in lines:
        with wave.open(line["audio_out"]) as wav:
            assert wav.getnframes() / wav.getframerate() == pytest.approx(line["audio_s"], abs=0.001)


def test_one_answer_can_go_to_a_named_file(aimark: Aimark, tmp_path: Path) -> None:
    out = tmp_path / "답.wav"
    line = aimark("say", str(write_tone(tmp_path / "a.wav")), "--out", str(out), "--json").one()
    assert (line["audio_out"], out.is_file()) == (str(out), True)


def test_one_name_for_several_answers_is_refused(aimark: Aimark, tmp_path: Path) -> None:
    file = str(write_tone(tmp_path / "a.wav"))
    ran = aimark("say", file, file, "--out", str(tmp_path / "out.wav"), "--json")
    assert (ran.error(), ran.code) == ("out_for_one", 2)


def test_an_answer_that_cannot_be_written_is_refused_before_anything_is_said(aimark: Aimark, tmp_path: Path) -> None:
    before = aimark("status", "--json").one()["sessions"]
    ran = aimark("say", str(write_tone(tmp_path / "a.wav")), "--out", str(tmp_path / "nowhere" / "a.wav"), "--json")
    assert (ran.error(), ran.code) == ("file_unwritable", 2)
    assert aimark("status", "--json").one()["sessions"] == before


def test_files_that_cannot_be_heard_are_told_before_a_daemon_is_started(alone: Aimark, tmp_path: Path) -> None:
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"this is no sound at all")
    ran = alone("say", str(noise), str(tmp_path / "missing.wav"), "--json")
    assert [line["error"]["code"] for line in ran.lines()] == ["wav_invalid", "file_missing"]
    assert [line["file"] for line in ran.lines()] == [str(noise), str(tmp_path / "missing.wav")]
    assert ran.code == 2
    assert not (alone.home / "logs").exists()


def test_an_answer_cannot_take_the_place_of_a_folder(alone: Aimark, tmp_path: Path) -> None:
    for out in ("", str(tmp_path)):
        ran = alone("demo", "--out", out, "--json")
        assert (ran.error(), ran.code) == ("file_unwritable", 2)
    assert not (alone.home / "logs").exists()


def test_an_unknown_session_is_told_for_the_file(aimark: Aimark, tmp_path: Path) -> None:
    ran = aimark("say", str(write_tone(tmp_path / "a.wav")), "--session", "0123456789abcdef", "--json")
    assert (ran.error(), ran.code) == ("session_unknown", 2)


def test_ctrl_c_while_listening_ends_with_130_and_stores_nothing(aimark: Aimark, tmp_path: Path) -> None:
    before = aimark("status", "--json").one()["sessions"]
    good = write_tone(tmp_path / "good.wav")
    long = write_tone(tmp_path / "long.wav", seconds=60, rate=8_000)
    saying = aimark.start("say", str(good), str(long), "--json")
    assert saying.stdout is not None
    assert b'"finish":"stop"' in saying.stdout.readline()
    saying.send_signal(signal.SIGINT)
    ran = aimark.finished(saying)
    assert ran.code == 130
    assert ran.one()["finish"] == "cancelled"
    assert aimark("status", "--json").one()["sessions"] == before + 1


def test_hands_free_the_assistant_decides_where_an_utterance_ends(aimark: Aimark, tmp_path: Path) -> None:
    file = write_tone(tmp_path / "질문.wav", seconds=1.0)
    silent = write_tone(tmp_path / "silent.wav", level=0)
    heard, nothing, again = aimark("say", "--hands-free", *map(str, (file, silent, file)), "--json").lines()
    assert set(heard) == FIELDS | {"utterances"}
    assert (heard["transcript"], heard["utterances"], heard["finish"]) == ("Hello.", ["Hello."], "stop")
    assert heard["v2v_s"] >= 0.2
    assert nothing["error"]["code"] == "nothing_heard"
    assert nothing["utterances"] == []
    assert again["session"] == heard["session"]


def test_the_demo_speaks_hears_and_writes_the_answer(aimark: Aimark, tmp_path: Path) -> None:
    out = tmp_path / "demo.wav"
    line = aimark("demo", "--json", "--out", str(out)).one()
    assert set(line) == (FIELDS - {"file"}) | {"question"}
    assert line["question"] == "What is the capital of France?"
    assert line["finish"] == "stop"
    assert line["v2v_s"] > 0
    with wave.open(str(out)) as wav:
        assert wav.getnframes() > 0


def test_the_demo_prints_question_transcript_reply_and_times(aimark: Aimark, tmp_path: Path) -> None:
    out = Aimark(aimark.home, LANG="ko_KR.UTF-8")("demo", "--out", str(tmp_path / "demo.wav")).out
    for part in ("What is the capital of France?", "Hello.", "You said: Hello.", "들리는 답", "demo.wav"):
        assert part in out
