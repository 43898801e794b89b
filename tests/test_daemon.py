"""The daemon as a whole, over fake engines: what it does while it runs."""

import asyncio

import pytest

from aimark_daemon import housekeeping as module
from aimark_daemon.housekeeping import keep_house
from aimark_daemon.protocol.messages import ConfigReply, GetStatus, SetConfig, StatusReply
from tests.e2e.harness import ask, daemon, ready


async def test_house_is_kept_for_as_long_as_the_daemon_runs_also_after_a_failure(monkeypatch):
    monkeypatch.setattr(module, "_HOUSEKEEPING_S", 0.0)
    enough, done = asyncio.Event(), []

    class Store:
        async def purge(self, _before):
            done.append("purge")
            if len(done) == 1:
                raise OSError("no space left")

        async def backup_if_due(self, _age):
            done.append("backup")
            if len(done) > 5:
                enough.set()

    task = asyncio.create_task(keep_house(Store()))
    async with asyncio.timeout(20):
        await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done[:6] == ["purge", "purge", "backup", "purge", "backup", "purge"]


async def test_the_log_level_changes_while_the_daemon_runs(tmp_path):
    async with daemon(tmp_path, fake=True) as process, process.connect() as client:
        await ready(client)
        log = process.paths.logs / "daemon.log"
        first = await ask(client, "하나")
        await client.request(SetConfig(id=0, key="log.level", value="error"), ConfigReply)
        second = await ask(client, "둘")
        await client.request(SetConfig(id=0, key="log.level", value="info"), ConfigReply)
        third = await ask(client, "셋")
        text = log.read_text(encoding="utf-8")
        asked = [f"turn {exchange.started.turn} asked" in text for exchange in (first, second, third)]
        assert asked == [True, False, True]


async def test_the_voice_is_switched_off_and_on_while_the_daemon_runs(tmp_path):
    async with daemon(tmp_path, fake=True) as process, process.connect() as client:
        await ready(client)
        for spoken, state in ((False, "absent"), (True, "ready")):
            await client.request(SetConfig(id=0, key="tts.enabled", value=spoken), ConfigReply)
            await ready(client)
            status = (await client.request(GetStatus(id=0), StatusReply)).status
            assert (status.state, status.engines["tts"].state) == ("ready", state)
