"""Cards through the real binding over a scripted driver: what is told, what is absent, and what comes and goes."""

import itertools
import os

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimark_daemon.gpu.card import reasons
from aimark_daemon.gpu.nvml import Nvml, free_vram
from aimark_daemon.protocol.messages import GpuInfo, GpuProcess, MigInstance
from tests.gpu.driver import GIB, LOST, MISMATCH, NO_PERMISSION, NOT_LOADED, UNKNOWN, install
from tests.server.harness import Clock

NOTHING = "!3"
UINT, ULONG = str(2**32 - 1), str(2**64 - 1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def nvml(driver, clock):
    reader = Nvml(clock=clock)
    yield reader
    reader.close()


def code(nvml):
    return nvml.trouble.code if nvml.trouble else ""


def test_an_ordinary_card_is_told_in_full(driver, nvml):
    driver.card()
    assert nvml.sample() == (
        GpuInfo(
            index=0,
            name="NVIDIA GeForce RTX 4060",
            uuid="GPU-0a1b2c3d",
            driver="580.65.06",
            vram_total=8 * GIB,
            vram_used=3 * GIB,
            vram_free=5 * GIB,
            utilisation=42.0,
            power_w=61.5,
            power_limit_w=115.0,
            temperature_c=57.0,
            clock_mhz=1830,
            memory_clock_mhz=8001,
            throttle=(),
            processes=(),
        ),
    )
    assert nvml.trouble is None


def test_two_cards_are_told_apart(driver, nvml):
    driver.card(0, uuid="=GPU-one")
    driver.card(1, uuid="=GPU-two", memory=f"{24 * GIB} 0 {24 * GIB}", name="=카드 둘")
    cards = nvml.sample()
    assert [(card.index, card.uuid) for card in cards] == [(0, "GPU-one"), (1, "GPU-two")]
    assert cards[1].name == "카드 둘"
    assert cards[1].vram_used == 0
    assert free_vram(cards) == 24 * GIB


FIGURES = {
    "memory": ("vram_total", "vram_used", "vram_free"),
    "utilisation": ("utilisation",),
    "power": ("power_w",),
    "power_limit": ("power_limit_w",),
    "temperature": ("temperature_c",),
    "clock": ("clock_mhz",),
    "memory_clock": ("memory_clock_mhz",),
    "events": ("throttle",),
}
NO_VALUE = {"memory": f"{ULONG} {ULONG} {ULONG}", "events": ULONG}


@pytest.mark.parametrize("answer", FIGURES)
@pytest.mark.parametrize("how", ["unsupported", "forbidden", "sentinel"])
def test_what_the_driver_does_not_tell_is_absent_and_the_rest_is_there(driver, nvml, answer, how):
    told = {"unsupported": NOTHING, "forbidden": NO_PERMISSION, "sentinel": NO_VALUE.get(answer, UINT)}[how]
    driver.card(**{answer: told})
    (card,) = nvml.sample()
    assert [getattr(card, field) for field in FIGURES[answer]] == [None] * len(FIGURES[answer])
    others = {field for fields in FIGURES.values() for field in fields} - set(FIGURES[answer])
    assert all(getattr(card, field) is not None for field in others)
    assert nvml.trouble is None


def test_a_card_that_shares_the_machines_memory_has_no_memory_of_its_own_rather_than_none_left(driver, nvml):
    driver.card(memory="0 0 0")
    (card,) = nvml.sample()
    assert (card.vram_total, card.vram_used, card.vram_free) == (None, None, None)
    assert card.utilisation == 42.0


def test_a_load_above_the_whole_is_no_load(driver, nvml):
    driver.card(utilisation="4711")
    assert nvml.sample()[0].utilisation is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(silent=st.sets(st.sampled_from(["name", "uuid", "compute", "graphics", *FIGURES])))
def test_any_card_is_told_without_an_invented_figure(driver, clock, silent):
    driver.card(**dict.fromkeys(silent, NOTHING))
    (card,) = Nvml(clock=clock).sample()
    for answer, fields in FIGURES.items():
        for field in fields:
            assert (getattr(card, field) is None) == (answer in silent)
    assert (card.processes is None) == ({"compute", "graphics"} <= silent)


def test_programs_are_named_with_their_memory_and_our_own_are_known(driver, clock):
    own, other, gone = os.getpid(), os.getppid(), 4_000_000
    driver.card(
        compute=f"{own}:{2 * GIB}:- {other}:{GIB}:- {gone}:-:-",
        graphics=f"{other}:{GIB}:-",
    )
    (card,) = Nvml(lambda: {own: "llm"}, clock).sample()
    assert card.processes == (
        GpuProcess(own, psutil.Process(own).name(), 2 * GIB, "llm"),
        GpuProcess(other, psutil.Process(other).name(), GIB),
        GpuProcess(gone, "", None),
    )


def test_another_program_that_grows_is_seen_growing(driver, nvml):
    driver.card(compute=f"{os.getpid()}:{GIB}:-", memory=f"{8 * GIB} {GIB} {7 * GIB}")
    before = nvml.sample()[0]
    driver.set(_0__compute=f"{os.getpid()}:{3 * GIB}:-", _0__memory=f"{8 * GIB} {3 * GIB} {5 * GIB}")
    after = nvml.sample()[0]
    assert (before.processes[0].vram, after.processes[0].vram) == (GIB, 3 * GIB)
    assert (before.vram_free, after.vram_free) == (7 * GIB, 5 * GIB)


def test_throttle_reasons_are_words_in_both_languages_and_an_idle_card_is_not_throttled(driver, nvml):
    driver.card(events=str(0x01 | 0x04 | 0x40))
    reason, heat = nvml.sample()[0].throttle
    assert (reason.code, reason.words.en, reason.words.ko) == ("power_cap", "power limit", "전력 제한")
    assert heat.code == "heat_hardware"


@given(st.integers(0, 2**64 - 2))
def test_any_bits_are_known_reasons_or_nothing(bits):
    assert {reason.code for reason in reasons(bits)} <= {reason.code for reason in reasons(2**64 - 1)}
    assert reasons(bits & 1) == ()


def test_a_divided_card_tells_its_parts_and_says_so(driver, nvml):
    driver.card(
        name="=NVIDIA A100",
        mig="1",
        mig_most="7",
        utilisation=NOTHING,
        compute=f"11:{GIB}:1 11:{GIB}:2",
        **{"1.memory": f"{10 * GIB} {GIB} {9 * GIB}", "1.uuid": "=MIG-1", "1.name": "=1g.10gb", "4.memory": NOTHING},
    )
    (card,) = nvml.sample()
    assert card.mig == (MigInstance(1, "1g.10gb", "MIG-1", 10 * GIB, GIB, 9 * GIB), MigInstance(4))
    assert card.utilisation is None
    assert card.processes == (GpuProcess(11, card.processes[0].name, 2 * GIB),)
    assert nvml.trouble.code == "gpu_divided"
    assert "2개" in nvml.trouble.message.ko
    assert free_vram((card,)) == 9 * GIB


def test_a_divided_card_without_parts_has_no_room(driver, nvml):
    driver.card(mig="1", mig_most="7")
    (card,) = nvml.sample()
    assert card.mig == ()
    assert free_vram((card,)) == 0


def test_no_card_means_no_room_to_plan_with():
    assert free_vram(()) is None


def test_an_old_driver_tells_what_it_can(monkeypatch, tmp_path, clock):
    driver = install(monkeypatch, tmp_path, "-DOLD_DRIVER")
    driver.card(throttle="4")
    (card,) = Nvml(clock=clock).sample()
    assert (card.processes, card.mig) == (None, None)
    assert card.temperature_c == 57.0
    assert [reason.code for reason in card.throttle] == ["power_cap"]


def test_a_new_driver_that_dropped_the_old_temperature_call_is_asked_the_new_one(driver, nvml):
    driver.card(temperature=NOTHING, temperature_v="61")
    assert nvml.sample()[0].temperature_c == 61.0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("!12", "gpu_driver_missing"),
        (NOT_LOADED, "gpu_driver_not_loaded"),
        (NO_PERMISSION, "gpu_not_allowed"),
        ("!17", "gpu_not_allowed"),
        (MISMATCH, "gpu_driver_mismatch"),
        (UNKNOWN, "gpu_unreadable"),
        (LOST, "gpu_unreadable"),
        ("!4242", "gpu_unreadable"),
    ],
)
def test_a_driver_that_cannot_be_opened_is_no_card_and_a_fault_with_its_own_words(driver, nvml, answer, expected):
    driver.card()
    driver.set(init=answer)
    assert nvml.sample() == ()
    assert code(nvml) == expected
    assert nvml.trouble.detail


def test_a_machine_without_the_library_has_no_card(monkeypatch, clock):
    import pynvml

    def missing(_name):
        raise OSError("no such file")

    monkeypatch.setattr(pynvml, "CDLL", missing)
    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    nvml = Nvml(clock=clock)
    assert nvml.sample() == ()
    assert code(nvml) == "gpu_driver_missing"
    nvml.close()


def test_a_driver_without_a_card_is_looked_at_again_later(driver, nvml, clock):
    assert nvml.sample() == ()
    assert code(nvml) == "gpu_none"
    driver.card()
    assert nvml.sample() == ()
    clock.now += 1.0
    assert len(nvml.sample()) == 1
    assert nvml.trouble is None


def test_a_driver_that_is_reset_comes_back_by_itself(driver, nvml, clock):
    driver.card()
    assert len(nvml.sample()) == 1
    driver.set(count=NOT_LOADED, init=NOT_LOADED)
    assert nvml.sample() == ()
    assert code(nvml) == "gpu_driver_not_loaded"
    driver.set(count="1", init=None, driver="=590.1")
    assert nvml.sample() == (), "it is not opened again at once"
    clock.now += 1.0
    assert nvml.sample()[0].driver == "590.1"
    assert nvml.trouble is None


@pytest.mark.parametrize("answer", ["memory", "power", "name", "compute", "mig"])
def test_a_driver_that_goes_in_the_middle_of_a_sample_ends_the_sample(driver, nvml, answer):
    driver.card(**{answer: NOT_LOADED})
    assert nvml.sample() == ()
    assert code(nvml) == "gpu_driver_not_loaded"


def test_a_lost_card_leaves_the_other_one_there_and_is_looked_for_ever_less_often(driver, nvml, clock):
    driver.card(0, name="=One")
    driver.card(1, name="=Two")
    assert len(nvml.sample()) == 2
    driver.set(_0__memory=LOST, _0__handle=LOST)
    opened = []
    original = nvml._begin
    nvml._begin = lambda: (opened.append(clock.now), original())
    for _ in range(300):
        clock.now += 1.0
        assert [card.name for card in nvml.sample()] == ["Two"]
        assert code(nvml) == "gpu_lost"
        assert "0 One" in nvml.trouble.message.en
    gaps = [after - before for before, after in itertools.pairwise(opened)]
    assert gaps == sorted(gaps)
    assert 5 <= len(opened) <= 12
    assert gaps[-1] == 60.0
    driver.set(_0__memory=f"{8 * GIB} 0 {8 * GIB}", _0__handle=None)
    clock.now += 60.0
    assert len(nvml.sample()) == 2
    assert nvml.trouble is None


def test_a_card_that_hangs_is_lost_though_the_driver_says_nothing_of_it(driver, nvml):
    driver.card(0)
    driver.card(1)
    assert len(nvml.sample()) == 2
    driver.set(_1__memory=UNKNOWN, _1__utilisation=UNKNOWN)
    assert [card.index for card in nvml.sample()] == [0]
    assert (code(nvml), nvml.trouble.detail) == ("gpu_lost", "Unknown Error")
    driver.card(1, memory=UNKNOWN)
    assert [card.index for card in nvml.sample()] == [0, 1]
    assert nvml.trouble is None


def test_a_card_that_is_plugged_in_is_seen(driver, nvml):
    driver.card(0)
    assert len(nvml.sample()) == 1
    driver.card(1)
    assert len(nvml.sample()) == 2


def test_a_closed_reader_opens_again(driver, nvml):
    driver.card()
    assert nvml.sample()
    nvml.close()
    nvml.close()
    assert nvml.sample()
