"""The daemon: builds every part, starts them in order, and stops them in the exact reverse."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aimark_daemon import __version__
from aimark_daemon.assistant import Assistant, Listener
from aimark_daemon.config import Changes, Loaded
from aimark_daemon.config.keeper import ConfigKeeper
from aimark_daemon.config.types import LogConfig, keep_alive_s
from aimark_daemon.controls import DaemonControls
from aimark_daemon.errors import Fault
from aimark_daemon.game import GameSwitch
from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.plan import Wish
from aimark_daemon.gpu.telemetry import Sampler, Work
from aimark_daemon.housekeeping import keep_house
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.models.store import ModelStore
from aimark_daemon.neighbour import GoodNeighbour, hearing_spec
from aimark_daemon.paths import Paths
from aimark_daemon.plugins.entries import Places
from aimark_daemon.plugins.host import PluginHost
from aimark_daemon.plugins.service import Plugins
from aimark_daemon.plugins.sources import bundled_folder
from aimark_daemon.protocol import messages as m
from aimark_daemon.provision import Progress, Provision
from aimark_daemon.roster import JOBS, Job, Roster
from aimark_daemon.runtime import Instance
from aimark_daemon.server.auth import Auth
from aimark_daemon.server.dispatch import Dispatch
from aimark_daemon.server.server import Server
from aimark_daemon.store import AsyncStore
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.crashes import CrashRemedy, OffCard
from aimark_daemon.workers.parking import Parking
from aimark_daemon.workers.supervisor import Supervisor

log = logging.getLogger("aimark.daemon")

PLUGINS_S = 2.0
"""How long the port stays closed for plugins that take their time to load."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line decides for one run."""

    port: int | None = None
    """Instead of the configured one; 0 takes any free port."""
    fake_engines: bool = False
    """Fakes instead of models: for tests of clients."""
    safe_mode: bool = False
    """Only the plugins that come with the program."""
    only_plugins: frozenset[str] | None = None
    """Only these plugins; None for all."""


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
        self._standing: dict[tuple[str, str], Fault] = {}
        """What people should know, also those who come later."""
        self._stopping = asyncio.Event()
        self._keeper: ConfigKeeper
        self._store: AsyncStore
        self._server: Server
        self._assistant: Assistant
        self._dispatch: Dispatch
        self._sampler: Sampler
        self._provision: Provision
        self._roster: Roster
        self._loader: LlmLoader
        self._plugins: Plugins
        self._switch: GameSwitch
        self._parking: Parking
        self._neighbour: GoodNeighbour

    @property
    def in_use(self) -> bool:
        """Whether a client is connected, or a turn that it left behind still runs."""
        return bool(self._dispatch.clients) or self._assistant.busy

    @property
    def clients_seen(self) -> int:
        """How many clients have said hello so far, those that have left included."""
        return self._dispatch.greeted

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
        if damage is not None:
            self._tell(damage)
        if interrupted := await self._store.mark_interrupted():
            log.warning("%d turns were cut off by the last end of the daemon", interrupted)

        self._switch = GameSwitch(self._paths.runtime)
        self._parking = Parking(self._paths.runtime)
        self._parking.clear()
        stack.callback(self._parking.clear)
        self._loader = LlmLoader(
            gpus=lambda: self._sampler.cards(),  # noqa: PLW0108 - there is no sampler yet
            plans=LastGoodPlans(self._paths.data / "plans.json"),
            reserve=lambda: self._keeper.config.llm.vram_reserve_mb * 1_000_000,
            away=lambda: reasons.game_mode() if self._switch.on else None,
        )
        self._roster = Roster(self._supervisor)
        stack.push_async_callback(self._roster.stop)
        self._keeper = ConfigKeeper(self._loaded, apply=self._apply, tell=self._tell, forget=self._forget)
        self._plugins = Plugins(self._plugin_host())
        stack.push_async_callback(self._plugins.host.stop)
        self._background(stack, self._plugins.run(lambda: self._assistant.busy))
        loading = self._background(stack, self._plugins.host.load())
        self._assistant = Assistant(
            store=self._store,
            roster=self._roster,
            plugins=self._plugins,
            config=lambda: self._keeper.config,
            publish=self._publish,
            clock=time.monotonic,
        )
        stack.push_async_callback(self._assistant.stop)
        self._neighbour = GoodNeighbour(
            roster=self._roster,
            loader=self._loader,
            switch=self._switch,
            keep_alive=lambda: keep_alive_s(self._keeper.config.llm),
            in_use=lambda: self._assistant.busy,
            changed=lambda on: self._publish("engines", m.GameChanged(on=on)),
        )
        self._sampler = Sampler(
            interval=lambda: self._keeper.config.telemetry.interval_s,
            wanted=lambda topic: any(topic in client.topics for client in self._dispatch.clients),
            publish=self._publish,
            work=self._work,
        )
        self._provision = Provision(
            roster=self._roster,
            models=ModelStore(self._paths.models),
            config=lambda: self._keeper.config,
            gpus=self._sampler.gpus,
            progress=self._progress,
            prepare=self._prepare,
            fake_engines=self._options.fake_engines,
        )
        stack.callback(self._provision.stop)
        self._roster.on_change(lambda job, info: self._publish("engines", m.EngineChanged(engine=job, info=info)))
        self._roster.on_change(self._engine_changed)
        self._roster.on_change(lambda job, info: self._loader.heard(info) if job == "llm" else None)
        self._roster.on_change(self._neighbour.heard)
        self._sampler.on_sample(self._neighbour.sampled)
        await asyncio.wait({loading}, timeout=PLUGINS_S)
        await self._serve(stack, instance)
        for warning in self._loaded.warnings:
            self._tell(warning)
        for work in (
            self._neighbour.run(),
            self._sampler.run(),
            self._keeper.watch(),
            self._provision.supply(),
            keep_house(self._store),
        ):
            self._background(stack, work)

    @staticmethod
    def _background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Work that ends with the daemon."""
        task = asyncio.create_task(work)
        task.add_done_callback(_complain)
        stack.push_async_callback(_end, task)
        return task

    async def _serve(self, stack: AsyncExitStack, instance: Instance) -> None:
        """Open the port, say where it is, and listen for signals."""
        controls = DaemonControls(
            store=self._store,
            roster=self._roster,
            provision=self._provision,
            sampler=self._sampler,
            keeper=self._keeper,
            plugins=self._plugins.host,
            neighbour=self._neighbour,
            server=lambda: self._server,
            stop=self.shutdown,
            stopping=self._stopping.is_set,
            notices=self._notices,
        )
        self._dispatch = Dispatch(self._assistant, self._store, controls, self._notices)
        port = self._loaded.config.server.port if self._options.port is None else self._options.port
        auth = Auth(self._paths.token, clock=time.monotonic, wall=time.time)
        self._server = Server(self._dispatch, auth, port=port, metrics_text=controls.metrics)
        await self._server.start()
        stack.push_async_callback(self._server.stop)
        instance.publish(self._server.port, __version__)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.shutdown)
            except NotImplementedError:  # Windows: the default handler raises KeyboardInterrupt, which ends run()
                break

    def _supervisor(self, spec: WorkerSpec) -> Supervisor:
        """The loader steps the language model down; an engine that keeps crashing is left alone in the end."""
        if spec.name == "llm" and not self._options.fake_engines:
            return Supervisor(spec, remedy=self._loader.remedy, renew=self._loader.renew, handover=self._parking)
        crashes = CrashRemedy(time.monotonic)
        if spec.name == "stt" and not self._options.fake_engines:
            return Supervisor(spec, remedy=OffCard(crashes), renew=self._renew_hearing)
        return Supervisor(spec, remedy=crashes)

    async def _prepare(self, spec: WorkerSpec, wish: Wish) -> WorkerSpec:
        return await (self._loader.prepare(spec, wish) if spec.name == "llm" else self._renew_hearing(spec))

    async def _renew_hearing(self, spec: WorkerSpec) -> WorkerSpec:
        return hearing_spec(spec, game=self._switch.on)

    def _plugin_host(self) -> PluginHost:
        theirs = not self._options.safe_mode
        folder = self._paths.plugins if theirs else None
        places = Places(bundled_folder(), installed=theirs, folder=folder, only=self._options.only_plugins)
        return PluginHost(places, self._keeper.config.plugins, tell=self._mention, changed=self._plugins_changed)

    def _notices(self) -> tuple[Fault, ...]:
        """What everyone who comes should know."""
        return (*self._standing.values(), *self._plugins.host.faults())

    def _mention(self, fault: Fault) -> None:
        """Tell who is here."""
        if hasattr(self, "_dispatch"):
            self._publish("notices", m.Notice(level="warning", fault=fault))

    def _plugins_changed(self) -> None:
        host = self._plugins.host
        if hasattr(self, "_dispatch"):
            self._publish("plugins", m.PluginsChanged(plugins=host.infos(), commands=host.registry.infos()))

    async def _apply(self, changed: Changes) -> None:
        """Bring a changed configuration into force."""
        self._sampler.wake()
        self._neighbour.stir()
        if "log.level" in changed.live:
            set_log_level(self._keeper.config.log)
        if any(key.startswith("plugins.") for key in changed.live):
            await self._plugins.host.configure(self._keeper.config.plugins)
        if jobs := tuple(job for job in JOBS if job in changed.engines):
            await self._provision.supply(jobs)

    def _tell(self, fault: Fault) -> None:
        """Say something people should know: to the log, to who is here, and to who comes later."""
        log.warning("%s %s", fault.message.en, fault.detail)
        self._standing[fault.code, fault.message.en] = fault
        self._mention(fault)

    def _work(self) -> Work:
        """What goes into a telemetry sample beside the machine."""
        infos = self._roster.infos()
        turns, waiting = self._assistant.load
        plan = infos["llm"].plan
        extras = [info.facts.get("extra", {}) for info in infos.values()]
        return Work(
            pids={job: info.pid for job, info in infos.items() if info.pid is not None},
            tokens_per_s=self._assistant.tokens_per_s,
            turns=turns,
            waiting=waiting,
            model=infos["llm"].model,
            plan=plan.reason.in_language(self._keeper.config.language) if plan is not None else "",
            on_card=self._neighbour.watches
            or any(extra.get("offloads") or extra.get("device") == "cuda" for extra in extras),
        )

    def _forget(self, code: str) -> None:
        """Those who come later need not know it any more."""
        for key in [key for key in self._standing if key[0] == code]:
            del self._standing[key]

    def _publish(self, topic: m.Topic, event: m.Event, besides: Listener | None = None) -> None:
        self._dispatch.publish(topic, event, besides)
        self._plugins.observe(event)

    def shutdown(self) -> None:
        """Stop soon."""
        self._stopping.set()


def set_log_level(config: LogConfig) -> None:
    """Let the program's own loggers keep what the configuration asks for."""
    for name in ("aimark", "aimark_daemon"):
        logging.getLogger(name).setLevel(config.level.upper())


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a background task failed", exc_info=error)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
