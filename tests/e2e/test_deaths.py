"""Deaths: a killed worker costs nothing but time, a killed daemon at most the turn it was in, and both say so."""

import asyncio
import os
import signal
import time

import pytest

from aimark_daemon.engines.crashes import CRASHES
from aimark_daemon.protocol.messages import (
    ConfigReply,
    Delta,
    Done,
    MessageInfo,
    SessionReply,
    SetConfig,
    ShowSession,
    TurnError,
)
from tests.e2e.harness import DaemonProcess, alive, ask, daemon, ready, say, status
from tests.e2e.test_closed_loop import spoken_by_piper

STARTING = ("crashed", "spawning", "loading")
LOUD = b"\x00\x20" * 16_000


@pytest.mark.models
@pytest.mark.parametrize("job", ["llm", "tts", "stt"])
async def test_a_worker_killed_in_a_turn_costs_nothing_of_the_turn(tmp_path, job):
    question = await spoken_by_piper("Tell me something about the sea.")
    async with daemon(tmp_path, config={"llm": {"temperature": 0, "max_tokens": 80}}) as process:
        async with process.connect() as client:
            pid = (await ready(client)).engines[job].pid
            killed = []

            def kill(event, _exchange):
                if isinstance(event, Delta) and not killed:
                    killed.append(os.kill(pid, signal.SIGKILL))

            if job == "stt":
                os.kill(pid, signal.SIGKILL)
                first = await say(client, question)
                assert isinstance(first.ending, Done), first.refused or first.ending
            else:
                first = await say(client, question, on_event=kill)
                assert killed
                assert isinstance(first.ending, Done)
                assert first.ending.reply == first.text
            second = await say(client, question)
            assert isinstance(second.ending, Done), second.refused or second.ending
            assert second.pcm
            assert (await status(client)).engines[job].pid not in (None, pid)


async def test_a_model_that_keeps_crashing_is_left_alone_and_the_rest_stays_up_until_it_is_tried_again(tmp_path):
    async with daemon(tmp_path, fake=True) as process, process.connect() as client:
        pid = (await ready(client)).engines["llm"].pid
        for _ in range(2 * CRASHES):
            assert isinstance((await ask(client, "안녕")).ending, Done)
            os.kill(pid, signal.SIGABRT)
            async with asyncio.timeout(20):
                while (engine := (await status(client)).engines["llm"]).pid == pid or engine.state in STARTING:
                    await asyncio.sleep(0.02)
            pid = engine.pid
        now = await status(client)
        assert now.state == "degraded"
        assert (now.engines["llm"].state, now.engines["llm"].fault.code) == ("failed", "worker_keeps_crashing")
        refused = (await ask(client, "안녕")).ending
        assert isinstance(refused, TurnError)
        assert refused.fault == now.engines["llm"].fault
        assert isinstance((await ask(client, "/help", speak=True)).ending, Done)
        assert (await say(client, LOUD)).heard.text == "Hello."
        await client.request(SetConfig(id=0, key="llm.context", value=2048), ConfigReply)
        await ready(client)
        assert isinstance((await ask(client, "다시")).ending, Done)


async def test_a_killed_daemon_takes_its_workers_with_it_and_keeps_every_word(tmp_path):
    reply = "낱말 " * 2000
    process = DaemonProcess(tmp_path, fake=True)
    await process.start()
    try:
        async with process.connect() as client:
            now = await ready(client)
            pids = [engine.pid for engine in now.engines.values()]
            first = await ask(client, "첫째 질문")
            session = first.started.session
        process.kill()
        async with asyncio.timeout(10):
            while any(alive(pid) for pid in pids):
                await asyncio.sleep(0.05)
        await process.start()
        async with process.connect() as client:
            shown = await client.request(ShowSession(id=0, session=session), SessionReply)
            assert [(m.role, m.content) for m in shown.messages] == [
                ("user", "첫째 질문"),
                ("assistant", "You said: 첫째 질문"),
            ]
            await ready(client)
            assert isinstance((await ask(client, reply[:100], session=session)).ending, Done)
    finally:
        process.kill(signal.SIGTERM)


@pytest.mark.models
async def test_an_answer_cut_off_by_a_crash_of_the_daemon_is_marked_at_the_next_start(tmp_path):
    process = DaemonProcess(tmp_path, config={"llm": {"temperature": 0, "max_tokens": 3500}})
    await process.start()
    try:
        async with process.connect() as client:
            await ready(client)
            seen = {}

            def crash(event, exchange):
                if isinstance(event, Delta):
                    seen["session"], seen["text"] = exchange.started.session, exchange.text
                    # What was streamed is stored at least once a second.
                    if time.monotonic() - seen.setdefault("first", time.monotonic()) > 1.5:
                        process.kill()

            with pytest.raises(Exception, match="daemon_lost"):
                await ask(client, "Tell me a very long story about a cat and a dog.", on_event=crash)
        await process.start()
        async with process.connect() as client:
            shown = await client.request(ShowSession(id=0, session=seen["session"]), SessionReply)
            cut: MessageInfo = shown.messages[-1]
            assert cut.state == "interrupted"
            assert cut.content
            assert seen["text"].startswith(cut.content)
    finally:
        process.kill(signal.SIGTERM)


async def test_a_stopped_daemon_leaves_no_process_and_no_address(tmp_path):
    async with daemon(tmp_path, fake=True) as process:
        async with process.connect() as client:
            pids = [engine.pid for engine in (await ready(client)).engines.values()]
        process.kill(signal.SIGTERM)
        assert process.process.returncode == 0
        assert not [pid for pid in pids if alive(pid)]
        assert not (process.paths.runtime / "daemon.json").exists()
