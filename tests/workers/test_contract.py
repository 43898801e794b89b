"""What every worker does, in a child process as well as inline."""

import asyncio
import os
import unicodedata
from itertools import pairwise

import pytest

from aimark_daemon.errors import INTERNAL, AimarkError
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.calls import MAX_CALLS
from aimark_daemon.workers.messages import WINDOW
from tests.workers import engines as e
from tests.workers.labs import KINDS, first, reaches, running, spec


@pytest.fixture(params=KINDS)
def make(request):
    return KINDS[request.param]


def on(make, check, the_spec=None):
    """Run `check(worker)` on a started worker."""

    async def run():
        async with running(make, the_spec or spec()) as worker:
            await check(worker)

    asyncio.run(run())


def test_a_call_begun_before_the_engine_is_loaded_waits_for_it(make):
    async def check(worker):
        assert worker.status.state in {WorkerState.SPAWNING, WorkerState.LOADING}
        assert await worker.call(e.ECHO, e.Ask("대한민국", 7)).result() == e.Answer("대한민국", 7)

    on(make, check)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_hangul_streams_character_by_character_in_order(make, form):
    said = unicodedata.normalize(form, "안녕하세요, 무엇을 도와드릴까요?")

    async def check(worker):
        call = worker.call(e.STREAM, e.Ask(said))
        assert [piece.text async for piece in call] == list(said)
        assert await call.result() == e.Answer(said, 1)

    on(make, check)


def test_a_result_can_be_awaited_without_reading_far_more_events_than_the_window_holds(make):
    count = 2 * WINDOW // 64

    async def check(worker):
        assert await worker.call(e.STREAM, e.Ask("가", count)).result() == e.Answer("가", count)

    on(make, check)


def test_a_result_can_be_awaited_after_reading_only_the_first_event(make):
    count = 2 * WINDOW // 64

    async def check(worker):
        call = worker.call(e.STREAM, e.Ask("가", count))
        assert await first(call) == e.Piece("가")
        assert await call.result() == e.Answer("가", count)

    on(make, check)


def test_an_unread_stream_waits_for_its_reader_and_loses_nothing(make):
    count = 2 * WINDOW // 64

    async def check(worker):
        slow = worker.call(e.STREAM, e.Ask("나", count))
        assert await worker.call(e.ECHO, e.Ask("옆")).result() == e.Answer("옆", 1)
        assert len([piece async for piece in slow]) == count

    on(make, check, spec("Twins"))


def test_fed_bytes_reach_the_engine_whole(make):
    async def check(worker):
        call = worker.call(e.SUM, e.Ask("합계"))
        await call.feed(bytes(3 * WINDOW))
        await call.feed(b"\x01\x02\x03")
        await call.end_input()
        assert await call.result() == e.Answer("합계", 3 * WINDOW + 3)

    on(make, check)


def test_feeding_waits_while_the_engine_does_not_read(make):
    async def check(worker):
        blocker = worker.call(e.UNTIL_CANCELLED, e.Ask())
        await first(blocker)
        call = worker.call(e.SUM, e.Ask())
        feeding = asyncio.create_task(call.feed(bytes(2 * WINDOW)))
        assert await worker_is_idle(feeding)
        blocker.cancel()
        await feeding
        await call.end_input()
        assert (await call.result()).number == 2 * WINDOW

    async def worker_is_idle(feeding):
        for _ in range(200):
            await asyncio.sleep(0)
        return not feeding.done()

    on(make, check)


def test_cancel_ends_a_running_call_with_what_the_engine_had(make):
    async def check(worker):
        call = worker.call(e.UNTIL_CANCELLED, e.Ask())
        assert await first(call) == e.Piece("시작")
        call.cancel()
        call.cancel()
        assert await call.result() == e.Answer("취소됨")

    on(make, check)


def test_cancel_ends_the_input_of_a_call_that_waits_for_it(make):
    async def check(worker):
        call = worker.call(e.SUM, e.Ask("도중"))
        await call.feed(b"1234")
        await first(call)
        call.cancel()
        assert (await call.result()).text == "도중"

    on(make, check)


def test_cancel_frees_a_call_that_waits_for_its_reader(make):
    async def check(worker):
        call = worker.call(e.STREAM, e.Ask("다", 2 * WINDOW // 64))
        await first(call)
        call.cancel()
        assert (await call.result()).text == "다"

    on(make, check)


def test_a_queued_call_that_is_cancelled_ends_at_once_although_another_runs_on(make):
    async def check(worker):
        await worker.ready()
        running_call = worker.call(e.UNTIL_CANCELLED, e.Ask())
        await first(running_call)
        queued = worker.call(e.ECHO, e.Ask("기다림"))
        queued.cancel()
        with pytest.raises(AimarkError) as caught:
            await queued.result()
        assert faults.CALL_CANCELLED.caught_in(caught.value)
        running_call.cancel()
        assert await running_call.result() == e.Answer("취소됨")

    on(make, check)


def test_a_call_cancelled_before_the_engine_is_loaded_ends_at_once(make):
    async def check(worker):
        call = worker.call(e.ECHO, e.Ask())
        call.cancel()
        with pytest.raises(AimarkError, match=r"worker_call_cancelled"):
            await call.result()

    on(make, check)


def test_calls_run_first_in_first_out(make):
    async def check(worker):
        ended = []
        calls = [worker.call(e.ECHO, e.Ask(str(n), n)) for n in range(20)]

        async def wait(call):
            ended.append((await call.result()).number)

        await asyncio.gather(*map(wait, calls))
        assert ended == list(range(20))

    on(make, check)


def test_an_engine_with_two_threads_runs_two_calls_at_a_time(make):
    async def check(worker):
        blocker = worker.call(e.UNTIL_CANCELLED, e.Ask())
        await first(blocker)
        assert await worker.call(e.ECHO, e.Ask("함께")).result() == e.Answer("함께", 1)
        blocker.cancel()
        await blocker.result()

    on(make, check, spec("Twins"))


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("typed", e.TYPED.code),
        ("memory", faults.OUT_OF_MEMORY.code),
        ("exit", INTERNAL.code),
        ("값이 틀렸습니다", INTERNAL.code),
    ],
)
def test_an_engines_exception_fails_the_call_alone(make, how, code):
    async def check(worker):
        pid = (await worker.ready()) and worker.status.pid
        call = worker.call(e.FAIL, e.Ask(how))
        with pytest.raises(AimarkError) as caught:
            await call.result()
        assert caught.value.fault.code == code
        with pytest.raises(AimarkError):
            await first(call)
        assert await worker.call(e.ECHO, e.Ask("계속")).result() == e.Answer("계속", 1)
        assert (worker.status.pid, worker.status.restarts) == (pid, 0)

    on(make, check)


def test_a_fault_keeps_its_korean_words_on_the_way(make):
    async def check(worker):
        with pytest.raises(AimarkError) as caught:
            await worker.call(e.FAIL, e.Ask("typed")).result()
        assert caught.value.fault == e.TYPED.fault(what="요청")

    on(make, check)


def test_a_method_that_the_engine_lacks_is_told(make):
    async def check(worker):
        with pytest.raises(AimarkError, match="worker_method_unknown"):
            await worker.call(e.NOWHERE, e.Ask()).result()

    on(make, check)


@pytest.mark.parametrize(
    ("load", "code"),
    [("typed", e.TYPED.code), ("missing", faults.MODEL_MISSING.code)],
)
def test_a_load_that_fails_for_good_is_told_to_whoever_waits(make, load, code):
    async def check(worker):
        waiting = worker.call(e.ECHO, e.Ask())
        with pytest.raises(AimarkError) as caught:
            await worker.ready()
        assert caught.value.fault.code == code
        assert worker.status.state is WorkerState.FAILED
        for call in (waiting, worker.call(e.ECHO, e.Ask())):
            with pytest.raises(AimarkError) as caught:
                await call.result()
            assert caught.value.fault.code == code

    on(make, check, spec(load=load))


@pytest.mark.parametrize("engine", ["Unimportable", "NoSuchClass"])
def test_an_engine_that_cannot_be_imported_cannot_run_here(make, engine):
    async def check(worker):
        with pytest.raises(AimarkError, match="worker_cannot_run_here"):
            await worker.ready()

    on(make, check, spec(engine))


def test_a_failed_worker_runs_again_after_a_replacement(make):
    async def check(worker):
        with pytest.raises(AimarkError):
            await worker.ready()
        await worker.replace(spec(model="새 모델"))
        assert (await worker.ready()).model == "새 모델"
        assert await worker.call(e.ECHO, e.Ask("새로")).result() == e.Answer("새로", 1)

    on(make, check, spec(load="typed"))


def test_a_replacement_ends_what_runs_early_and_takes_what_waits(make):
    async def check(worker):
        running_call = worker.call(e.UNTIL_CANCELLED, e.Ask())
        await first(running_call)
        await worker.replace(spec(model="둘째"))
        assert await running_call.result() == e.Answer("취소됨")
        waiting = worker.call(e.ECHO, e.Ask("다음"))
        assert (await worker.ready()).model == "둘째"
        assert await waiting.result() == e.Answer("다음", 1)

    on(make, check)


def test_a_stopped_worker_ends_its_calls_and_refuses_new_ones(make):
    async def check(worker):
        running_call = worker.call(e.UNTIL_CANCELLED, e.Ask())
        await first(running_call)
        await worker.stop()
        await worker.stop()
        assert await running_call.result() == e.Answer("취소됨")
        assert worker.status.state is WorkerState.STOPPED
        with pytest.raises(AimarkError, match="worker_stopped"):
            await worker.call(e.ECHO, e.Ask()).result()
        with pytest.raises(AimarkError, match="worker_stopped"):
            await worker.ready()
        await worker.start()
        assert await worker.call(e.ECHO, e.Ask("다시")).result() == e.Answer("다시", 1)

    on(make, check)


def test_a_worker_with_nothing_to_run_is_absent_until_it_gets_an_engine(make):
    async def check(worker):
        assert worker.status.state is WorkerState.ABSENT
        with pytest.raises(AimarkError, match="worker_absent"):
            await worker.ready()
        with pytest.raises(AimarkError, match="worker_absent"):
            await worker.call(e.ECHO, e.Ask()).result()
        await worker.replace(spec())
        await worker.ready()
        await worker.replace(WorkerSpec("실험", ""))
        await reaches(worker, WorkerState.ABSENT)

    on(make, check, WorkerSpec("실험", ""))


def test_listeners_hear_every_state_once(make):
    async def check(worker):
        seen = []
        worker.on_status(lambda status: seen.append(status.state))
        await worker.ready()
        await worker.call(e.ECHO, e.Ask()).result()
        await worker.stop()
        assert seen[-4:] == [WorkerState.READY, WorkerState.BUSY, WorkerState.READY, WorkerState.STOPPED]
        assert all(a is not b for a, b in pairwise(seen))

    on(make, check)


def test_more_calls_than_the_worker_holds_are_refused_at_once(make):
    async def check(worker):
        held = [worker.call(e.UNTIL_CANCELLED, e.Ask()) for _ in range(MAX_CALLS)]
        with pytest.raises(AimarkError, match="worker_queue_full"):
            await worker.call(e.ECHO, e.Ask()).result()
        for call in held:
            call.cancel()

    on(make, check)


def test_a_megabyte_of_hangul_comes_back_whole(make):
    async def check(worker):
        assert (await worker.call(e.BIG, e.Ask(count=400_000)).result()).text == "가" * 400_000

    on(make, check)


def test_the_facts_say_what_was_loaded(make):
    async def check(worker):
        assert (await worker.ready()).model == "실험 모델"
        assert worker.status.facts == await worker.ready()
        assert worker.status.pid != os.getpid()

    on(make, check, spec(model="실험 모델"))
