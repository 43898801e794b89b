"""Controls: what clients may ask of the daemon as a whole - its state, models, configuration, page, end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

import msgspec

from aimark_daemon import __version__
from aimark_daemon.config.keeper import ConfigKeeper
from aimark_daemon.config.schema import config_schema
from aimark_daemon.errors import Fault
from aimark_daemon.gpu.telemetry import Sampler
from aimark_daemon.models.choice import AUTO
from aimark_daemon.neighbour import GoodNeighbour
from aimark_daemon.protocol import messages as m
from aimark_daemon.provision import VOICE_OFF, Provision
from aimark_daemon.roster import JOBS, Job, Roster
from aimark_daemon.server.prometheus import exposition
from aimark_daemon.server.server import Server
from aimark_daemon.store import AsyncStore
from aimark_daemon.workers.base import WorkerState

_WELL: Final = frozenset({WorkerState.READY, WorkerState.BUSY, WorkerState.ASLEEP})


class DaemonControls:
    """The `Controls` of the dispatch, over the daemon's parts. `stop` ends the daemon, `stopping` tells if it ends.

    `notices` is what people should know.
    """

    def __init__(  # noqa: PLR0913 - one for each part of the daemon
        self,
        *,
        store: AsyncStore,
        roster: Roster,
        provision: Provision,
        sampler: Sampler,
        keeper: ConfigKeeper,
        neighbour: GoodNeighbour,
        server: Callable[[], Server],
        stop: Callable[[], None],
        stopping: Callable[[], bool],
        notices: Callable[[], tuple[Fault, ...]],
    ) -> None:
        self._store = store
        self._roster = roster
        self._provision = provision
        self._sampler = sampler
        self._keeper = keeper
        self._neighbour = neighbour
        self._server = server
        self._stop = stop
        self._stopping = stopping
        self._notices = notices
        self._began = time.monotonic()

    async def status(self) -> m.Status:
        """The daemon at a glance."""
        infos = self._roster.infos()
        if self._stopping():
            state = "stopping"
        elif not self._roster.settled():
            state = "starting"
        elif all(_as_wished(info) for info in infos.values()):
            state = "ready"
        else:
            state = "degraded"
        return m.Status(
            state=state,
            version=__version__,
            pid=os.getpid(),
            port=self._server().port,
            engines=dict(infos.items()),
            gpu=await self._sampler.gpus(),
            sessions=await self._store.count_sessions(),
            uptime_s=round(time.monotonic() - self._began, 1),
            gpu_fault=self._sampler.trouble,
            game=self._neighbour.game,
            notices=self._notices(),
        )

    async def metrics(self) -> str:
        """One telemetry sample as Prometheus text."""
        sample = await self._sampler.fresh()
        return exposition(
            sample,
            dict(self._roster.infos().items()),
            version=__version__,
            uptime_s=round(time.monotonic() - self._began, 1),
            gpu_fault=self._sampler.trouble,
        )

    async def models(self) -> tuple[m.ModelInfo, ...]:
        """The catalogue with what is installed and used."""
        return await self._provision.list()

    async def pull_model(self, model: str, progress: Callable[[int, int], None]) -> None:
        """Download a model; a job that had none takes it."""
        await self._provision.pull(model, progress)
        for info in await self.models():
            job = _job(info.kind)
            if info.id == model and self._roster.info(job).state == WorkerState.ABSENT:
                await self._provision.supply((job,))

    async def use_model(self, model: str) -> None:
        """Choose an installed model and load it; "auto" lets every kind of model be chosen again."""
        if model == AUTO:
            for each in JOBS:
                await self._keeper.set(f"{each}.model", AUTO)
            return
        job = self._provision.job_of(model, await self.models())
        await self._keeper.set(f"{job}.model", model)
        if self._roster.info(job).state == WorkerState.FAILED:  # it was in use already: then it is tried again
            await self._provision.supply((job,))

    async def remove_model(self, model: str) -> None:
        """Delete an installed model."""
        await self._provision.remove(model)

    async def config(self) -> m.ConfigReply:
        """The configuration in force."""
        return m.ConfigReply(id=0, values=msgspec.to_builtins(self._keeper.config), schema=config_schema())

    async def set_config(self, key: str, value: object) -> tuple[str, ...]:
        """Change a value; engines it concerns are loaded again. Returns the keys that wait for a restart."""
        return await self._keeper.set(key, value)

    async def set_game(self, on: bool) -> float:
        """Turn game mode on or off; returns after how many seconds the card was free."""
        return await self._neighbour.set_game(on)

    def look(self) -> m.TelemetryHistory:
        """The telemetry until now, for a client that begins to look."""
        self._sampler.wake()
        return self._sampler.history()

    def page_address(self) -> str:
        """The page's address with a fresh log-in code."""
        return self._server().page_url()

    def log_out(self) -> None:
        """Shut everyone out: the old token, codes and cookies are worth nothing from now on."""
        self._server().rotate_token()

    def shutdown(self) -> None:
        """Stop soon."""
        self._stop()


def _as_wished(info: m.EngineInfo) -> bool:
    """Whether the engine works, or is off because people want it so."""
    off = info.fault is not None and info.fault.code == VOICE_OFF.code
    return off or info.state in _WELL


def _job(kind: str) -> Job:
    return next(job for job in JOBS if job == kind)
