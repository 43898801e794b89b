"""Provision: every job gets the model that is asked for now, however long an earlier wish takes."""

import asyncio
import threading
from pathlib import Path

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.config.types import Config, LlmConfig, TtsConfig
from aimark_daemon.models.faults import PULL_CANCELLED
from aimark_daemon.neighbour import hearing_spec
from aimark_daemon.protocol.messages import GpuInfo, ModelInfo
from aimark_daemon.provision import VOICE_OFF, Provision
from aimark_daemon.roster import Roster
from aimark_daemon.workers.base import WorkerState, WorkerStatus


def info(model, *, installed, starter=False, kind="llm"):
    return ModelInfo(model, kind, model, 1000, "MIT", ("en", "ko"), installed, starter=starter, memory=1000)


async def no_cards():
    return ()


class Shelf:
    """A model store whose download waits until it is let go; `fault` ends it."""

    def __init__(self, *models):
        self.models = {model.id: model for model in models}
        self.pulling, self.go = threading.Event(), threading.Event()
        self.fault = None

    def list(self):
        return tuple(self.models.values())

    def path(self, model):
        return Path("/models") / model

    def pull(self, model, progress, cancelled):
        progress(0, 1000)
        self.pulling.set()
        assert self.go.wait(20)
        if self.fault is not None:
            raise AimarkError(self.fault)
        assert not cancelled()
        self.models[model] = info(model, installed=True)


class Recorder:
    """A worker that only remembers what it was told to run."""

    def __init__(self, spec):
        self.spec = spec
        self.stopped = False

    @property
    def status(self):
        return WorkerStatus(self.spec.name, WorkerState.STOPPED if self.stopped else WorkerState.READY)

    def on_status(self, listener):
        pass

    async def start(self):
        pass

    async def replace(self, spec):
        self.spec = spec

    async def stop(self):
        self.stopped = True


class Wishes:
    """A provision over a shelf; `wish` is the configured language model."""

    def __init__(self, shelf, cards=no_cards, backends=frozenset()):
        self.wish = "auto"
        self.spoken = True
        self.game = False
        self.shelf = shelf
        self.roster = Roster(Recorder)
        self.told = []
        self.provision = Provision(
            roster=self.roster,
            models=shelf,
            config=lambda: Config(llm=LlmConfig(model=self.wish), tts=TtsConfig(enabled=self.spoken)),
            gpus=cards,
            progress=lambda *progress: self.told.append(progress),
            backends=lambda: backends,
            prepare=self.prepare,
        )

    async def prepare(self, spec, _wish):
        return hearing_spec(spec, game=self.game) if spec.name == "stt" else spec

    @property
    def runs(self):
        return self.roster.info("llm").model

    async def supply(self):
        await self.provision.supply(("llm",))

    async def supply_until_the_download(self):
        task = asyncio.create_task(self.supply())
        assert await asyncio.to_thread(self.shelf.pulling.wait, 20)
        return task


async def test_a_starter_model_is_downloaded_where_nothing_is_installed():
    it = Wishes(Shelf(info("starter", installed=False, starter=True)))
    it.shelf.go.set()
    await it.supply()
    assert it.runs == "starter"
    assert it.told == [("starter", 0, 1000)]


async def test_what_is_chosen_during_a_download_is_not_undone_by_its_end():
    it = Wishes(Shelf(info("starter", installed=False, starter=True)))
    download = await it.supply_until_the_download()
    it.shelf.models["mine"] = info("mine", installed=True)
    it.wish = "mine"
    await it.supply()
    assert it.runs == "mine"
    it.shelf.go.set()
    await download
    assert it.runs == "mine"
    assert [model.id for model in await it.provision.list() if model.used] == ["mine"]


async def test_what_is_chosen_during_a_download_is_not_stopped_by_its_failure():
    it = Wishes(Shelf(info("starter", installed=False, starter=True)))
    it.shelf.fault = PULL_CANCELLED.fault(model="starter")
    download = await it.supply_until_the_download()
    it.shelf.models["mine"] = info("mine", installed=True)
    it.wish = "mine"
    await it.supply()
    it.shelf.go.set()
    await download
    assert (it.runs, it.roster.info("llm").state) == ("mine", WorkerState.READY)


async def test_a_failed_download_leaves_the_job_absent_with_the_reason():
    it = Wishes(Shelf(info("starter", installed=False, starter=True)))
    it.shelf.fault = PULL_CANCELLED.fault(model="starter")
    it.shelf.go.set()
    await it.supply()
    assert it.roster.info("llm").fault.code == PULL_CANCELLED.code
    with pytest.raises(AimarkError, match=PULL_CANCELLED.code):
        await it.roster.get("llm")


async def test_a_model_in_use_is_not_removed():
    it = Wishes(Shelf(info("mine", installed=True)))
    await it.supply()
    with pytest.raises(AimarkError, match="model_in_use"):
        await it.provision.remove("mine")


async def one_card():
    return (GpuInfo(index=0, name="GeForce", vram_total=24 << 30, vram_free=24 << 30),)


@pytest.mark.parametrize(("backends", "chosen"), [({"cuda"}, "large"), (set(), "small")])
async def test_a_card_that_the_engine_cannot_use_makes_no_room(backends, chosen):
    large = ModelInfo("large", "llm", "large", 9 << 30, "MIT", ("en", "ko"), installed=True, memory=10 << 30)
    it = Wishes(Shelf(info("small", installed=True), large), one_card, backends)
    await it.supply()
    assert it.runs == chosen


async def test_a_voice_that_is_switched_off_is_not_loaded_until_it_is_switched_on():
    voice = ModelInfo("voice", "tts", "voice", 1000, "MIT", ("en",), installed=True, memory=1000)
    it = Wishes(Shelf(voice))
    it.spoken = False
    await it.provision.supply(("tts",))
    assert it.roster.here("tts") is None
    assert it.roster.info("tts").fault.code == VOICE_OFF.code
    it.spoken = True
    await it.provision.supply(("tts",))
    assert it.roster.info("tts").model == "voice"
    worker, it.spoken = it.roster.here("tts"), False
    await it.provision.supply(("tts",))
    assert worker.stopped


async def test_hearing_that_starts_or_gets_another_model_in_game_mode_keeps_off_the_card():
    it = Wishes(Shelf(info("whisper", installed=True, kind="stt")))
    devices = []
    for it.game in (True, False, True):
        await it.provision.supply(("stt",))
        devices.append(it.roster.here("stt").spec.settings.get("device", "auto"))
    assert devices == ["cpu", "auto", "cpu"]
