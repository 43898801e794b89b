"""Voices: which one speaks which language, and what speaks where none is installed."""

from pathlib import Path

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.config.types import Config, TtsConfig, VoicesConfig
from aimark_daemon.models.faults import MODEL_MISSING, PULL_CANCELLED
from aimark_daemon.protocol.messages import ModelInfo
from aimark_daemon.provision import Provision
from aimark_daemon.roster import Roster
from aimark_daemon.workers.base import WorkerState
from tests.test_provision import Recorder, no_cards


def voice(model, *, installed=True, starter=False):
    return ModelInfo(model, "tts", model, 1000, "MIT", ("en",), installed, starter=starter, memory=1000)


class Shelf:
    """A model store that cannot download."""

    def __init__(self, *models):
        self.models = models

    def list(self):
        return self.models

    def path(self, model):
        if not any(info.id == model and info.installed for info in self.models):
            raise MODEL_MISSING(model=model)
        return Path("/models") / model

    def pull(self, model, progress, cancelled):
        raise PULL_CANCELLED(model=model)


async def supplied(*models, language="auto", **tts):
    roster = Roster(Recorder)
    provision = Provision(
        roster=roster,
        models=Shelf(*models),
        config=lambda: Config(language=language, tts=TtsConfig(**tts)),
        gpus=no_cards,
        progress=lambda *_: None,
    )
    await provision.supply(("tts",))
    return roster, provision


def settings(roster):
    return roster.here("tts").spec.settings


async def test_the_installed_voice_speaks_and_the_languages_it_lacks_are_left_to_espeak():
    roster, _ = await supplied(voice("joe"))
    assert settings(roster)["path"] == "/models/joe"
    assert settings(roster)["voices"] == {}


async def test_each_language_may_have_a_voice_of_its_own():
    roster, _ = await supplied(
        voice("joe"), voice("alba"), voices=VoicesConfig(en="alba", ko="/voices/ko.onnx"), model="joe"
    )
    assert settings(roster)["path"] == "/models/joe"
    assert settings(roster)["voices"] == {"en": "/models/alba", "ko": "/voices/ko.onnx"}


async def test_espeak_may_speak_everything_or_one_language():
    roster, _ = await supplied(voice("joe"), model="espeak")
    assert (settings(roster)["path"], roster.info("tts").model) == ("espeak", "espeak")
    roster, _ = await supplied(voice("joe"), voices=VoicesConfig(en="espeak"))
    assert settings(roster)["voices"] == {"en": "espeak"}


async def test_the_language_of_the_messages_has_its_voice_ready():
    roster, _ = await supplied(voice("joe"), language="ko")
    assert settings(roster)["warm"] == ["ko"]


async def test_where_no_voice_can_be_had_espeak_speaks():
    roster, _ = await supplied(voice("starter", installed=False, starter=True))
    assert (roster.info("tts").state, roster.info("tts").model) == (WorkerState.READY, "espeak")


async def test_without_espeak_too_the_reason_is_told(monkeypatch):
    monkeypatch.setattr("aimark_daemon.provision.espeak_is_installed", lambda: False)
    roster, _ = await supplied(voice("starter", installed=False, starter=True))
    assert roster.info("tts").fault.code == "pull_cancelled"


@pytest.mark.parametrize("tts", [{"model": "nosuch"}, {"voices": VoicesConfig(ko="nosuch")}])
async def test_a_voice_that_is_asked_for_and_missing_is_told_not_replaced(tts):
    roster, _ = await supplied(voice("joe"), **tts)
    assert roster.info("tts").fault.code == "model_missing"


async def test_a_voice_of_one_language_is_in_use_and_not_removed():
    _, provision = await supplied(voice("joe"), voice("alba"), model="joe", voices=VoicesConfig(en="alba"))
    for model in ("joe", "alba"):
        with pytest.raises(AimarkError, match="model_in_use"):
            await provision.remove(model)
