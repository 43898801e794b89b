"""The call table: what a caller gets of a call, and when, whatever the child does."""

import asyncio

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import faults
from aimark_daemon.workers import messages as m
from aimark_daemon.workers.calls import CallTable
from tests.workers import engines as e
from tests.workers.labs import first


def begun(table):
    """A call that an engine has, and what is sent to the engine."""
    sent = []
    call = table.begin("실험", e.ECHO, e.Ask("가"))
    table.attach_all(sent.append)
    return call, sent


def test_an_event_of_the_wrong_type_fails_the_call_and_cancels_it():
    async def check():
        call, sent = begun(table := CallTable())
        table.deliver(m.Event(call.id, m.pack({"text": 7})))
        with pytest.raises(AimarkError) as caught:
            await first(call)
        assert faults.PROTOCOL.caught_in(caught.value)
        assert sent[-1] == m.Cancel(call.id)
        assert len(table) == 0

    asyncio.run(check())


def test_a_result_of_the_wrong_type_fails_the_call():
    async def check():
        call, _ = begun(table := CallTable())
        table.deliver(m.Result(call.id, m.pack(["아님"])))
        with pytest.raises(AimarkError, match="worker_protocol"):
            await call.result()

    asyncio.run(check())


def test_events_that_came_before_a_fault_are_read_before_it_is_raised():
    async def check():
        call, _ = begun(table := CallTable())
        table.deliver(m.Event(call.id, m.pack(e.Piece("앞"))))
        table.fail(faults.KILLED.fault(name="실험"))
        assert await first(call) == e.Piece("앞")
        with pytest.raises(AimarkError, match="worker_killed"):
            await first(call)

    asyncio.run(check())


def test_messages_after_the_end_of_a_call_are_dropped():
    async def check():
        call, sent = begun(table := CallTable())
        table.deliver(m.Result(call.id, m.pack(e.Answer("끝"))))
        table.deliver(m.Failed(call.id, faults.KILLED.fault(name="실험")))
        count = len(sent)
        call.cancel()
        await call.feed(b"123")
        await call.end_input()
        assert len(sent) == count
        assert await call.result() == e.Answer("끝")

    asyncio.run(check())


def test_a_request_above_the_cap_fails_at_once():
    async def check():
        table = CallTable()
        call = table.begin("실험", e.ECHO, e.Ask("a" * m.MAX_FRAME))
        with pytest.raises(AimarkError, match="worker_message_too_large"):
            await call.result()
        assert len(table) == 0

    asyncio.run(check())


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 400_000), max_size=12),
    read=st.integers(0, 12),
    await_result=st.booleans(),
)
def test_whatever_is_read_the_window_is_given_back_except_for_less_than_a_quarter(sizes, read, await_result):
    async def check():
        call, sent = begun(table := CallTable())
        payloads = [m.pack(e.Piece("가" * (size // 3))) for size in sizes]
        for payload in payloads:
            table.deliver(m.Event(call.id, payload))
        read_now = min(read, len(payloads))
        for _ in range(read_now):
            await first(call)
        free = sum(len(bytes(p)) + m.OVERHEAD for p in (payloads if await_result else payloads[:read_now]))
        if await_result:
            waiting = asyncio.create_task(call.result())
            await asyncio.sleep(0)
        given_back = sum(x.size for x in sent if isinstance(x, m.Taken))
        assert free - m.WINDOW // 4 < given_back <= free or given_back == free == 0
        if await_result:
            table.deliver(m.Result(call.id, m.pack(e.Answer("끝"))))
            assert await waiting == e.Answer("끝")

    asyncio.run(check())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 800_000), min_size=1, max_size=6))
def test_fed_bytes_never_exceed_the_window_and_all_arrive(sizes):
    async def check():
        call, sent = begun(table := CallTable())

        async def feed():
            for size in sizes:
                await call.feed(bytes(size))

        feeding = asyncio.create_task(feed())
        consumed = 0
        while not feeding.done() or consumed < sum(sizes):
            await asyncio.sleep(0)
            fed = sum(len(x.data) for x in sent if isinstance(x, m.Feed))
            assert fed - consumed <= m.WINDOW
            if fed > consumed:
                table.deliver(m.Consumed(call.id, fed - consumed))
                consumed = fed
        assert consumed == sum(sizes)

    asyncio.run(check())


def test_payloads_stay_raw_until_their_reader_wants_them():
    payload = m.pack(e.Piece("날것"))
    (event,) = m.FrameDecoder(m.FromChild).feed(m.frame(m.Event(1, payload)))
    assert isinstance(event.payload, msgspec.Raw)
    assert msgspec.msgpack.decode(event.payload, type=e.Piece) == e.Piece("날것")
