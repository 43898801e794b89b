"""The configuration in force: what clients set and what people edit is applied, what is wrong is told."""

import asyncio
import contextlib
import json

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.config import keeper as module
from aimark_daemon.config import load_config
from aimark_daemon.config.keeper import ConfigKeeper


class Log:
    def __init__(self):
        self.applied, self.told, self.standing = [], [], set()
        self.news = asyncio.Event()

    async def apply(self, changed):
        self.applied.append(changed)
        self.news.set()

    def tell(self, fault):
        self.told.append(fault.code)
        self.standing.add(fault.code)
        self.news.set()

    def forget(self, code):
        self.standing.discard(code)


@contextlib.asynccontextmanager
async def kept(path, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    log = Log()
    keeper = ConfigKeeper(load_config(path), apply=log.apply, tell=log.tell, forget=log.forget)
    watch = asyncio.create_task(keeper.watch())
    try:
        yield keeper, log
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


def edit(path, text):
    """Save like an editor, so that nobody reads half of it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


async def news(log):
    async with asyncio.timeout(10):
        await log.news.wait()
    log.news.clear()


async def test_a_value_that_a_client_sets_is_in_force_and_in_the_file(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    async with kept(path, monkeypatch) as (keeper, log):
        assert await keeper.set("llm.history_turns", 3) == ()
        assert keeper.config.llm.history_turns == 3
        assert json.loads(path.read_text())["llm"]["history_turns"] == 3
        assert [changed.live for changed in log.applied] == [("llm.history_turns",)]
        assert await keeper.set("server.port", 9000) == ("server.port",)


async def test_an_edited_file_is_taken_up(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    path.write_text("{}")
    async with kept(path, monkeypatch) as (keeper, log):
        edit(path, '{"llm": {"temperature": 0.25, "model": "other"}}')
        await news(log)
        assert keeper.config.llm.temperature == 0.25
        assert log.applied[0].engines == {"llm"}


async def test_a_broken_edit_is_told_and_the_old_values_stay(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    path.write_text('{"llm": {"history_turns": 4}}')
    async with kept(path, monkeypatch) as (keeper, log):
        edit(path, '{"llm": {"history_turns": "네 번"}}')
        await news(log)
        assert log.told == ["config_invalid"]
        assert keeper.config.llm.history_turns == 4
        edit(path, '{"llm": {"history_turns": 5}, "모델": 1}')
        await news(log)
        assert log.told[1:] == ["config_key_ignored"]
        assert keeper.config.llm.history_turns == 5


async def test_what_was_told_of_a_file_is_forgotten_when_it_is_corrected(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    path.write_text("{}")
    async with kept(path, monkeypatch) as (_, log):
        edit(path, "{")
        await news(log)
        assert log.standing == {"config_broken"}
        edit(path, '{"langage": "ko"}')
        await news(log)
        assert log.standing == {"config_key_ignored"}
        edit(path, '{"language": "ko"}')
        await news(log)
        assert log.standing == set()


async def test_a_change_that_waits_for_a_restart_is_told_until_it_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    path.write_text("{}")
    async with kept(path, monkeypatch) as (keeper, log):
        edit(path, '{"server": {"port": 8757}}')
        await news(log)
        assert log.standing == {"restart_needed"}
        await keeper.set("llm.history_turns", 3)
        assert log.told == ["restart_needed"], "once is enough"
        await keeper.set("download_starter_models", value=False)
        assert log.told == ["restart_needed", "restart_needed"], "another one waits as well"
        await keeper.set("server.port", 8756)
        await keeper.set("download_starter_models", value=True)
        assert log.standing == set()


async def test_a_wrong_value_changes_nothing(tmp_path, monkeypatch):
    async with kept(tmp_path / "config.json", monkeypatch) as (keeper, log):
        with pytest.raises(AimarkError):
            await keeper.set("llm.top_p", 7)
        assert keeper.config.llm.top_p == 0.9
        assert not log.applied
        assert not (tmp_path / "config.json").exists()
