"""What the command line learns of a turn, when a block went, and how imports are packed: pure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.cli.ask import note_interruption
from aimark_daemon.cli.importing import parts
from aimark_daemon.cli.microphone import BLOCK, Microphone
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.turns import TurnRecord
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import (
    Delta,
    Done,
    Heard,
    ImportSessions,
    Interrupted,
    Resumed,
    SpeechHeard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
    TurnStarted,
    encode,
)
from aimark_daemon.server.limits import MAX_MESSAGE_BYTES
from aimark_daemon.workers.faults import KILLED

RATE = 1000


def speech(values: list[int], turn: int = 7) -> AudioFrame:
    return AudioFrame(FrameKind.SPEECH, turn, 0, b"".join(v.to_bytes(2, "little", signed=True) for v in values))


def record() -> TurnRecord:
    turn = TurnRecord(request=3)
    turn.take(TurnStarted(turn=7, session="s", id=3), 0.0)
    turn.take(SpeechStarted(turn=7, sample_rate=RATE), 0.0)
    return turn


def test_an_audible_first_sample_counts_when_its_frame_arrives() -> None:
    turn = record()
    turn.take(speech([201]), 2.5)
    assert (turn.first_audio_at, turn.audible_at) == (2.5, 2.5)


def test_silence_before_the_first_audible_sample_is_played_first() -> None:
    turn = record()
    turn.take(speech([0] * 100), 1.0)
    turn.take(speech([200] * 50 + [-201]), 1.01)
    assert turn.first_audio_at == 1.0
    assert turn.audible_at == 1.0 + 0.1 + 0.05


def test_sound_that_is_stopped_is_kept_as_far_as_it_was_played() -> None:
    turn = record()
    turn.take(speech([300] * 1000), 1.0)
    assert [turn.played_ms(at) for at in (0.5, 1.0, 1.25, 9.0)] == [0, 0, 250, 1000]
    turn.take(SpeechPaused(turn=7), 1.2)
    turn.take(SpeechResumed(turn=7), 2.0)
    assert turn.played_ms(2.1) == 300
    turn.take(SpeechPaused(turn=7), 2.4)
    turn.take(SpeechStopped(turn=7), 3.0)
    assert turn.speech_s == 0.6
    turn.take(SpeechHeard(turn=7, session="s", reply="들은 만큼"), 3.1)
    assert turn.reply == "들은 만큼"


def test_a_late_frame_is_played_when_it_arrives() -> None:
    turn = record()
    turn.take(speech([0] * 100), 1.0)
    turn.take(speech([300]), 5.0)
    assert turn.audible_at == 5.0


def test_interruptions_of_the_turn_are_counted_and_told_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    turn, fault = record(), KILLED.fault(name="llm")
    shell = Shell.__new__(Shell)
    shell.language = "ko"
    for event in (Interrupted(turn=7, fault=fault), Interrupted(turn=8, fault=fault), Resumed(turn=7)):
        turn.take(event, 1.0)
        note_interruption(shell, turn, event)
    assert turn.interruptions == 1
    assert not turn.ended
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip().splitlines() == [
        f"[잠시 끊김: {fault.message.ko} 답변을 이어 갑니다.]",
        "[다시 이어짐]",
    ]


def test_other_turns_are_left_alone() -> None:
    turn = record()
    turn.take(Delta(turn=8, at=0, text="다른 말"), 1.0)
    turn.take(speech([9999], turn=8), 1.0)
    turn.take(Done(turn=8, session="t", finish="stop", reply="다른 말"), 1.0)
    assert (turn.reply, turn.speech_s, turn.ended) == ("", 0.0, False)
    turn.take(Heard(turn=7, text="안녕", language="ko"), 1.5)
    turn.take(Delta(turn=7, at=0, text="네"), 2.0)
    turn.take(Done(turn=7, session="s", finish="length", reply="네!"), 3.0)
    assert (turn.heard_at, turn.first_token_at, turn.reply, turn.finish) == (1.5, 2.0, "네!", "length")


@given(st.integers(1, 500), st.integers(1, 500 * BLOCK))
def test_a_moment_of_the_recording_is_found_in_its_block(blocks: int, end: int) -> None:
    microphone = Microphone(b"")
    microphone.sent = [float(number) for number in range(blocks)]
    end = min(end, blocks * BLOCK)
    block = int(microphone.sent_at(end / 16_000))
    assert block * BLOCK < end <= (block + 1) * BLOCK
    assert microphone.sent_at(None) == blocks - 1


def test_a_moment_outside_the_recording_is_its_nearest_block() -> None:
    microphone = Microphone(b"")
    microphone.sent = [1.0, 2.0]
    assert (microphone.sent_at(0.0), microphone.sent_at(99.0)) == (1.0, 2.0)


@given(st.lists(st.text(st.sampled_from('가"\\\n\x01a😀'), max_size=60), max_size=12), st.integers(1, 4000))
def test_the_parts_of_an_import_make_it_up_and_fit_messages(texts: list[str], times: int) -> None:
    messages = [{"role": "user", "content": text * times} for text in texts]
    whole = json.dumps({"version": 1, "sessions": [{"title": "긴 대화", "messages": messages}]}, ensure_ascii=False)
    packed = parts(whole)
    size = max(len(encode(ImportSessions(id=2**53, text=text, more=True)).encode()) for text in packed)
    assert size <= MAX_MESSAGE_BYTES
    assert "".join(packed) == whole
