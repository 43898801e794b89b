"""The daemon: builds every part, starts them in order, and stops them in the exact reverse."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from aimark_daemon import __version__
from aimark_daemon.assistant import Assistant, Listener
from aimark_daemon.config import Loaded, changes, set_value
from aimark_daemon.config.schema import config_schema
from aimark_daemon.engine_specs import fake_spec
from aimark_daemon.errors import Fault
from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.telemetry import Sampler
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.models.store import ModelStore
from aimark_daemon.paths import Paths
from aimark_daemon.plugins.host import PluginHost, bundled_folder
from aimark_daemon.protocol import messages as m
from aimark_daemon.provision import Progress, Provision
from aimark_daemon.roster import JOBS, Job, Roster
from aimark_daemon.runtime import Instance
from aimark_daemon.server.auth import Auth
from aimark_daemon.server.dispatch import Dispatch
from aimark_daemon.server.server import Server
from aimark_daemon.store import AsyncStore
from aimark_daemon.workers.base import WorkerState
from aimark_daemon.workers.supervisor import Supervisor

log = logging.getLogger("aimark.daemon")

_BACKUP_AGE = timedelta(days=1)
_KEEP_DELETED = timedelta(days=30)
"""How long a deleted session can be restored."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line decides for one run."""

    port: int | None = None
    """Instead of the configured one; 0 takes any free port."""
    fake_engines: bool = False
    """Fakes instead of models: for tests of clients."""


class Daemon:
    """One running daemon. `ready` is called once with the page's address when it answers; `progress` with downloads."""

    def __init__(
        self,
        paths: Paths,
        loaded: Loaded,
        options: Options,
        *,
        ready: Callable[[str], None],
        progress: Progress,
        engine_changed: Callable[[Job, m.EngineInfo], None] = lambda job, info: None,  # noqa: ARG005 - the default
    ) -> None:
        self._paths = paths
        self._loaded = loaded
        self._options = options
        self._ready = ready
        self._progress = progress
        self._engine_changed = engine_changed
        self._began = time.monotonic()
        self._warnings: list[Fault] = []
        self._stopping = asyncio.Event()
        self._store: AsyncStore
        self._server: Server
        self._assistant: Assistant
        self._dispatch: Dispatch
        self._sampler: Sampler
        self._provision: Provision
        self._roster: Roster
        self._loader: LlmLoader

    @property
    def in_use(self) -> bool:
        """Whether a client is connected, or a turn that it left behind still runs."""
        return bool(self._dispatch.clients) or self._assistant.busy

    async def run(self) -> None:
        """Run until `shutdown` or a signal.

        Raises:
            AimarkError: it could not start - another one runs, the port is taken, the database is broken.
        """
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._ready(self._server.page_url())
            await self._stopping.wait()
            log.info("stopping")

    async def _start(self, stack: AsyncExitStack) -> None:
        instance = Instance.acquire(self._paths.runtime)
        stack.callback(instance.release)
        self._store, damage = await AsyncStore.open(self._paths.database)
        stack.push_async_callback(self._store.close)
        self._warnings = [*self._loaded.warnings, *([damage] if damage is not None else [])]
        if interrupted := await self._store.mark_interrupted():
            log.warning("%d turns were cut off by the last end of the daemon", interrupted)

        self._loader = LlmLoader(
            gpus=lambda: self._sampler.gpus(),  # noqa: PLW0108 - there is no sampler yet
            plans=LastGoodPlans(self._paths.data / "plans.json"),
            reserve=lambda: self._loaded.config.llm.vram_reserve_mb * 1_000_000,
        )
        self._roster = Roster(lambda spec: Supervisor(spec, remedy=self._loader.remedy if spec.name == "llm" else None))
        stack.push_async_callback(self._roster.stop)
        host = PluginHost(self._loaded.config.plugins.disabled)
        host.load_folder(bundled_folder())
        host.load_folder(self._paths.plugins)
        self._assistant = Assistant(
            store=self._store,
            roster=self._roster,
            host=host,
            config=lambda: self._loaded.config,
            publish=self._publish,
            clock=time.monotonic,
        )
        stack.push_async_callback(self._assistant.stop)
        self._dispatch = Dispatch(self._assistant, self._store, self)
        self._sampler = Sampler(
            interval=lambda: self._loaded.config.telemetry.interval_s,
            wanted=lambda: any("telemetry" in client.topics for client in self._dispatch.clients),
            publish=lambda sample: self._publish("telemetry", sample),
            tokens_per_s=lambda: self._assistant.tokens_per_s,
        )
        self._provision = Provision(
            roster=self._roster,
            models=ModelStore(self._paths.models),
            config=lambda: self._loaded.config,
            gpus=self._sampler.gpus,
            progress=self._progress,
            loader=self._loader,
        )
        stack.callback(self._provision.stop)
        self._roster.on_change(lambda job, info: self._publish("engines", m.EngineChanged(engine=job, info=info)))
        self._roster.on_change(self._engine_changed)
        self._roster.on_change(lambda job, info: self._loader.heard(info) if job == "llm" else None)

        port = self._loaded.config.server.port if self._options.port is None else self._options.port
        self._server = Server(self._dispatch, Auth(self._paths.token, clock=time.monotonic, wall=time.time), port=port)
        await self._server.start()
        stack.push_async_callback(self._server.stop)
        instance.publish(self._server.port, __version__)

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.shutdown)
            except NotImplementedError:  # Windows: the default handler raises KeyboardInterrupt, which ends run()
                break
        for task in (self._sampler.run(), self._supply(JOBS)):
            stack.push_async_callback(_end, asyncio.create_task(task))
        for warning in self._warnings:
            log.warning("%s %s", warning.message.en, warning.detail)
        await self._store.backup_if_due(_BACKUP_AGE)
        await self._store.purge(datetime.now(UTC) - _KEEP_DELETED)

    async def _supply(self, jobs: tuple[Job, ...]) -> None:
        if self._options.fake_engines:
            await asyncio.gather(*(self._roster.assign(job, fake_spec(job)) for job in jobs))
        else:
            await self._provision.supply(jobs)

    def _publish(self, topic: m.Topic, event: m.Event, besides: Listener | None = None) -> None:
        self._dispatch.publish(topic, event, besides)

    # What clients may ask of the daemon as a whole: the `Controls` of the dispatch

    async def status(self) -> m.Status:
        """The daemon at a glance."""
        infos = self._roster.infos()
        if self._stopping.is_set():
            state = "stopping"
        elif not self._roster.settled():
            state = "starting"
        elif all(info.state in (WorkerState.READY, WorkerState.BUSY) for info in infos.values()):
            state = "ready"
        else:
            state = "degraded"
        return m.Status(
            state=state,
            version=__version__,
            pid=os.getpid(),
            port=self._server.port,
            engines=dict(infos.items()),
            gpu=self._sampler.gpus(),
            sessions=await self._store.count_sessions(),
            uptime_s=round(time.monotonic() - self._began, 1),
        )

    async def models(self) -> tuple[m.ModelInfo, ...]:
        """The catalogue with what is installed and used."""
        return await self._provision.list()

    async def pull_model(self, model: str, progress: Callable[[int, int], None]) -> None:
        """Download a model; jobs that had none take it."""
        await self._provision.pull(model, progress)
        for info in await self.models():
            if info.id == model and self._roster.info(_job(info.kind)).state == WorkerState.ABSENT:
                await self._supply((_job(info.kind),))

    async def use_model(self, model: str) -> None:
        """Choose an installed model and load it."""
        job = self._provision.job_of(model, await self.models())
        await self.set_config(f"{job}.model", model)

    async def remove_model(self, model: str) -> None:
        """Delete an installed model."""
        await self._provision.remove(model)

    async def config(self) -> m.ConfigReply:
        """The configuration in force."""
        return m.ConfigReply(id=0, values=msgspec.to_builtins(self._loaded.config), schema=config_schema())

    async def set_config(self, key: str, value: object) -> tuple[str, ...]:
        """Change a value; engines it concerns are loaded again. Returns the keys that wait for a restart."""
        before = self._loaded.config
        self._loaded = await asyncio.to_thread(set_value, self._loaded, key, value)
        changed = changes(before, self._loaded.config)
        if jobs := tuple(job for job in JOBS if job in changed.engines):
            await self._supply(jobs)
        return changed.restart

    def page_address(self) -> str:
        """The page's address with a fresh log-in code."""
        return self._server.page_url()

    def shutdown(self) -> None:
        """Stop soon."""
        self._stopping.set()


def _job(kind: str) -> Job:
    return next(job for job in JOBS if job == kind)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    for result in await asyncio.gather(task, return_exceptions=True):
        if isinstance(result, Exception):
            log.error("a background task failed", exc_info=result)
