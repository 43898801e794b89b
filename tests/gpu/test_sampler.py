"""The sampler: one for everybody, on time, with history, and never held up by the driver."""

import asyncio
import contextlib
import os
import threading

import pytest

from aimark_daemon.gpu.aside import Aside
from aimark_daemon.gpu.telemetry import Sampler, Work
from aimark_daemon.protocol.messages import Notice, Telemetry, encode
from tests.gpu.driver import GIB, LOST
from tests.server.harness import Clock, until


class Audience:
    """Who looks, and what they were sent."""

    def __init__(self, *topics):
        self.topics = set(topics)
        self.sent = []
        self.news = asyncio.Event()

    def publish(self, topic, event):
        self.sent.append((topic, event))
        self.news.set()

    def of(self, kind):
        return [event for _, event in self.sent if isinstance(event, kind)]

    async def hears(self, kind, count=1):
        async with asyncio.timeout(20):
            while len(self.of(kind)) < count:
                self.news.clear()
                await self.news.wait()
        return self.of(kind)


def sampler_for(audience, *, interval=0.01, work=None, clock=None, **arguments):
    clocks = {"clock": clock, "wall": lambda: clock.now + 1e9} if clock else {}
    return Sampler(
        interval=lambda: interval,
        wanted=audience.topics.__contains__,
        publish=audience.publish,
        work=lambda: work or Work(pids={}),
        **clocks,
        **arguments,
    )


@contextlib.asynccontextmanager
async def running(sampler):
    task = asyncio.create_task(sampler.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def card(driver):
    driver.card()
    return driver


async def test_who_looks_gets_sample_after_sample_of_machine_cards_and_work(card):
    audience = Audience("telemetry")
    work = Work({"llm": os.getpid()}, tokens_per_s=12.5, turns=3, waiting=2, model="큰 모델", plan="24/36 on the GPU")
    async with running(sampler_for(audience, work=work)):
        _, second, *_ = await audience.hears(Telemetry, 2)
    assert second.gpu[0].vram_used == 3 * GIB
    assert (second.tokens_per_s, second.turns, second.waiting) == (12.5, 3, 2)
    assert (second.model, second.plan) == ("큰 모델", "24/36 on the GPU")
    assert second.workers["llm"].pid == os.getpid()
    assert second.workers["llm"].rss > 1_000_000
    assert second.workers["llm"].cpu is not None
    assert second.daemon.rss > 1_000_000
    assert 0 < second.memory_available <= second.memory_total


async def test_the_first_sample_has_no_share_of_the_processor_because_nothing_was_measured_yet(card):
    audience = Audience()
    first = await sampler_for(audience).fresh()
    assert first.cpu is None
    assert first.daemon.cpu is None
    assert '"cpu"' not in encode(first)


async def test_a_dead_worker_is_absent(card):
    sample = await sampler_for(Audience(), work=Work({"llm": 4_000_000, "tts": os.getpid()})).fresh()
    assert set(sample.workers) == {"tts"}


async def test_while_nobody_looks_the_cards_are_left_alone_but_the_history_goes_on(card):
    audience, clock = Audience(), Clock()
    sampler = sampler_for(audience, clock=clock)
    async with running(sampler):
        await until(lambda: len(sampler.history().times) == 1)
        for count in (2, 3):
            clock.now += 10.0
            sampler.wake()
            await until(lambda count=count: len(sampler.history().times) == count)
    history = sampler.history()
    assert audience.sent == []
    assert "memory_available" in history.series
    assert not [name for name in history.series if name.startswith("gpu")]
    assert not sampler._nvml._open


async def test_while_nobody_looks_a_card_that_an_engine_works_on_is_in_the_history(card):
    audience, clock = Audience(), Clock()
    sampler = sampler_for(audience, clock=clock, work=Work({}, on_card=True))
    async with running(sampler):
        await until(lambda: len(sampler.history().times) == 1)
    assert sampler.history().series["gpu.0.vram_used"] == (3.0 * GIB,)


async def test_the_driver_is_closed_when_the_last_one_looked_away(card):
    audience, clock = Audience("telemetry"), Clock()
    sampler = sampler_for(audience, interval=3600, clock=clock)
    async with running(sampler):
        await audience.hears(Telemetry)
        assert sampler._nvml._open
    audience.topics.clear()
    async with running(sampler):
        await until(lambda: len(sampler.history().times) == 1 and not sampler._nvml._open)


async def test_a_client_that_begins_to_look_is_not_kept_waiting_for_the_slow_pace(card):
    audience = Audience()
    sampler = sampler_for(audience, interval=3600)
    async with running(sampler):
        await until(lambda: len(sampler.history().times) == 1)
        audience.topics.add("telemetry")
        sampler.wake()
        await audience.hears(Telemetry)


async def test_one_more_client_makes_no_more_samples(card):
    audience = Audience("telemetry")
    sampler = sampler_for(audience, interval=3600)
    async with running(sampler):
        await audience.hears(Telemetry)
        for _ in range(20):
            sampler.wake()
            await asyncio.sleep(0)
        assert len(audience.of(Telemetry)) == 1


async def test_a_late_client_gets_ten_minutes_of_what_was_with_the_right_times(driver):
    clock = Clock()
    sampler = sampler_for(Audience(), interval=1.0, clock=clock)
    for number in range(700):
        driver.card(memory=f"{8 * GIB} {number} {8 * GIB - number}")
        await sampler.fresh()
        clock.now += 1.0
    history = sampler.history()
    used = history.series["gpu.0.vram_used"]
    assert used == tuple(float(number) for number in range(100, 700))
    assert len(history.times) == 600
    assert history.times[-1] == pytest.approx(clock.now + 1e9 - 1.0)
    assert history.times[0] == pytest.approx(clock.now + 1e9 - 600.0)
    assert {len(values) for values in history.series.values()} == {600}
    assert len(encode(history)) < 200_000


async def test_a_wall_clock_that_is_set_back_leaves_the_history_in_order(card):
    clock = Clock()
    sampler = sampler_for(Audience(), interval=0.0, clock=clock)
    await sampler.fresh()
    clock.now += 5.0
    await sampler.fresh()
    sampler._wall = lambda: 50.0
    assert sampler.history().times == (45.0, 50.0)


async def test_scrapes_share_a_sample_within_the_interval(card):
    clock = Clock()
    sampler = sampler_for(Audience(), interval=1.0, clock=clock)
    first, same = await asyncio.gather(sampler.fresh(), sampler.fresh())
    assert same is first
    clock.now += 1.0
    assert await sampler.fresh() is not first


async def test_a_driver_that_hangs_holds_nothing_up_and_is_said_once(card):
    audience = Audience("telemetry", "notices")
    sampler = sampler_for(audience, cards_limit_s=0.05, cards_patience_s=0.2)
    async with running(sampler):
        assert (await audience.hears(Telemetry))[0].gpu
        card.set(hang="")
        await audience.hears(Notice)
        hung = await audience.hears(Telemetry, len(audience.of(Telemetry)) + 20)
        assert hung[-1].gpu == ()
        assert sampler.trouble.code == "gpu_slow"
        card.set(hang=None)
        await until(lambda: not sampler._aside.behind)
        await audience.hears(Telemetry, len(audience.of(Telemetry)) + 2)
        assert audience.of(Telemetry)[-1].gpu
        assert sampler.trouble is None
    (notice,) = audience.of(Notice)
    assert (notice.level, notice.fault.code) == ("warning", "gpu_slow")
    assert notice.fault.message.ko == "NVIDIA 드라이버가 제때 응답하지 않습니다."


async def test_a_card_that_takes_a_while_to_open_is_no_trouble(card):
    card.set(hang="")
    audience, clock = Audience("telemetry", "notices"), Clock()
    sampler = sampler_for(audience, clock=clock, cards_limit_s=0.01)
    async with running(sampler):
        assert (await audience.hears(Telemetry, 5))[-1].gpu == ()
        assert sampler.trouble is None
        card.set(hang=None)
        await until(lambda: not sampler._aside.behind)
        await audience.hears(Telemetry, len(audience.of(Telemetry)) + 3)
    assert audience.of(Telemetry)[-1].gpu
    assert audience.of(Notice) == []


async def test_a_lost_card_is_said_once_however_often_it_comes_and_goes(card):
    audience, clock = Audience("telemetry", "notices"), Clock()
    sampler = sampler_for(audience, interval=0.0, clock=clock)
    async with running(sampler):
        for _ in range(3):
            card.set(_0__handle=LOST, _0__memory=LOST)
            await until(lambda: sampler.trouble is not None)
            await until(lambda: audience.of(Notice))
            card.card()
            card.set(_0__handle=None)
            clock.now += 100.0
            await until(lambda: sampler.trouble is None)
    (notice,) = audience.of(Notice)
    assert notice.fault.code == "gpu_lost"


async def test_a_fault_waits_for_somebody_to_tell_it_to(driver):
    audience = Audience("telemetry")
    sampler = sampler_for(audience)
    async with running(sampler):
        await audience.hears(Telemetry, 3)
        assert audience.of(Notice) == []
        audience.topics.add("notices")
        (notice, *_) = await audience.hears(Notice)
        await audience.hears(Telemetry, len(audience.of(Telemetry)) + 3)
    assert (notice.level, notice.fault.code) == ("info", "gpu_none")
    assert len(audience.of(Notice)) == 1


async def test_a_sample_that_fails_is_not_the_end_of_all_samples(card, caplog):
    audience = Audience("telemetry")
    sampler = sampler_for(audience)
    whole, failures = sampler._machine.read, []

    def broken(*arguments):
        if len(failures) < 3:
            failures.append(1)
            raise OSError("/proc는 없습니다")
        return whole(*arguments)

    sampler._machine.read = broken
    async with running(sampler):
        await audience.hears(Telemetry)
    assert [record.levelname for record in caplog.records if record.message == "no sample"] == ["ERROR"]


async def test_a_call_that_hangs_neither_blocks_the_loop_nor_piles_up():
    go_on, calls = threading.Event(), []

    def call():
        calls.append(1)
        assert go_on.wait(20)
        return len(calls)

    ended = threading.Event()
    aside = Aside(call, ended.set, "test")
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await aside(0.01)
    assert aside.behind
    assert len(calls) == 1
    go_on.set()
    assert await aside(20) == 1
    assert await aside(20) == 2
    aside.close()
    assert await asyncio.to_thread(ended.wait, 20)


async def test_what_a_call_raises_reaches_who_asked_and_the_next_call_works():
    answers = iter([ValueError("아니요"), 7])

    def call():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    aside = Aside(call, lambda: None, "test")
    with pytest.raises(ValueError, match="아니요"):
        await aside(20)
    assert await aside(20) == 7
    aside.close()
