"""Checkpoints: the answer is stored while it comes, and no word of it waits for the disk."""

import asyncio

import pytest

from aimark_daemon.protocol.messages import Done
from aimark_daemon.store.faults import DATABASE_BUSY
from tests.assistant.stage import Ear, stage

ANSWER = "가나다라 " * 30


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr("aimark_daemon.assistant.checkpoints.CHECKPOINT_S", 0.0)


@pytest.mark.usefixtures("often")
async def test_a_checkpoint_that_fails_does_not_end_a_healthy_answer(tmp_path, caplog):
    async with stage(tmp_path, llm={"default": ANSWER}) as it:

        async def busy(*_):
            raise DATABASE_BUSY(path="sessions.db", detail="a backup program holds it")

        it.store.checkpoint = busy
        ear = Ear()
        done = await ear.ending(await it.say("이야기해 줘", ear))
        assert isinstance(done, Done)
        assert done.reply == ANSWER
        assert "could not be stored while it is answered" in caplog.text
        assert [message.content for message in await it.store.messages(done.session)] == ["이야기해 줘", ANSWER]


@pytest.mark.usefixtures("often")
async def test_words_do_not_wait_for_a_checkpoint_and_only_one_is_under_way(tmp_path):
    async with stage(tmp_path, llm={"default": ANSWER}) as it:
        begun, go = [], asyncio.Event()
        checkpoint = it.store.checkpoint

        async def held(turn, reply):
            begun.append(reply)
            await go.wait()
            await checkpoint(turn, reply)

        it.store.checkpoint = held
        ear = Ear()
        turn = await it.say("이야기해 줘", ear)
        done = await ear.ending(turn)
        assert isinstance(done, Done)
        assert len(begun) == 1
        assert ANSWER.startswith(begun[0])
        go.set()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == f"checkpoint of turn {turn}"))
        assert (await it.store.messages(done.session))[-1].content == ANSWER, "one that comes too late changes nothing"
