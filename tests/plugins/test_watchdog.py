"""The watchdog and plugins' threads: who holds the loop up is named and stopped, and nobody else is."""

import asyncio
import threading
import time

import pytest

from aimark_daemon.plugins.threads import PluginStopped, in_thread
from aimark_daemon.plugins.watchdog import Watchdog


def plugin_code(source):
    """A function whose code lies in a file of a plugin."""
    space = {"time": time}
    exec(compile(source, "/plugins/slow.py", "exec"), space)
    return space["work"]


def owner(file):
    return "slow" if file.startswith("/plugins/") else None


async def watched(work, told, stop_s):
    """Run `work` in the loop under a watchdog, and let it tell what it saw."""
    heard = asyncio.Event()

    def blocked(*what):
        told.append(what)
        heard.set()

    watchdog = Watchdog(owner, blocked, blocked_s=0.05, stop_s=stop_s)
    watchdog.start()
    try:
        try:
            return work()
        finally:
            async with asyncio.timeout(20):
                await heard.wait()
    finally:
        watchdog.stop()


async def test_a_plugin_that_sleeps_in_the_loop_is_named_with_file_and_line():
    told = []
    await watched(plugin_code("def work():\n    time.sleep(0.6)"), told, stop_s=30)
    ((plugin, place, seconds),) = told
    assert (plugin, place) == ("slow", "/plugins/slow.py:2")
    assert seconds > 0


async def test_a_plugin_that_loops_for_ever_is_stopped_where_it_is():
    told = []
    forever = plugin_code(
        "def work():\n    while True:\n        try:\n            sum(())\n        except Exception:\n            pass"
    )
    with pytest.raises(PluginStopped):
        await watched(forever, told, stop_s=0.3)
    assert told[0][0] == "slow"


async def test_the_daemons_own_slow_code_is_nobodys():
    told, seen = [], threading.Event()

    def look(_file):
        seen.set()

    watchdog = Watchdog(look, lambda *what: told.append(what), blocked_s=0.01, stop_s=0.02)
    watchdog.start()
    assert seen.wait(20)
    seen.clear()
    assert seen.wait(20)
    watchdog.stop()
    assert told == []


async def test_a_thread_gives_what_its_function_returns_or_raises():
    assert await in_thread(lambda: "값", 20) == "값"
    for error in (ValueError("x"), SystemExit(2)):

        def fail(error=error):
            raise error

        with pytest.raises(type(error)):
            await in_thread(fail, 20)

    def stop():
        raise StopIteration

    with pytest.raises(RuntimeError):
        await in_thread(stop, 20)


async def test_a_thread_that_is_late_is_stopped():
    ended = threading.Event()

    def forever():
        try:
            while True:
                time.sleep(0.001)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        await in_thread(forever, 0.05)
    assert ended.wait(20)
