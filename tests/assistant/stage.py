"""A stage for turns: the real assistant, store and plugin host over fake engines in this process."""

import asyncio
import contextlib
import time

from aimark_daemon.assistant import Assistant
from aimark_daemon.config.types import Config
from aimark_daemon.engine_specs import fake_spec
from aimark_daemon.plugins.entries import Places
from aimark_daemon.plugins.host import PluginHost
from aimark_daemon.plugins.service import Plugins
from aimark_daemon.plugins.sources import bundled_folder
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import Cancelled, Delta, Done, TurnError
from aimark_daemon.roster import JOBS, Roster
from aimark_daemon.store import AsyncStore
from aimark_daemon.workers.host import make_engine
from aimark_daemon.workers.inline import InlineWorker

ENDINGS = (Done, Cancelled, TurnError)


class Ear:
    """A client that remembers everything."""

    def __init__(self, language="en"):
        self.language = language
        self.events = []
        self.frames = []
        self._news = asyncio.Event()

    def send(self, event):
        self.events.append(event)
        self._news.set()

    def send_audio(self, frame):
        self.frames.append(frame)
        self._news.set()

    def of(self, *kinds):
        return [event for event in self.events if isinstance(event, kinds)]

    def endings(self, turn=None):
        return [event for event in self.of(*ENDINGS) if turn in (None, event.turn)]

    async def until(self, condition):
        """Wait until `condition()` holds; a condition that never holds fails the test."""
        async with asyncio.timeout(20):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def ending(self, turn):
        await self.until(lambda: self.endings(turn))
        return self.endings(turn)[0]

    def text(self, turn):
        """The answer put together from its deltas, each of which must begin where the last one ended."""
        text = ""
        for delta in self.of(Delta):
            if delta.turn == turn:
                assert delta.at == len(text)
                text += delta.text
        return text


class Stage:
    def __init__(self, store, roster, engines, assistant, published, plugins, told):
        self.store, self.roster, self.engines, self.assistant = store, roster, engines, assistant
        self.plugins, self.host, self.told = plugins, plugins.host, told
        self.published = published

    async def say(self, text, ear, **arguments):
        arguments = {"session": None, "speak": False, **arguments}
        return await self.assistant.submit(text, listener=ear, **arguments)

    async def speak_into(self, ear, pcm, stream=1, session=None, language="auto"):
        await self.assistant.listen(ear, stream, language=language, session=session)
        for number, start in enumerate(range(0, len(pcm), 640)):
            frame = AudioFrame(FrameKind.MICROPHONE, stream, number, pcm[start : start + 640])
            await self.assistant.hear(ear, frame)
        return await self.assistant.end_listening(ear, stream, session=session, speak=True)


@contextlib.asynccontextmanager
async def stage(
    folder,
    *,
    config=None,
    llm=None,
    stt=None,
    tts=None,
    absent=None,
    worker=InlineWorker,
    specs=None,
    plugin_folder=None,
):
    """The stage, set up and taken down again. `llm`, `stt`, `tts` are settings of the fakes; `absent` job -> fault.

    `worker(spec, engine)` makes the workers; `specs` job -> spec instead of that of a fake. `plugin_folder` holds
    plugins beside the bundled ones.
    """
    store, _ = await AsyncStore.open(folder / "sessions.db")
    engines = {}

    def make_worker(spec):
        engines[spec.name] = make_engine(spec.engine)
        return worker(spec, engines[spec.name])

    roster = Roster(make_worker)
    told, published = [], []
    host = PluginHost(
        Places(bundled=bundled_folder(), folder=plugin_folder), (config or Config()).plugins, tell=told.append
    )
    plugins = Plugins(host)
    await host.load()

    def publish(topic, event, besides=None):
        published.append((topic, event))
        plugins.observe(event)

    assistant = Assistant(
        store=store,
        roster=roster,
        plugins=plugins,
        config=lambda: config or Config(),
        publish=publish,
        clock=time.monotonic,
    )
    for job, settings in zip(JOBS, (llm, stt, tts), strict=True):
        if absent and job in absent:
            await roster.set_absent(job, absent[job])
        else:
            await roster.assign(job, (specs or {}).get(job) or fake_spec(job, settings))
    watching = asyncio.create_task(plugins.run(lambda: assistant.busy))
    try:
        yield Stage(store, roster, engines, assistant, published, plugins, told)
    finally:
        await assistant.stop()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await host.stop()
        await roster.stop()
        await store.close()
