"""Reading aloud: a stored message spoken to the one who asked, until it ends, is stopped, or its client leaves."""

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.protocol.messages import SpeechClause, SpeechEnded, SpeechStarted
from tests.assistant.stage import Ear, stage


async def answered(it, ear, text):
    turn = await it.assistant.submit(text, session=None, speak=False, listener=ear)
    session = (await ear.ending(turn)).session
    return session, (await it.store.messages(session))[1]


async def test_a_message_is_spoken_whole_to_the_one_who_asked(tmp_path):
    async with stage(tmp_path) as it:
        ear, other = Ear(), Ear()
        session, answer = await answered(it, other, "하나. 둘. 셋.")
        stream = await it.assistant.read_aloud(ear, session, answer.id)
        await ear.until(lambda: ear.of(SpeechEnded))
        assert stream >= 2**31
        assert {event.turn for event in ear.of(SpeechStarted, SpeechClause, SpeechEnded)} == {stream}
        assert "".join(clause.text for clause in ear.of(SpeechClause)) == answer.content
        assert [frame.sequence for frame in ear.frames] == list(range(len(ear.frames)))
        assert sum(len(frame.pcm) // 2 for frame in ear.frames) == ear.of(SpeechEnded)[0].samples
        assert not other.frames
        it.assistant.cancel(stream)
        assert not ear.endings(stream)


async def test_a_new_reading_ends_the_one_before_and_a_cancel_falls_silent(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        session, answer = await answered(it, ear, "하나. 둘. 셋.")
        first = await it.assistant.read_aloud(ear, session, answer.id)
        second = await it.assistant.read_aloud(ear, session, answer.id)
        assert first != second
        it.assistant.cancel(first)
        it.assistant.cancel(second)
        third = await it.assistant.read_aloud(ear, session, answer.id)
        await ear.until(lambda: any(ended.turn == third for ended in ear.of(SpeechEnded)))
        streams = [frame.stream for frame in ear.frames]
        assert second not in streams
        assert streams == sorted(streams)


async def test_nothing_is_read_to_who_left(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        session, answer = await answered(it, ear, "하나. 둘.")
        await it.assistant.read_aloud(ear, session, answer.id)
        it.assistant.forget(ear)
        await it.assistant.stop()
        assert not ear.frames


async def test_a_message_of_another_conversation_is_not_read(tmp_path):
    async with stage(tmp_path) as it:
        ear = Ear()
        _, answer = await answered(it, ear, "하나")
        other, _ = await answered(it, ear, "둘")
        with pytest.raises(AimarkError, match="message_unknown"):
            await it.assistant.read_aloud(ear, other, answer.id)
