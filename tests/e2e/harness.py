"""A real daemon process in a folder of its own, and what tests do with it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from aimark_daemon.client import connect
from aimark_daemon.paths import Paths
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import (
    Cancelled,
    Delta,
    Done,
    EndListen,
    GetStatus,
    Heard,
    Listen,
    Listening,
    Ok,
    Refused,
    SpeechStarted,
    StatusReply,
    Submit,
    TurnError,
    TurnStarted,
)
from aimark_daemon.runtime import find_daemon
from aimark_daemon.server.token import read_token
from tests.starter import installed, model_cache

STARTER = ("qwen2.5-coder-0.5b-instruct-q4_k_m", "whisper-base-int8", "piper-en-us-joe-medium")
ENDINGS = (Done, Cancelled, TurnError)
BLOCK = 640


class DaemonProcess:
    """A daemon that runs. `home` is its AIMARK_HOME."""

    def __init__(self, home, *, fake=False, config=None):
        self.home = Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        settings = {"server": {"port": 0, "open_browser": False}, **(config or {})}
        if not fake:
            for model in STARTER:
                installed(model)
            settings["paths"] = {"models": str(model_cache())}
        (self.home / "config.json").write_text(json.dumps(settings))
        self.environment = {**os.environ, "AIMARK_HOME": str(self.home), "AIMARK_FAKE_ENGINES": "1" if fake else ""}
        self.paths = Paths.of(self.environment)
        self.process = None
        self.port = 0

    async def start(self, port=0):
        command = [sys.executable, "-m", "aimark_daemon", "run", "--no-browser", "--no-desktop", "--port", str(port)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - outlives the loop
        async with asyncio.timeout(30):
            while (address := find_daemon(self.paths.runtime)) is None or address.pid != self.process.pid:
                assert self.process.poll() is None, "the daemon ended while it started"
                await asyncio.sleep(0.05)
        self.port = address.port

    def kill(self, number=signal.SIGKILL):
        """End it like a crash (or by another signal), and reap it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(15)

    def connect(self, language="en"):
        return connect(self.port, read_token(self.paths.token), name="test", language=language)


@contextlib.asynccontextmanager
async def daemon(home, **arguments):
    """A daemon that runs until the block ends."""
    process = DaemonProcess(home, **arguments)
    try:
        await process.start()
        yield process
    finally:
        process.kill(signal.SIGTERM)


async def status(client):
    return (await client.request(GetStatus(id=0), StatusReply)).status


async def ready(client, seconds=90):
    """Wait until every engine is loaded."""
    async with asyncio.timeout(seconds):
        while (now := await status(client)).state == "starting":
            await asyncio.sleep(0.1)
    assert now.state == "ready", now
    return now


def alive(pid):
    """Whether the process runs. An orphan that nobody reaps yet, as in a container without init, does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Exchange:
    """What came of one utterance."""

    def __init__(self):
        self.started = self.heard = self.ending = self.refused = None
        self.text = ""
        self.rate = 0
        self.pcm = b""


async def follow(client, *, stream=None, on_event=lambda event, exchange: None):
    """Collect one turn until it ends (or until the stream `stream` is refused)."""
    exchange = Exchange()
    async with asyncio.timeout(120):
        async for event in client.events():
            match event:
                case AudioFrame():
                    exchange.pcm += event.pcm
                case TurnStarted():
                    exchange.started = event
                case Heard():
                    exchange.heard = event
                case Delta():
                    assert event.at == len(exchange.text)
                    exchange.text += event.text
                case SpeechStarted():
                    exchange.rate = event.sample_rate
                case Refused() if event.id == stream:
                    exchange.refused = event.fault
                    return exchange
            on_event(event, exchange)
            if isinstance(event, ENDINGS) and exchange.started and event.turn == exchange.started.turn:
                exchange.ending = event
                return exchange
    raise AssertionError("the connection ended before the turn")


async def ask(client, text, *, session=None, speak=False, **arguments):
    await client.request(Submit(id=0, text=text, session=session, speak=speak), TurnStarted)
    return await follow(client, **arguments)


async def say(client, pcm, *, session=None, **arguments):
    """Speak into the microphone, faster than real time, and release the key."""
    stream = client.next_id()
    await client.request(Listen(id=stream, session=session), Listening)
    for number, start in enumerate(range(0, len(pcm), BLOCK)):
        await client.send_audio(AudioFrame(FrameKind.MICROPHONE, stream, number, pcm[start : start + BLOCK]))
    await client.request(EndListen(id=0, listen=stream), Ok)
    return await follow(client, stream=stream, **arguments)
