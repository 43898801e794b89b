"""Leasing: waits for the driver, ends idle holders, and survives those who give up."""

import asyncio

import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.gpu.leases import Use
from aimark_daemon.gpu.leasing import Leasing
from aimark_daemon.gpu.plan_faults import GPU_MEMORY_HELD, GPU_MEMORY_SHORT

POLL_S = 0.001


class Card:
    """Free memory as a driver tells it, and how often it was asked."""

    def __init__(self, free):
        self.free = free
        self.asked = 0
        self.changed = asyncio.Event()

    async def __call__(self):
        self.asked += 1
        self.changed.set()
        if isinstance(self.free, Exception):
            raise self.free
        return self.free

    async def asked_again(self, times=3):
        """Wait until the driver was asked so many times more."""
        goal = self.asked + times
        while self.asked < goal:
            self.changed.clear()
            await self.changed.wait()


@pytest.fixture
def card():
    return Card(100)


@pytest.fixture
async def leasing(card):
    leasing = Leasing(card, poll_s=POLL_S)
    yield leasing
    await leasing.close()


def uses(leasing):
    return {lease.holder: lease.use for lease in leasing.leases}


async def idle(leasing, card, holder, size):
    """A holder that has loaded; it leaves when it is asked to, and the driver shows that when `card.free` changes."""
    asked = asyncio.Event()

    async def evict():
        asked.set()

    leasing.register(holder, evict)
    await leasing.acquire(holder, size)
    leasing.loaded(holder)
    card.free -= size
    return asked


async def test_an_idle_holder_leaves_and_the_driver_is_waited_for(leasing, card):
    asked = await idle(leasing, card, "stt", 60)
    waiting = asyncio.create_task(leasing.acquire("llm", 90))
    await asked.wait()
    await card.asked_again()
    assert not waiting.done(), "the driver still shows it as taken"
    card.free = 100
    await waiting
    assert uses(leasing) == {"llm": Use.LOADING}


async def test_a_busy_holder_is_waited_for_and_leaves_when_it_rests(leasing, card):
    asked = await idle(leasing, card, "llm", 60)
    assert leasing.begin("llm")
    waiting = asyncio.create_task(leasing.acquire("image", 90))
    await card.asked_again()
    assert not asked.is_set()
    leasing.rest("llm")
    await asked.wait()
    await card.asked_again()
    assert not leasing.begin("llm"), "it has to ask for a lease again"
    card.free = 100
    await waiting


async def test_who_is_busy_for_too_long_is_named(leasing, card):
    await idle(leasing, card, "llm", 60)
    leasing.begin("llm")
    with pytest.raises(AimarkError) as caught:
        await leasing.acquire("image", 90, patience_s=0.0)
    assert GPU_MEMORY_HELD.caught_in(caught.value)
    assert "the language model holds" in caught.value.fault.message.en
    assert uses(leasing) == {"llm": Use.BUSY}


async def test_what_can_never_fit_is_refused_at_once(leasing, card):
    await idle(leasing, card, "llm", 60)
    with pytest.raises(AimarkError) as caught:
        await leasing.acquire("image", 101)
    assert GPU_MEMORY_SHORT.caught_in(caught.value)
    assert uses(leasing) == {"llm": Use.IDLE}


@pytest.mark.parametrize("way", ["fails", "hangs", "is not known"])
async def test_a_holder_that_does_not_leave_stays(card, way, caplog):
    leasing = Leasing(card, poll_s=POLL_S, evict_s=0.01)
    await idle(leasing, card, "stt", 60)

    async def fails():
        raise OSError("no")

    async def hangs():
        await asyncio.Event().wait()

    if way == "is not known":
        leasing._evictors.clear()
    else:
        leasing.register("stt", fails if way == "fails" else hangs)
    waiting = asyncio.create_task(leasing.acquire("llm", 90))
    while uses(leasing)["stt"] is not Use.BUSY:
        await card.asked_again(1)
    assert "stt did not give its memory back" in caplog.text
    assert not waiting.done()
    leasing.release("stt")
    card.free = 100
    await waiting
    await leasing.close()


async def test_who_gives_up_waiting_leaves_nothing_behind(leasing, card):
    card.free = 10
    await idle(leasing, card, "stt", 5)
    leasing.begin("stt")
    waiting = asyncio.create_task(leasing.acquire("llm", 8))
    behind = asyncio.create_task(leasing.acquire("image", 5))
    await card.asked_again()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await behind
    assert uses(leasing) == {"stt": Use.BUSY, "image": Use.LOADING}


async def test_who_gives_up_in_the_moment_of_the_grant_does_not_keep_it(leasing, card):
    for turns in range(12):
        waiting = asyncio.create_task(leasing.acquire("llm", 90))
        for _ in range(turns):
            await asyncio.sleep(0)
        if waiting.cancel():
            with pytest.raises(asyncio.CancelledError):
                await waiting
        else:
            leasing.release("llm")
        assert leasing.leases == ()
    await leasing.acquire("stt", 90)


async def test_a_driver_that_fails_is_asked_again(leasing, card, caplog):
    card.free = OSError("driver reset")
    waiting = asyncio.create_task(leasing.acquire("llm", 90))
    await card.asked_again()
    assert not waiting.done()
    assert "driver reset" in caplog.text
    card.free = 100
    await waiting


async def test_a_driver_that_tells_nothing_leads_to_a_refusal(leasing, card):
    card.free = None
    with pytest.raises(AimarkError) as caught:
        await leasing.acquire("llm", 90, patience_s=0.0)
    assert GPU_MEMORY_HELD.caught_in(caught.value)


async def test_two_at_once_are_never_granted_the_same_memory(leasing, card):
    first = asyncio.create_task(leasing.acquire("llm", 60))
    second = asyncio.create_task(leasing.acquire("stt", 60))
    await first
    await card.asked_again()
    assert not second.done()
    card.free = 40
    leasing.loaded("llm")
    leasing.begin("llm")
    await card.asked_again()
    assert not second.done()
    leasing.release("llm")
    card.free = 100
    await second


async def test_a_holder_that_asks_again_while_it_is_ended_keeps_its_new_lease(leasing, card):
    ending = asyncio.Event()
    asked = asyncio.Event()

    async def evict():
        asked.set()
        await ending.wait()

    leasing.register("stt", evict)
    await leasing.acquire("stt", 60)
    leasing.loaded("stt")
    card.free = 40
    waiting = asyncio.create_task(leasing.acquire("llm", 90))
    await asked.wait()
    again = asyncio.create_task(leasing.acquire("stt", 10))
    card.free = 100
    await waiting
    await again
    ending.set()
    await asyncio.gather(*leasing._evictions)
    assert uses(leasing) == {"llm": Use.LOADING, "stt": Use.LOADING}


async def test_closing_cancels_those_who_wait(card):
    leasing = Leasing(card, poll_s=POLL_S)
    card.free = None
    waiting = asyncio.create_task(leasing.acquire("llm", 90))
    await card.asked_again(1)
    await leasing.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
