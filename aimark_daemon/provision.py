"""Provision: gives each job its model - chosen among the installed, or downloaded if it belongs to the starter set."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import msgspec
import psutil

from aimark_daemon.config.types import Config
from aimark_daemon.engine_specs import engine_spec, fake_spec, llm_wish
from aimark_daemon.engines.voice_sources import ESPEAK, espeak_is_installed
from aimark_daemon.errors import AimarkError, Exit, as_fault, fault_kind
from aimark_daemon.gpu import available
from aimark_daemon.gpu.nvml import free_vram
from aimark_daemon.gpu.plan import Wish
from aimark_daemon.models.choice import choose, is_path
from aimark_daemon.models.faults import MODEL_MISSING
from aimark_daemon.models.store import ModelStore
from aimark_daemon.names import named
from aimark_daemon.protocol.messages import GpuInfo, ModelInfo
from aimark_daemon.roster import JOBS, Job, Roster
from aimark_daemon.workers.base import WorkerSpec

log = logging.getLogger("aimark.models")

MODEL_IN_USE = fault_kind(
    "model_in_use",
    exit_code=Exit.USAGE,
    message="{model} is in use.",
    message_ko="{model} 모델을 사용하는 중입니다.",
    hint="Choose another one first: `aimark models use ID`.",
    hint_ko="먼저 `aimark models use ID`로 다른 모델을 골라 주세요.",
)
NO_MODEL = fault_kind(
    "no_model",
    exit_code=Exit.ENGINE,
    message="No model for {job} is installed.",
    message_ko="{job} 모델이 설치되어 있지 않습니다.",
    hint="`aimark models list` shows models, `aimark models pull ID` installs one.",
    hint_ko="`aimark models list`로 모델을 보고 `aimark models pull ID`로 설치해 주세요.",
)

VOICE_OFF = fault_kind(
    "voice_off",
    exit_code=Exit.ENGINE,
    message="Answers are not spoken: `tts.enabled` is off.",
    message_ko="`tts.enabled` 설정이 꺼져 있어 답을 소리 내어 읽지 않습니다.",
    hint="Set `tts.enabled` to true in the settings to hear answers.",
    hint_ko="답을 들으려면 설정에서 `tts.enabled`를 true로 바꿔 주세요.",
)

Prepare = Callable[[WorkerSpec, Wish], Awaitable[WorkerSpec]]
"""Lays the language model out in memory."""
Progress = Callable[[str, int, int], None]
"""Told (model, done, total) in bytes while a model is downloaded; called in the event loop."""


class Provision:
    """Keeps jobs and models together.

    `config` gives the configuration in force, `gpus` the cards, `backends` what the language engine can use of them.
    `prepare` says where the engines that may be on a card are to go.
    """

    def __init__(
        self,
        *,
        roster: Roster,
        models: ModelStore,
        config: Callable[[], Config],
        gpus: Callable[[], Awaitable[tuple[GpuInfo, ...]]],
        progress: Progress,
        prepare: Prepare | None = None,
        backends: Callable[[], Collection[str]] = available.backends,
        fake_engines: bool = False,
    ) -> None:
        self._roster = roster
        self._prepare = prepare
        self._models = models
        self._config = config
        self._gpus = gpus
        self._progress = progress
        self._backends = backends
        self._fake_engines = fake_engines
        self._used: dict[Job, str] = {}
        self._asked: dict[Job, int] = dict.fromkeys(JOBS, 0)
        """How often each job's model was looked for; what is found for an earlier wish counts no more."""
        self._stopping = threading.Event()

    async def supply(self, jobs: tuple[Job, ...] = JOBS) -> None:
        """Give each of `jobs` an engine, downloading the starter model where nothing is installed."""
        await asyncio.gather(*(self._supply(job) for job in jobs))

    async def _supply(self, job: Job) -> None:
        self._asked[job] = asked = self._asked[job] + 1
        if job == "tts" and not self._config().tts.enabled:
            self._used.pop(job, None)
            await self._roster.set_absent(job, VOICE_OFF.fault())
            return
        if self._fake_engines:
            await self._roster.assign(job, fake_spec(job))
            return
        try:
            model, path = await self._choose(job)
            voices = await self._voices() if job == "tts" else {}
            spec = engine_spec(job, model, path, self._config(), voices)
            if job != "tts" and self._prepare is not None and asked == self._asked[job]:
                spec = await self._prepare(spec, llm_wish(self._config()))
        except Exception as error:  # noqa: BLE001 - a job without a model must not take the others down
            if asked != self._asked[job]:
                return
            fault = as_fault(error)
            log.warning("no model for %s: %s %s", job, fault.message.en, fault.detail)
            self._used.pop(job, None)
            await self._roster.set_absent(job, fault)
            return
        if asked != self._asked[job]:
            return
        self._used[job] = model
        await self._roster.assign(job, spec)

    async def _choose(self, job: Job) -> tuple[str, Path]:
        config = self._config()
        if job == "tts":
            return await self._choose_voice(config)
        return await self._choose_model(job, config)

    async def _choose_voice(self, config: Config) -> tuple[str, Path]:
        """The main voice; espeak where "auto" finds none and none can be downloaded."""
        if config.tts.model == ESPEAK:
            return ESPEAK, Path(ESPEAK)
        try:
            return await self._choose_model("tts", config)
        except AimarkError as error:
            if config.tts.model != "auto" or self._stopping.is_set() or not espeak_is_installed():
                raise
            log.warning("no voice, espeak speaks instead: %s %s", error.fault.message.en, error.fault.detail)
            return ESPEAK, Path(ESPEAK)

    async def _voices(self) -> dict[str, str]:
        """The voices that the configuration wants for single languages: language to file, or espeak.

        Raises:
            AimarkError: `model_missing`.
        """
        wanted = self._config().tts.voices
        found = {}
        for language, voice in (("en", wanted.en), ("ko", wanted.ko)):
            if voice == "auto":
                continue
            if voice == ESPEAK:
                found[language] = ESPEAK
            elif is_path(voice):
                found[language] = str(await asyncio.to_thread(Path(voice).expanduser))
            else:
                found[language] = str(await asyncio.to_thread(self._models.path, voice))
        return found

    async def _choose_model(self, job: Job, config: Config) -> tuple[str, Path]:
        wanted = {"llm": config.llm.model, "stt": config.stt.model, "tts": config.tts.model}[job]
        infos = await asyncio.to_thread(self._models.list)
        if wanted == "auto" and not any(info.installed for info in infos if info.kind == job):
            starter = next((info.id for info in infos if info.kind == job and info.starter), None)
            if starter is None or not config.download_starter_models:
                raise NO_MODEL(job=named(job))
            await self.pull(starter, lambda done, total: self._progress(starter, done, total))
            infos = await asyncio.to_thread(self._models.list)
        choice = choose(
            job,
            wanted,
            infos,
            # What the installed engine cannot use is not there.
            free_vram=free_vram(await self._gpus()) if job != "llm" or self._backends() else None,
            free_ram=psutil.virtual_memory().available,
            language="auto" if job == "tts" else config.language,
        )
        if choice.path:
            return wanted, await asyncio.to_thread(Path(choice.path).expanduser)
        if not choice.model:
            raise MODEL_MISSING(model=wanted) if choice.why == "missing" else NO_MODEL(job=named(job))
        return choice.model, await asyncio.to_thread(self._models.path, choice.model)

    async def list(self) -> tuple[ModelInfo, ...]:
        """The catalogue with what is installed and used."""
        used = set(self._used.values())
        infos = await asyncio.to_thread(self._models.list)
        return tuple(msgspec.structs.replace(info, used=info.id in used) for info in infos)

    async def pull(self, model: str, progress: Callable[[int, int], None]) -> None:
        """Download a model.

        Raises:
            AimarkError: unknown model, no mirror, wrong digest, full disk.
        """
        loop = asyncio.get_running_loop()

        def tell(done: int, total: int) -> None:
            loop.call_soon_threadsafe(progress, done, total)

        await asyncio.to_thread(self._models.pull, model, progress=tell, cancelled=self._stopping.is_set)

    def job_of(self, model: str, infos: tuple[ModelInfo, ...]) -> Job:
        """Which job a catalogue model does.

        Raises:
            AimarkError: `model_missing`: it is not installed.
        """
        for info in infos:
            if info.id == model and info.installed:
                return next(job for job in JOBS if job == info.kind)
        raise MODEL_MISSING(model=model)

    async def remove(self, model: str) -> None:
        """Delete an installed model.

        Raises:
            AimarkError: `model_in_use`, or it is not installed.
        """
        voices = self._config().tts.voices
        if model in self._used.values() or model in (voices.en, voices.ko):
            raise MODEL_IN_USE(model=model)
        await asyncio.to_thread(self._models.remove, model)

    def stop(self) -> None:
        """Let downloads end soon; what they have is kept for the next time."""
        self._stopping.set()
