"""Parking: conversations outlive the child that evaluated them, and nothing of it can fail a turn."""

import asyncio
import stat
import threading
from contextlib import asynccontextmanager

import psutil
import pytest

from aimark_daemon.conversation.prompt import ChatMessage
from aimark_daemon.engines.base import CHAT, ChatRequest, Parked, Sampling
from aimark_daemon.engines.fake_llm import FakeLLM
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.inline import InlineWorker
from aimark_daemon.workers.parking import Parking
from aimark_daemon.workers.supervisor import Supervisor

SYSTEM = ChatMessage("system", "You are a helpful assistant. " * 8)
FAKE = "aimark_daemon.engines.fake_llm:FakeLLM"
LLAMA = "aimark_daemon.engines.llama:LlamaEngine"


class Stuck(FakeLLM):
    """Its parking goes on until the test ends it."""

    def __init__(self):
        super().__init__()
        self.begun, self.end = threading.Event(), threading.Event()

    def park(self, request, call):
        self.begun.set()
        self.end.wait()
        return Parked(1, 1)


class Deaf(FakeLLM):
    """It knows nothing of parking."""

    park = unpark = None


@asynccontextmanager
async def running(worker):
    await worker.start()
    try:
        await worker.ready()
        yield worker
    finally:
        await worker.stop()


def inline(engine=None):
    return InlineWorker(WorkerSpec("llm", FAKE), engine)


async def ask(worker, text, session="s", history=(), tokens=8):
    request = ChatRequest(
        session,
        (SYSTEM, *history, ChatMessage("user", text)),
        Sampling(temperature=0.0, max_tokens=tokens, repeat_penalty=1.0),
    )
    call = worker.call(CHAT, request)
    said = "".join([delta.text async for delta in call])
    result = await call.result()
    return result, (*history, ChatMessage("user", text), ChatMessage("assistant", said))


@pytest.fixture
def parking(tmp_path):
    memory = tmp_path / "메모리"
    memory.mkdir()
    return Parking(tmp_path / "cache", memory=memory, patience_s=60.0)


def files(tmp_path):
    return [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_what_one_worker_evaluated_another_one_goes_on_with(parking, tmp_path):
    async with running(inline()) as worker:
        first, history = await ask(worker, "서울은 어디에 있나요?")
        await parking.take(worker.call)
    assert files(tmp_path) == [parking.file]
    assert parking.file.parent == tmp_path / "메모리"
    async with running(inline()) as worker:
        await parking.give(worker.call)
        assert files(tmp_path) == []
        second, _ = await ask(worker, "부산은요?", history=history)
    assert second.reused_tokens >= first.prompt_tokens > 40


async def test_what_is_asked_for_while_the_worker_starts_comes_before_the_first_turn(parking):
    async with running(inline()) as worker:
        _, history = await ask(worker, "Hello")
        await parking.park(worker.call)
    worker = inline()
    await worker.start()
    unparking = asyncio.create_task(parking.unpark(worker.call))
    await asyncio.sleep(0)
    result, _ = await ask(worker, "Go on", history=history)
    assert (await unparking).sessions == 1
    assert result.reused_tokens > 0
    await worker.stop()


@pytest.mark.skipif(not hasattr(stat, "S_IMODE"), reason="POSIX permissions")
async def test_the_file_is_the_owners_alone_and_its_name_is_never_the_same(parking):
    names = set()
    async with running(inline()) as worker:
        await ask(worker, "비밀이에요")
        for _ in range(3):
            await parking.park(worker.call)
            assert stat.S_IMODE(parking.file.stat().st_mode) == 0o600
            names.add(parking.file.name)
    assert len(names) == 3
    assert [path.name for path in parking.file.parent.iterdir()] == [parking.file.name], "earlier ones are deleted"


async def test_an_engine_that_hangs_is_not_waited_for(tmp_path):
    parking = Parking(tmp_path, memory=tmp_path, patience_s=0.05)
    engine = Stuck()
    async with running(inline(engine)) as worker:
        assert await parking.park(worker.call) == Parked()
        await asyncio.to_thread(engine.begun.wait)
        assert parking.file is None
        assert files(tmp_path) == []
        engine.end.set()


async def test_giving_up_leaves_no_file_behind(parking, tmp_path):
    engine = Stuck()
    async with running(inline(engine)) as worker:
        task = asyncio.create_task(parking.park(worker.call))
        await asyncio.to_thread(engine.begun.wait)
        assert len(files(tmp_path)) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert files(tmp_path) == []
        engine.end.set()


async def test_an_engine_that_cannot_park_is_left_alone(parking, tmp_path, caplog):
    async with running(inline(Deaf())) as worker:
        await ask(worker, "Hello")
        assert await parking.park(worker.call) == Parked()
    assert "conversations were not parked: worker_method_unknown" in caplog.text
    assert files(tmp_path) == []


async def test_a_worker_that_does_not_run_parks_nothing_and_keeps_what_is_parked(parking, tmp_path):
    async with running(inline()) as worker:
        await ask(worker, "Hello")
        await parking.park(worker.call)
    kept = parking.file
    assert await parking.park(worker.call) == Parked()
    async with running(inline()) as worker:
        assert await parking.park(worker.call) == Parked(), "it has evaluated nothing"
    assert files(tmp_path) == [kept] == [parking.file]


async def test_a_start_that_fails_uses_the_file_up(parking, tmp_path, caplog):
    async with running(inline()) as worker:
        await ask(worker, "Hello")
        await parking.park(worker.call)
    worker = InlineWorker(WorkerSpec("llm", FAKE, {"n_ctx": "big"}))
    await worker.start()
    assert await parking.unpark(worker.call) == Parked()
    assert "parked conversations were lost: llm_settings_invalid" in caplog.text
    assert files(tmp_path) == []
    assert await parking.unpark(worker.call) == Parked(), "nothing is there"


async def test_leftovers_are_deleted_but_not_those_of_another_daemon(tmp_path):
    memory = tmp_path / "memory"
    memory.mkdir()
    mine, other = (Parking(tmp_path / name, memory=memory, patience_s=60.0) for name in ("mine", "other"))
    async with running(inline()) as worker:
        await ask(worker, "Hello")
        for parking in (mine, other):
            await parking.park(worker.call)
    Parking(tmp_path / "mine", memory=memory).clear()
    assert files(memory) == [other.file]


async def test_without_a_file_system_in_ram_the_file_lies_in_the_folder(tmp_path):
    parking = Parking(tmp_path / "cache", memory=tmp_path / "none", patience_s=60.0)
    async with running(inline()) as worker:
        await ask(worker, "Hello")
        assert (await parking.park(worker.call)).sessions == 1
    assert parking.file.parent == tmp_path / "cache"
    assert stat.S_IMODE(parking.file.parent.stat().st_mode) == 0o700


async def test_where_no_folder_can_be_had_nothing_is_parked(tmp_path, caplog):
    (tmp_path / "file").touch()
    parking = Parking(tmp_path / "file" / "cache", memory=tmp_path / "none")
    async with running(inline()) as worker:
        await ask(worker, "Hello")
        assert await parking.park(worker.call) == Parked()
    assert "no folder to park conversations in" in caplog.text


async def test_no_more_than_the_cap_is_parked(tmp_path):
    async with running(inline()) as worker:
        for session in "abc":
            await ask(worker, "Hello there", session=session)
        whole = await Parking(tmp_path, memory=tmp_path, patience_s=60.0).park(worker.call)
        some = await Parking(tmp_path, memory=tmp_path, cap=whole.size * 3 // 4, patience_s=60.0).park(worker.call)
    assert (whole.sessions, some.sessions) == (3, 2)


@pytest.mark.models
async def test_a_new_child_reuses_nearly_the_whole_conversation_of_the_old_one(tiny_gguf, tmp_path):
    def child(**settings):
        settings = {"path": str(tiny_gguf), "threads": 1, "n_ctx": 2048, "sequences": 2} | settings
        return Supervisor(WorkerSpec("llm", LLAMA, settings))

    parking = Parking(tmp_path / "cache", patience_s=60.0)
    text = "Tell me about the sea. " * 30
    try:
        async with running(child()) as worker:
            histories = {name: (await ask(worker, f"{name * 3} {text}", session=name))[1] for name in "abc"}
            mine = psutil.Process().memory_info().rss
            parked = await parking.park(worker.call)
            assert parked.sessions == 3, "one of them had lost its sequence"
            assert psutil.Process().memory_info().rss - mine < parked.size // 4, "the bytes do not come here"
        async with running(child(n_ctx=1536)) as worker:
            assert (await parking.unpark(worker.call)).sessions == 3
            for name in "abc":
                result, _ = await ask(worker, "And the sky?", session=name, history=histories[name])
                assert result.reused_tokens >= 0.9 * result.prompt_tokens
    finally:
        parking.clear()


@pytest.mark.models
async def test_states_that_lie_in_memory_in_another_way_are_evaluated_again(tiny_gguf, tmp_path):
    def child(**settings):
        return Supervisor(WorkerSpec("llm", LLAMA, {"path": str(tiny_gguf), "threads": 1, "n_ctx": 1024} | settings))

    parking = Parking(tmp_path / "cache", patience_s=60.0)
    try:
        async with running(child(flash_attn=1)) as worker:
            _, history = await ask(worker, "Tell me about the sea. " * 8)
            assert (await parking.park(worker.call)).sessions == 1
        async with running(child(flash_attn=0)) as worker:
            assert await parking.unpark(worker.call) == Parked()
            result, _ = await ask(worker, "And the sky?", history=history)
            assert (result.reused_tokens, result.tokens) == (0, 8)
    finally:
        parking.clear()


async def test_a_worker_that_slept_or_was_loaded_anew_knows_what_was_said_before(tmp_path):
    parking = Parking(tmp_path / "cache", memory=tmp_path, patience_s=60.0)
    async with running(Supervisor(WorkerSpec("llm", FAKE), handover=parking)) as worker:
        cold, _ = await ask(worker, "안녕하세요?")
        warm, _ = await ask(worker, "안녕하세요?")
        assert warm.reused_tokens > cold.reused_tokens
        for end in (worker.sleep, worker.reload, lambda: worker.reload(force=True)):
            await worker.ready()
            pid = worker.status.pid
            assert await end()
            again, _ = await ask(worker, "안녕하세요?")
            assert again.reused_tokens == warm.reused_tokens
            assert not psutil.pid_exists(pid)
    assert parking.file is None
