"""Real children that crash, hang and are killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import WorkerState
from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.process import GOMP_SPINS
from aimark_daemon.workers.supervisor import Supervisor
from tests.workers import engines as e
from tests.workers.labs import first, reaches, running, spec, supervisor

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends children with POSIX signals")

SILENCE = {"heartbeat_timeout_s": 2.0}
NO_PROGRESS = {"progress_timeout_s": 0.5}
NO_LOAD = {"load_timeout_s": 0.5}


def on(check, the_spec=None, backoff=None):
    async def run():
        make = supervisor if backoff is None else (lambda s: Supervisor(s, backoff))
        async with running(make, the_spec or spec()) as worker:
            await check(worker)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("how", "code", "detail"),
    [
        ("abort", faults.CRASHED.code, "SIGABRT"),
        ("out of memory", faults.OUT_OF_MEMORY.code, "CUDA error: out of memory"),
        ("segfault", faults.CRASHED.code, "Segmentation fault"),
        ("exit", faults.CRASHED.code, "exit code 7"),
        ("clean exit", faults.CRASHED.code, "exit code 0"),
        ("SIGKILL", faults.KILLED.code, "SIGKILL"),
        ("SIGBUS", faults.CRASHED.code, "SIGBUS"),
        ("garbage", faults.PROTOCOL.code, "longer than"),
    ],
)
def test_a_death_fails_the_call_with_its_reason_and_the_next_call_works_on_a_new_child(how, code, detail):
    async def check(worker):
        await worker.ready()
        old = worker.status.pid
        call = worker.call(e.DIE, e.Ask(how))
        assert await first(call) == e.Piece("마지막")
        with pytest.raises(AimarkError) as caught:
            await call.result()
        assert caught.value.fault.code == code
        assert detail in caught.value.fault.detail
        assert await worker.call(e.ECHO, e.Ask("다음")).result() == e.Answer("다음", 1)
        assert worker.status.pid != old
        assert worker.status.restarts == 1
        assert not psutil.pid_exists(old)

    on(check)


def test_an_illegal_instruction_is_not_tried_again():
    async def check(worker):
        with pytest.raises(AimarkError, match="worker_cannot_run_here"):
            await worker.call(e.DIE, e.Ask("SIGILL")).result()
        assert worker.status.state is WorkerState.FAILED
        assert worker.status.pid is None

    on(check)


def test_every_call_in_flight_and_in_the_queue_fails_when_the_child_is_killed():
    async def check(worker):
        running_call = worker.call(e.UNTIL_CANCELLED, e.Ask())
        await first(running_call)
        queued = [worker.call(e.ECHO, e.Ask(str(n))) for n in range(5)]
        fed = worker.call(e.SUM, e.Ask())
        feeding = asyncio.create_task(fed.feed(bytes(4 * 1024 * 1024)))
        os.kill(worker.status.pid, signal.SIGKILL)
        for call in (running_call, *queued, fed):
            with pytest.raises(AimarkError) as caught:
                await call.result()
            assert faults.KILLED.caught_in(caught.value)
        await feeding
        assert await worker.call(e.ECHO, e.Ask("살았다")).result() == e.Answer("살았다", 1)

    on(check)


def test_a_stopped_heart_is_noticed_and_the_child_replaced():
    async def check(worker):
        with pytest.raises(AimarkError) as caught:
            await worker.call(e.DIE, e.Ask("SIGSTOP")).result()
        assert faults.HUNG.caught_in(caught.value)
        assert await worker.call(e.ECHO, e.Ask("다시")).result() == e.Answer("다시", 1)

    on(check, spec(limits=SILENCE))


def test_a_call_without_progress_is_killed_although_the_heart_beats():
    async def check(worker):
        with pytest.raises(AimarkError) as caught:
            await worker.call(e.DIE, e.Ask("hang")).result()
        assert faults.HUNG.caught_in(caught.value)

    on(check, spec(limits=NO_PROGRESS))


def test_a_call_that_waits_for_its_caller_is_not_taken_for_hung():
    async def check(worker):
        waiting = worker.call(e.SUM, e.Ask())
        await first(waiting)
        pid = worker.status.pid
        # Real time has to pass here: the absence of a kill is what is looked for.
        await asyncio.sleep(3 * NO_PROGRESS["progress_timeout_s"])
        await waiting.feed(b"123")
        await waiting.end_input()
        assert (await waiting.result()).number == 3
        assert worker.status.pid == pid

    on(check, spec(limits=NO_PROGRESS))


def test_a_load_that_hangs_is_given_up_after_a_few_children():
    async def check(worker):
        with pytest.raises(AimarkError, match="worker_start_timeout"):
            await worker.ready()
        assert worker.status.restarts == 2

    on(check, spec(limits=NO_LOAD, load="hang"))


@pytest.mark.parametrize(("load", "code"), [("abort", faults.CRASHED.code), ("memory", faults.OUT_OF_MEMORY.code)])
def test_a_load_that_dies_is_tried_again_and_then_given_up(load, code):
    async def check(worker):
        waiting = worker.call(e.ECHO, e.Ask())
        with pytest.raises(AimarkError) as caught:
            await waiting.result()
        assert caught.value.fault.code == code
        with pytest.raises(AimarkError) as caught:
            await worker.ready()
        assert caught.value.fault.code == code
        assert worker.status.restarts == 2

    on(check, spec(load=load))


def test_what_native_code_prints_does_not_reach_the_pipe(caplog):
    caplog.set_level("INFO", "aimark.worker.실험")

    async def check(worker):
        assert await worker.call(e.NOISE, e.Ask("깨끗", 500)).result() == e.Answer("깨끗")
        assert await worker.call(e.ECHO, e.Ask("그대로")).result() == e.Answer("그대로", 1)

    on(check, spec(load="noise"))
    assert "native noise on stdout" in caplog.text
    assert "native printf on fd 1" in caplog.text
    assert "파이썬 print" in caplog.text


@pytest.mark.parametrize(("chosen", "spins"), [(None, GOMP_SPINS), ("70000", "70000")])
def test_a_child_is_set_up_before_the_engine_loads(chosen, spins, monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if chosen is not None:
        monkeypatch.setenv("GOMP_SPINCOUNT", chosen)

    async def check(worker):
        assert (await worker.call(e.SURROUNDINGS, e.Ask()).result()).text == (
            f"core (0, 0); stdin b''; backtrace 1; spins {spins}; tokenizers false; settings in argv False"
        )

    on(check, spec(note="비밀"))


def test_error_lines_that_an_engine_logs_are_last_words_too():
    async def check(worker):
        with pytest.raises(AimarkError) as caught:
            await worker.ready()
        assert faults.OUT_OF_MEMORY.caught_in(caught.value)
        assert "1365.88 MiB" in caught.value.fault.detail

    on(check, spec(load="log and abort"))


def test_settings_that_are_no_plain_data_are_refused_without_a_child():
    async def check(worker):
        with pytest.raises(AimarkError, match="worker_bad_settings"):
            await worker.ready()
        assert worker.status.restarts == 0

    on(check, spec(odd=object()))


def test_stop_leaves_no_process_even_when_the_engine_ignores_it():
    async def check(worker):
        call = worker.call(e.DIE, e.Ask("hang"))
        await first(call)
        pid = worker.status.pid
        await worker.stop()
        assert not psutil.pid_exists(pid)
        with pytest.raises(AimarkError, match="worker_stopped"):
            await call.result()
        assert worker.status.pid is None

    on(check, spec(limits={"stop_timeout_s": 0.2}))


@pytest.mark.parametrize("state", [WorkerState.SPAWNING, WorkerState.LOADING, WorkerState.CRASHED])
def test_stop_works_in_every_state_of_a_start(state):
    async def check(worker):
        if state is WorkerState.CRASHED:
            with pytest.raises(AimarkError):
                await worker.call(e.DIE, e.Ask("abort")).result()
        await reaches(worker, state)
        await worker.stop()
        assert worker.status.state is WorkerState.STOPPED
        assert psutil.Process().children() == []

    load = "hang" if state is WorkerState.LOADING else "well"
    on(check, spec(load=load), backoff=Backoff((1000.0,)))


def test_replace_ends_the_wait_after_a_crash():
    async def check(worker):
        with pytest.raises(AimarkError):
            await worker.call(e.DIE, e.Ask("abort")).result()
        await reaches(worker, WorkerState.CRASHED)
        await worker.replace(spec(model="작은 모델"))
        assert (await worker.ready()).model == "작은 모델"

    on(check, backoff=Backoff((1000.0,)))


def test_thirty_restarts_leave_no_descriptor_thread_task_or_process():
    async def check(worker):
        def held():
            process = psutil.Process()
            return process.num_fds(), threading.active_count(), len(asyncio.all_tasks()), len(process.children())

        await worker.ready()
        await worker.call(e.ECHO, e.Ask()).result()
        before = held()
        for n in range(1, 31):
            os.kill(worker.status.pid, signal.SIGKILL)
            await reaches(worker, WorkerState.READY, after=n)
        assert (await worker.call(e.ECHO, e.Ask("서른")).result()).text == "서른"
        assert held() == before

    on(check)


PARENT = """
import asyncio, json, sys
from tests.workers.labs import spec, supervisor

async def main():
    worker = supervisor(spec())
    await worker.start()
    await worker.ready()
    print(json.dumps({"child": worker.status.pid}), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_does_not_outlive_its_parent(number):
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        child = psutil.Process(json.loads(parent.stdout.readline())["child"])
        parent.send_signal(number)
        parent.wait()
        gone, alive = psutil.wait_procs([child], timeout=10)
        assert alive == []
        assert gone == [child]


def test_ctrl_c_is_left_to_the_daemon():
    async def check(worker):
        await worker.ready()
        os.kill(worker.status.pid, signal.SIGINT)
        assert (await worker.call(e.ECHO, e.Ask("계속")).result()).text == "계속"
        assert worker.status.restarts == 0

    on(check)
