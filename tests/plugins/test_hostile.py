"""Hostile plugins cannot take the daemon, a turn or another plugin down, and each is named with what it did."""

import asyncio
import threading

import pytest

from aimark_daemon.config.types import Config, PluginsConfig
from aimark_daemon.plugins import loading, service, watchdog
from aimark_daemon.protocol.messages import Done, TurnError
from tests.assistant.stage import Ear, stage
from tests.plugins.hostile import AT_LOADING, HOSTILE, UNREADABLE
from tests.plugins.hosts import GOOD, states, why, write

CONFIG = Config(plugins=PluginsConfig(settings={"bad_settings": {"days": "many"}}))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of hostile plugins and a good one, with short time-outs."""
    monkeypatch.setattr(loading, "IMPORT_S", 0.5)
    monkeypatch.setattr(service, "CONTEXT_S", 0.05)
    folder = tmp_path / "plugins"
    folder.mkdir()
    write(folder, m_good=GOOD, **HOSTILE)
    (folder / f"{UNREADABLE}.py").symlink_to(tmp_path / "nowhere")
    return folder


def short_watchdog(monkeypatch):
    class Short(watchdog.Watchdog):
        def __init__(self, owner, blocked):
            super().__init__(owner, blocked, blocked_s=0.1, stop_s=0.4)

    monkeypatch.setattr(service, "Watchdog", Short)


async def test_hostile_plugins_leave_the_daemon_a_turn_and_a_good_plugin_alone(tmp_path, folder, monkeypatch):
    short_watchdog(monkeypatch)
    async with stage(tmp_path, config=CONFIG, plugin_folder=folder) as on:
        found = states(on.plugins)
        for name, code in AT_LOADING.items():
            assert (found[name], why(on.plugins, name)) == ("failed", code)
        assert {name for name, state in found.items() if state == "active"} == {
            *(set(HOSTILE) - set(AT_LOADING)),
            "m_good",
            "title",
        }
        ear = Ear("ko")
        said = await ear.ending(await on.say("/안녕 지우", ear))
        assert (type(said), said.reply) == (Done, "hi 지우")
        answered = await ear.ending(await on.say("서울은 어디인가요?", ear, speak=True))
        assert (type(answered), answered.finish) == (Done, "stop")
        flooded = await ear.ending(await on.say("/flood", ear))
        assert (type(flooded), flooded.fault.code) == (TurnError, "plugin_flooded")
        looped = await ear.ending(await on.say("고리 고리", ear))
        assert type(looped) is Done
        told = {fault.code: fault for fault in on.told}
        assert "plugin_blocked" in told
        assert any("loops.py:5" in fault.message.ko for fault in on.told if fault.code == "plugin_blocked")
        again = await ear.ending(await on.say("/hello", ear))
        assert again.reply == "hi you"
        assert {"m_good", "title"} <= {name for name, state in states(on.plugins).items() if state == "active"}


async def test_a_task_that_exits_the_interpreter_ends_alone(tmp_path, folder):
    async with stage(tmp_path, config=CONFIG, plugin_folder=folder) as on:
        while on.plugins.host.tasks.of("exits_later"):
            await asyncio.sleep(0)
        assert states(on.plugins)["m_good"] == "active"


async def test_leaked_tasks_are_bounded_and_end_with_their_plugin(tmp_path, folder):
    async with stage(tmp_path, config=CONFIG, plugin_folder=folder) as on:
        assert on.plugins.host.tasks.of("leaks") == []
        leaks = next(entry for entry in on.plugins.host.entries if entry.found.name == "leaks")
        assert "200 tasks" in leaks.fault.message.en


async def test_a_loop_at_import_ends_its_thread(tmp_path, folder):
    async with stage(tmp_path, config=CONFIG, plugin_folder=folder):
        async with asyncio.timeout(20):
            while any(thread.name == "plugin" for thread in threading.enumerate()):
                await asyncio.sleep(0.01)
