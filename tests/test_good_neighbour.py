"""The good neighbour over the real loader and supervisor, an engine that obeys a budget, and a clock that is moved."""

import asyncio
import os
import random
from contextlib import asynccontextmanager

import psutil
import pytest

from aimark_daemon.engines.base import CHAT, ChatMessage, ChatRequest, Sampling
from aimark_daemon.errors import AimarkError
from aimark_daemon.game import GameSwitch
from aimark_daemon.gpu import reasons
from aimark_daemon.gpu.last_good import LastGoodPlans
from aimark_daemon.gpu.neighbour import APART_S, ROOM_S
from aimark_daemon.gpu.plan import CONTEXT_BYTES, Wish
from aimark_daemon.gpu.telemetry import Sampler, Work
from aimark_daemon.llm_loader import LlmLoader
from aimark_daemon.neighbour import AGAIN_S, WANTED_S, GoodNeighbour, hearing_spec
from aimark_daemon.protocol.messages import GpuInfo, GpuProcess, Telemetry
from aimark_daemon.roster import Roster
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.gpu.driver import install
from tests.gpu.test_loader import ENGINE, GIB, LAYERS, model
from tests.gpu.test_sampler import Audience
from tests.gpu.test_sampler import running as sampling
from tests.server.harness import until
from tests.workers.labs import reaches

ASK = ChatRequest("대화", (ChatMessage("user", "안녕하세요?"),), sampling=Sampling(max_tokens=8))
ON_CARD = {WorkerState.LOADING, WorkerState.READY, WorkerState.BUSY}


class House:
    """A card of 8 GB with a model, a game that comes and goes, and the neighbour between them."""

    def __init__(self, folder):
        self.folder = folder
        self.now = 1000.0
        self.game = 0
        """Bytes that the game holds."""
        self.in_use = False
        self.keep_s = None
        self.told, self.switched = [], []
        self.switch = GameSwitch(folder / "run")
        self.loader = LlmLoader(
            gpus=lambda: self.gpus(),  # noqa: PLW0108 - a test puts another one there
            plans=LastGoodPlans(folder / "plans.json"),
            engine=lambda: frozenset({"cuda"}),
            away=lambda: reasons.game_mode() if self.switch.on else None,
            clock=lambda: self.now,
        )
        self.roster = Roster(self.make, lambda: self.now)
        self.neighbour = GoodNeighbour(
            roster=self.roster,
            loader=self.loader,
            switch=self.switch,
            keep_alive=lambda: self.keep_s,
            in_use=lambda: self.in_use,
            changed=self.switched.append,
            clock=lambda: self.now,
        )
        self.roster.on_change(lambda job, info: self.loader.heard(info) if job == "llm" else None)
        self.roster.on_change(self.neighbour.heard)
        self.roster.on_change(lambda job, info: self.told.append(info) if job == "llm" else None)

    def make(self, spec):
        if spec.name == "llm":
            return Supervisor(spec, Backoff((0.0,)), remedy=self.loader.remedy, renew=self.loader.renew)
        return Supervisor(spec, Backoff((0.0,)), renew=self.renew_hearing)

    async def renew_hearing(self, spec):
        return hearing_spec(spec, game=self.switch.on)

    async def gpus(self):
        info = self.roster.info("llm")
        own = ()
        if info.state in ON_CARD and info.plan is not None and info.plan.gpu_layers:
            own = (GpuProcess(pid=1, name="python", vram=info.plan.vram + CONTEXT_BYTES // 2, worker="llm"),)
        others = (GpuProcess(pid=2, name="게임.exe", vram=self.game),) if self.game else ()
        used = self.game + sum(process.vram for process in own)
        total = 8 * GIB
        return (GpuInfo(index=0, vram_total=total, vram_free=max(0, total - used), processes=own + others),)

    async def sample(self, seconds=10.0):
        """Time goes by, the machine is measured, and the neighbour looks."""
        self.now += seconds
        self.neighbour.sampled(Telemetry(time=self.now, gpu=await self.gpus()))
        await self.neighbour.look()

    async def samples(self, seconds):
        for _ in range(int(seconds // 10)):
            await self.sample()

    @property
    def worker(self):
        return self.roster.here("llm")

    @property
    def info(self):
        return self.roster.info("llm")

    @property
    def layers(self):
        return self.info.plan.gpu_layers

    def call(self):
        return self.worker.call(CHAT, ASK)

    async def loaded(self):
        """Wait until the model is loaded and the loader has measured it."""
        await self.worker.ready()
        async with asyncio.timeout(20):
            while self.loader._loading.state != "ready":
                await asyncio.sleep(0)


@asynccontextmanager
async def house(folder, *, game=0, wish=None, loaded=True, **settings):
    it = House(folder)
    it.game = game
    given = {"path": str(model(folder)), "free": 100 * GIB, **settings}
    spec = await it.loader.prepare(WorkerSpec("llm", ENGINE, given), wish or Wish())
    await it.roster.assign("llm", spec)
    if loaded:
        await it.loaded()
    try:
        yield it
    finally:
        await it.roster.stop()


# Another program takes the card ------------------------------------------------------------------------------------


async def test_the_model_makes_room_for_a_game_says_why_and_takes_it_back(tmp_path):
    async with house(tmp_path) as it:
        assert it.layers == LAYERS
        it.game = 6 * GIB
        await it.sample()
        assert it.layers == LAYERS, "one look is not enough"
        await it.sample()
        await it.loaded()
        assert 0 < it.layers < LAYERS
        rest = LAYERS - it.layers
        assert it.info.plan.reason.en == (
            f"{it.layers} of {LAYERS} layers on the GPU, {rest} on the CPU, because 게임.exe holds 6.4 GB."
        )
        assert it.info.plan.reason.ko.endswith("게임.exe 프로그램이 6.4 GB를 쓰고 있기 때문입니다.")
        assert any(info.plan.reason == it.info.plan.reason for info in it.told), "clients are told"
        small = it.layers
        it.game = 0
        await it.samples(ROOM_S - 10)
        assert it.layers == small
        await it.samples(APART_S)
        await it.loaded()
        assert it.layers == LAYERS


async def test_a_game_that_takes_everything_sends_the_model_to_the_processor_and_it_comes_back(tmp_path):
    async with house(tmp_path) as it:
        it.game = 8 * GIB
        await it.samples(30)
        await it.loaded()
        assert it.layers == 0
        assert it.info.plan.reason.en.startswith("On the CPU, because 게임.exe holds")
        assert it.neighbour.watches, "only who looks sees that there is room again"
        it.game = 0
        await it.samples(APART_S + ROOM_S)
        await it.loaded()
        assert it.layers == LAYERS
        assert not it.neighbour.watches


async def test_nothing_is_changed_during_a_turn_and_at_once_after_it(tmp_path):
    async with house(tmp_path) as it:
        it.in_use = True
        it.game = 6 * GIB
        await it.samples(300)
        assert it.layers == LAYERS
        it.in_use = False
        await it.neighbour.look()
        await it.loaded()
        assert it.layers < LAYERS


async def test_a_number_of_layers_that_the_user_asked_for_stays(tmp_path):
    async with house(tmp_path, wish=Wish(gpu_layers=LAYERS)) as it:
        it.game = 7 * GIB
        told = len(it.told)
        await it.samples(60)
        assert (it.layers, len(it.told)) == (LAYERS, told)
        assert not it.neighbour.watches


async def test_an_engine_that_crashed_on_the_card_again_and_again_is_not_brought_back_to_it(tmp_path):
    async with house(tmp_path, trouble="crash") as it:
        for _ in range(3):
            await asyncio.gather(it.call().result(), return_exceptions=True)
        await it.loaded()
        assert it.layers == 0
        assert not it.neighbour.watches
        await it.samples(APART_S + 2 * ROOM_S)
        assert it.layers == 0
        await it.worker.sleep()
        await it.loaded()
        assert "crashed again and again" in it.info.plan.reason.en


async def test_what_the_driver_tells_the_sampler_is_all_it_needs_to_know(tmp_path, monkeypatch):
    driver, audience = install(monkeypatch, tmp_path), Audience("telemetry")
    driver.card(memory=f"{8 * GIB} 0 {8 * GIB}")
    game = os.getppid()
    async with house(tmp_path) as it:
        sampler = Sampler(
            interval=lambda: 0.01,
            wanted=audience.topics.__contains__,
            publish=audience.publish,
            work=lambda: Work(pids={"llm": it.info.pid} if it.info.pid else {}),
            clock=lambda: it.now,
        )
        it.gpus = sampler.gpus
        sampler.on_sample(it.neighbour.sampled)

        async def measured(held):
            own = it.info.plan.vram + CONTEXT_BYTES // 2
            used = own + held
            programs = f"{it.info.pid}:{own}:-" + (f" {game}:{held}:-" if held else "")
            driver.card(memory=f"{8 * GIB} {used} {8 * GIB - used}", compute=programs)
            for _ in range(2):
                it.now += 10
                await audience.hears(Telemetry, len(audience.of(Telemetry)) + 2)
                await it.neighbour.look()

        async with sampling(sampler):
            await measured(0)
            assert it.layers == LAYERS
            own = it.info.plan.vram + CONTEXT_BYTES // 2
            await measured(8 * GIB - own)
            driver.card(memory=f"{8 * GIB} {8 * GIB - own} {own}", compute=f"{game}:{8 * GIB - own}:-")
            await it.loaded()
            assert 0 < it.layers < LAYERS
            assert f"because {psutil.Process(game).name()} holds" in it.info.plan.reason.en


# Game mode ---------------------------------------------------------------------------------------------------------


async def test_game_mode_frees_the_card_and_answers_from_the_processor_until_it_is_off(tmp_path):
    async with house(tmp_path) as it:
        pid = it.info.pid
        await it.neighbour.set_game(True)
        assert not psutil.pid_exists(pid)
        assert (await it.call().result()).finish == "stop"
        assert (it.layers, it.info.plan.reason) == (0, reasons.game_mode())
        assert not it.neighbour.watches
        await it.samples(APART_S + 2 * ROOM_S)
        assert it.layers == 0
        await it.neighbour.set_game(False)
        await it.neighbour.look()
        await it.loaded()
        assert it.layers == LAYERS
        assert it.switched == [True, False]


async def test_game_mode_is_remembered_and_a_model_that_is_loaded_in_it_never_touches_the_card(tmp_path):
    GameSwitch(tmp_path / "run").set(True)
    async with house(tmp_path) as it:
        assert it.neighbour.game
        assert {info.plan.gpu_layers for info in it.told} == {0}


async def test_a_model_that_is_loading_leaves_the_card_too(tmp_path):
    async with house(tmp_path, loaded=False) as it:
        assert it.info.state in (WorkerState.SPAWNING, WorkerState.LOADING)
        await it.neighbour.set_game(True)
        await it.loaded()
        assert it.layers == 0
        assert {info.plan.gpu_layers for info in it.told if info.state == WorkerState.READY} == {0}


async def test_a_model_that_was_chosen_just_before_game_mode_is_moved_by_the_next_look(tmp_path):
    async with house(tmp_path) as it:
        chosen = await it.loader.prepare(WorkerSpec("llm", ENGINE, dict(it.loader._spec.settings)), Wish())
        await it.neighbour.set_game(True)
        await it.roster.assign("llm", chosen)
        assert it.layers == LAYERS
        await it.neighbour.look()
        await it.loaded()
        assert it.layers == 0


async def test_on_and_off_and_on_again_ends_off_the_card(tmp_path):
    async with house(tmp_path) as it:
        await asyncio.gather(*(it.neighbour.set_game(on) for on in (True, False, True)))
        await it.neighbour.look()
        await it.loaded()
        assert it.layers == 0
        assert it.neighbour.game


async def test_an_answer_that_runs_is_not_cut_short_by_the_end_of_game_mode(tmp_path):
    async with house(tmp_path) as it:
        await it.neighbour.set_game(True)
        await it.loaded()
        await it.neighbour.set_game(False)
        it.in_use = True
        assert await it.neighbour.look() == AGAIN_S
        assert it.layers == 0
        it.in_use = False
        await it.neighbour.look()
        await it.loaded()
        assert it.layers == LAYERS


async def test_hearing_leaves_the_card_as_well_and_comes_back(tmp_path):
    async with house(tmp_path) as it:
        await it.roster.assign("stt", WorkerSpec("stt", "tests.gpu.hearing_engine:CardSTT", {"texts": ["안녕"]}))
        hearing = it.roster.here("stt")
        devices = [(await hearing.ready()).extra["device"]]
        for on in (True, False):
            await it.neighbour.set_game(on)
            await it.neighbour.look()
            devices.append((await hearing.ready()).extra["device"])
        assert devices == ["cuda", "cpu", "cuda"]
        assert hearing.spec.settings == {"texts": ["안녕"]}


async def test_hearing_that_is_loading_leaves_the_card_too(tmp_path):
    async with house(tmp_path) as it:
        await it.roster.assign("stt", WorkerSpec("stt", "tests.gpu.hearing_engine:CardSTT", {"slow": True}))
        hearing = it.roster.here("stt")
        await reaches(hearing, WorkerState.LOADING)
        pid = hearing.status.pid
        await it.neighbour.set_game(True)
        assert not psutil.pid_exists(pid), "the card is said to be free when it is"
        assert (await hearing.ready()).extra["device"] == "cpu"
        assert hearing.status.pid != pid


# Sleep -------------------------------------------------------------------------------------------------------------


async def test_a_model_that_nobody_uses_sleeps_after_its_time_and_is_planned_anew_when_it_wakes(tmp_path):
    async with house(tmp_path) as it:
        it.keep_s = 600
        assert await it.neighbour.look() == pytest.approx(600)
        it.now += 599
        assert await it.neighbour.look() == pytest.approx(1)
        it.now += 1
        assert await it.neighbour.look() is None
        assert (it.info.state, it.info.pid) == (WorkerState.ASLEEP, None)
        it.game = 6 * GIB
        assert (await it.call().result()).finish == "stop"
        assert 0 < it.layers < LAYERS
        assert await it.neighbour.look() == pytest.approx(600)


async def test_for_ever_means_for_ever(tmp_path):
    async with house(tmp_path) as it:
        it.now += 1e9
        assert await it.neighbour.look() is None
        assert it.info.state == WorkerState.READY


async def test_at_once_means_after_the_turn(tmp_path):
    async with house(tmp_path) as it:
        it.keep_s = 0
        it.in_use = True
        assert await it.neighbour.look() == AGAIN_S
        it.in_use = False
        await it.neighbour.look()
        assert it.info.state == WorkerState.ASLEEP


async def test_who_begins_to_type_wakes_it_and_is_waited_for_but_not_for_ever(tmp_path):
    async with house(tmp_path) as it:
        it.keep_s = 0
        await it.neighbour.look()
        it.roster.wake("llm")
        await it.loaded()
        assert await it.neighbour.look() == pytest.approx(WANTED_S)
        assert it.info.state == WorkerState.READY
        it.now += WANTED_S
        await it.neighbour.look()
        assert it.info.state == WorkerState.ASLEEP


async def test_after_the_turn_that_was_waited_for_it_sleeps_at_once_again(tmp_path):
    async with house(tmp_path) as it:
        it.keep_s = 0
        it.roster.wake("llm")
        it.now += 5
        assert (await it.call().result()).finish == "stop"
        await it.neighbour.look()
        assert it.info.state == WorkerState.ASLEEP


async def test_a_sleeping_model_is_left_alone_by_game_mode_and_wakes_where_it_should_be(tmp_path):
    async with house(tmp_path) as it:
        await it.worker.sleep()
        await it.neighbour.set_game(True)
        assert it.info.state == WorkerState.ASLEEP
        await it.loaded()
        assert it.layers == 0
        await it.worker.sleep()
        await it.neighbour.set_game(False)
        await it.neighbour.look()
        assert it.info.state == WorkerState.ASLEEP
        await it.loaded()
        assert it.layers == LAYERS


async def test_the_task_looks_by_itself_and_can_be_ended_in_the_middle_of_anything(tmp_path):
    async with house(tmp_path) as it:
        it.keep_s = 0
        task = asyncio.create_task(it.neighbour.run())
        await reaches(it.worker, WorkerState.ASLEEP)
        it.worker.wake()
        await it.worker.ready()
        it.neighbour.stir()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await it.roster.stop()
        assert it.info.state == WorkerState.STOPPED


async def test_a_look_that_fails_is_not_the_last_one(tmp_path):
    async with house(tmp_path) as it:
        again = asyncio.Event()

        def broken():
            if it.worker.status.state == WorkerState.READY and not again.is_set():
                again.set()
                raise RuntimeError("the configuration cannot be read")
            return 0.0

        it.neighbour._keep_alive = broken
        task = asyncio.create_task(it.neighbour.run())
        await again.wait()
        it.neighbour.stir()
        await reaches(it.worker, WorkerState.ASLEEP)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# All of it at once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_at_the_same_time_it_ends_where_it_should_be_and_answers(tmp_path, seed):
    """Game mode, sleep, samples, another plan and questions, none of them waiting for another."""
    draw = random.Random(seed)
    async with house(tmp_path, loaded=False) as it:
        watching = asyncio.create_task(it.neighbour.run())
        pids, doing, calls = set(), [], []
        it.roster.on_change(lambda _job, info: pids.add(info.pid))
        for _ in range(16):
            match draw.randrange(7):
                case 0 | 1:
                    doing.append(asyncio.create_task(it.neighbour.set_game(draw.random() < 0.5)))
                case 2:
                    it.keep_s = draw.choice([0, None])
                    it.neighbour.stir()
                case 3:
                    it.game = draw.choice([0, 6 * GIB, 8 * GIB])
                    it.now += 100
                    it.neighbour.sampled(Telemetry(time=it.now, gpu=await it.gpus()))
                case 4:
                    chosen = await it.loader.prepare(WorkerSpec("llm", ENGINE, dict(it.loader._spec.settings)), Wish())
                    doing.append(asyncio.create_task(it.roster.assign("llm", chosen)))
                case _:
                    it.roster.wake("llm")
                    calls.append(it.call())
            for _ in range(draw.randrange(60)):
                await asyncio.sleep(0)
        on, it.keep_s, it.game = draw.random() < 0.5, None, 0
        async with asyncio.timeout(60):
            await asyncio.gather(*doing)
            await it.neighbour.set_game(on)
            answers = await asyncio.gather(*(call.result() for call in calls), return_exceptions=True)
            it.roster.wake("llm")
            await until(lambda: it.info.state == WorkerState.READY and (it.layers == 0 if on else not it.loader.away))
            assert (await it.call().result()).finish == "stop"
        lost = {answer.fault.code for answer in answers if isinstance(answer, AimarkError)}
        assert lost <= {"worker_stopped", "worker_call_cancelled"}, "of children that were replaced"
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await it.roster.stop()
        assert not [pid for pid in pids - {None} if psutil.pid_exists(pid)]


# The switch --------------------------------------------------------------------------------------------------------


def test_a_switch_is_off_at_first_remembers_and_a_damaged_file_means_off(tmp_path):
    folder = tmp_path / "상태"
    assert not GameSwitch(folder).on
    GameSwitch(folder).set(True)
    assert GameSwitch(folder).on
    (folder / "game.json").write_bytes(b"\xff{")
    assert not GameSwitch(folder).on


def test_a_switch_that_cannot_be_kept_works_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    switch = GameSwitch(tmp_path / "file")
    switch.set(True)
    assert switch.on
