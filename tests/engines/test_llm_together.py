"""Several answers at once by one real model: streams side by side, cancels, priorities, and conversations put back."""

import asyncio
import itertools
import threading
from contextlib import asynccontextmanager

import pytest

from aimark_daemon.conversation.prompt import ChatMessage
from aimark_daemon.engines.base import CHAT, COUNT, ChatRequest, CountRequest, Sampling
from aimark_daemon.engines.llama import LlamaEngine
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.supervisor import Supervisor
from tests.engines.calls import RecordedCall

pytestmark = pytest.mark.models

SYSTEM = ChatMessage("system", "You are a helpful assistant that answers in one short sentence. " * 3)


def request(session, text, *, tokens=16, history=(), **fields):
    sampling = Sampling(temperature=0.0, max_tokens=tokens, repeat_penalty=1.0)
    return ChatRequest(session, (SYSTEM, *history, ChatMessage("user", text)), sampling, **fields)


def words(name, count):
    return " ".join(f"{name}{i}" for i in range(count))


@asynccontextmanager
async def supervised(path, **settings):
    spec = WorkerSpec(
        "llm",
        "aimark_daemon.engines.llama:LlamaEngine",
        {"path": str(path), "threads": 1, "n_ctx": 2048, "system": SYSTEM.content, **settings},
    )
    worker = Supervisor(spec)
    await worker.start()
    try:
        await worker.ready()
        yield worker
    finally:
        await worker.stop()


class Reader:
    """Reads a call, and notes in `log` whose piece came when."""

    def __init__(self, worker, the_request, log=None):
        self.name = the_request.session
        self.call = worker.call(CHAT, the_request)
        self.log = [] if log is None else log
        self.text = ""
        self.started = asyncio.Event()

    async def read(self):
        async for delta in self.call:
            self.text += delta.text
            self.log.append(self.name)
            self.started.set()
        return await self.call.result()


def switches(log):
    return sum(a != b for a, b in itertools.pairwise(log))


async def test_two_clients_at_once_both_stream(tiny_gguf):
    async with supervised(tiny_gguf) as worker:
        log = []
        readers = [
            Reader(worker, request(name, f"Tell me about {name}.", tokens=24), log) for name in ("cats", "the sea")
        ]
        results = await asyncio.gather(*(reader.read() for reader in readers))
        assert all(result.tokens > 8 for result in results)
        assert all(reader.text for reader in readers)
        shorter = min(log.count(reader.name) for reader in readers)
        assert switches(log) >= shorter, "token by token in turn, not one answer after the other"
        assert all(result.reused_tokens > 30 for result in results), "both share the instructions"


async def test_six_clients_are_all_answered_as_if_alone(tiny_gguf):
    async with supervised(tiny_gguf) as worker:
        names = ("cats", "bread", "rivers", "Seoul", "music", "chess")
        alone = {}
        for name in names:
            reader = Reader(worker, request(f"alone {name}", f"What is {name}?", tokens=6))
            await reader.read()
            alone[name] = reader.text
        readers = [Reader(worker, request(name, f"What is {name}?", tokens=6)) for name in names]
        await asyncio.gather(*(reader.read() for reader in readers))
        assert {reader.name: reader.text for reader in readers} == alone


async def test_a_cancel_of_one_does_not_disturb_the_other(tiny_gguf):
    async with supervised(tiny_gguf) as worker:
        stays = Reader(worker, request("stays", "Tell me about trees.", tokens=20))
        goes = Reader(worker, request("goes", words("x", 300), tokens=200))
        staying, going = asyncio.create_task(stays.read()), asyncio.create_task(goes.read())
        await stays.started.wait()
        goes.call.cancel()
        assert (await going).finish == "cancelled"
        result = await staying
        assert (result.finish, result.tokens) == ("length", 20)
        assert len(stays.log) > 10
        again = await Reader(worker, request("again", "Hello", tokens=4)).read()
        assert again.tokens > 0


async def test_a_count_does_not_wait_for_answers(tiny_gguf):
    async with supervised(tiny_gguf, sequences=1) as worker:
        readers = [Reader(worker, request(f"{i}", "Count to a thousand.", tokens=200)) for i in range(3)]
        tasks = [asyncio.create_task(reader.read()) for reader in readers]
        await readers[0].started.wait()
        assert (await worker.call(COUNT, CountRequest("one two three")).result()).tokens == 3
        assert not any(task.done() for task in tasks)
        for reader in readers:
            reader.call.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("sequences", [1, 4])
async def test_background_work_pauses_for_a_person_and_ends_as_if_undisturbed(tiny_gguf, sequences):
    async with supervised(tiny_gguf, sequences=sequences) as worker:
        undisturbed = Reader(worker, request("undisturbed", "Tell me about bread.", tokens=40))
        await undisturbed.read()
        log = []
        job = Reader(worker, request("job", "Tell me about bread.", tokens=40, priority="background"), log)
        working = asyncio.create_task(job.read())
        await job.started.wait()
        person = Reader(worker, request("person", "Tell me about chess.", tokens=12), log)
        await person.read()
        assert not working.done()
        first, last = log.index("person"), len(log) - 1 - log[::-1].index("person")
        assert set(log[first : last + 1]) == {"person"}, "nothing of the job between the person's words"
        result = await working
        assert result.tokens == 40
        assert job.text == undisturbed.text


@pytest.fixture(scope="module")
def crowded(tiny_gguf):
    """An engine whose context holds less than two of the conversations below."""
    engine = LlamaEngine()
    engine.load({"path": str(tiny_gguf), "threads": 1, "n_ctx": 512, "n_ubatch": 64}, lambda: None)
    yield engine
    engine.close()


def ask(engine, the_request):
    call = RecordedCall()
    return engine.chat(the_request, call), call.text


def test_a_session_whose_cells_were_needed_goes_on_exactly_where_it_was(crowded, tiny_gguf):
    first = {name: request(name, words(name, 80), tokens=12) for name in ("red", "blue")}
    said = {name: ask(crowded, first[name])[1] for name in first}
    assert crowded._loaded.cache.of("red") is None, "it lost its place"
    history = (first["red"].messages[1], ChatMessage("assistant", said["red"]))
    following = request("red", "And what then?", tokens=12, history=history)
    restored, text = ask(crowded, following)
    assert restored.reused_tokens > 0.9 * (restored.prompt_tokens - 20)

    fresh = LlamaEngine()
    fresh.load({"path": str(tiny_gguf), "threads": 1, "n_ctx": 512, "n_ubatch": 64, "saved_bytes": 0}, lambda: None)
    try:
        ask(fresh, first["red"])
        undisturbed, expected = ask(fresh, following)
        assert text == expected
        ask(fresh, first["blue"])
        lost, _ = ask(fresh, following)
        assert lost.reused_tokens < undisturbed.reused_tokens, "with a cap of 0 nothing is saved"
    finally:
        fresh.close()


def test_answers_that_outgrow_the_context_together_are_both_finished(crowded):
    results = {}

    def run(name):
        sampling = Sampling(temperature=0.0, max_tokens=128, repeat_penalty=1.0, stop=("never said",))
        text = f"Count in words. {words(name, 30)}"
        results[name] = crowded.chat(ChatRequest(name, (ChatMessage("user", text),), sampling), RecordedCall())

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["a", "b", "c"]
    assert all(result.finish in {"stop", "length"} and result.tokens > 0 for result in results.values())


def test_who_waits_is_not_taken_for_hung(crowded, monkeypatch):
    monkeypatch.setattr("aimark_daemon.engines.llama_batcher.ALIVE_S", 0.0)
    waiting, signs = RecordedCall(), []
    job = threading.Thread(target=crowded.chat, args=(request("job", "Hello", priority="background"), waiting))

    class Person(RecordedCall):
        def emit(self, event):
            super().emit(event)
            if len(self.events) == 1:
                job.start()
            signs.append((waiting.progressed, len(waiting.events)))

    crowded.chat(request("person", "Tell me about owls.", tokens=12), Person())
    job.join()
    assert signs[-1][0] > 2
    assert signs[-1][1] == 0, "it waited all the time"
    assert waiting.text


def test_background_work_in_a_long_prompt_is_interrupted_for_a_person(crowded):
    order = []

    class Job(RecordedCall):
        def progress(self):
            super().progress()
            if self.progressed == 1:
                person.start()

        def emit(self, event):
            super().emit(event)
            order.append("job")

    class Person(RecordedCall):
        def emit(self, event):
            super().emit(event)
            order.append("person")

    person = threading.Thread(target=crowded.chat, args=(request("person", "Hello", tokens=4), Person()))
    job = Job()
    crowded.chat(request("job", words("long", 100), tokens=4, priority="background"), job)
    person.join()
    assert order == sorted(order, reverse=True), "all of the person's words come first"
    assert {"person", "job"} == set(order)


def test_a_failure_ends_the_answers_of_that_step_and_the_engine_goes_on(crowded, monkeypatch):
    def broken(_pieces):
        raise RuntimeError("망가졌습니다")

    with monkeypatch.context() as patch:
        patch.setattr(crowded._loaded.model, "evaluate", broken)
        with pytest.raises(RuntimeError, match="망가졌습니다"):
            ask(crowded, request("broken", "Hello"))
    result, text = ask(crowded, request("broken", "Hello"))
    assert result.tokens > 0
    assert text


def test_a_caller_that_fails_to_take_a_piece_ends_its_own_answer_alone(crowded):
    class Gone(RecordedCall):
        def emit(self, event):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        crowded.chat(request("gone", "Hello"), Gone())
    assert ask(crowded, request("here", "Hello"))[0].tokens > 0


def test_a_slow_caller_holds_back_nobody_but_itself(crowded):
    release = threading.Event()

    class Slow(RecordedCall):
        def emit(self, event):
            super().emit(event)
            release.wait()

    slow = Slow()
    thread = threading.Thread(target=crowded.chat, args=(request("slow", "Tell me about owls.", tokens=8), slow))
    thread.start()
    try:
        result, _ = ask(crowded, request("quick", "Tell me about owls.", tokens=8))
        assert result.tokens > 1
        assert len(slow.events) <= 1
    finally:
        release.set()
        thread.join()
    assert slow.text


def test_the_smallest_wish_for_threads_holds_for_all_who_are_answered_together(crowded, monkeypatch):
    used, both = [], threading.Barrier(2)
    model = crowded._loaded.model
    evaluate, use_threads = model.evaluate, model.use_threads

    def wished(threads, *, batches=False):
        use_threads(threads, batches=batches)
        used.append((threads, batches))

    def evaluated(pieces):
        steps.append((len(pieces), max(len(piece.tokens) for piece in pieces), used[-1] if used else None))
        return evaluate(pieces)

    class Together(RecordedCall):
        def emit(self, event):
            super().emit(event)
            if len(self.events) == 1:
                both.wait()

    steps = []
    monkeypatch.setattr(model, "use_threads", wished)
    monkeypatch.setattr(model, "evaluate", evaluated)
    threads = [
        threading.Thread(
            target=crowded.chat, args=(request(f"t{wish}", "Tell me about owls.", threads=wish), Together())
        )
        for wish in (3, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {wanted for pieces, longest, wanted in steps if (pieces, longest) == (2, 1)} == {(2, True)}
    assert {wanted for pieces, longest, wanted in steps if pieces == 1 and longest == 1} <= {(2, False), (3, False)}


def test_an_answer_goes_on_by_its_own_tokens_while_others_are_written(crowded):
    question = request("whole", "Where is Seoul?", tokens=12)
    call = RecordedCall()
    crowded.chat(question, call)
    first = call.events[:3]
    going_on = request(
        "rest",
        "Where is Seoul?",
        tokens=12,
        continue_text="".join(event.text for event in first),
        continue_tokens=tuple(token for event in first for token in event.ids),
    )
    rest = RecordedCall()

    class Other(RecordedCall):
        def emit(self, event):
            super().emit(event)
            if len(self.events) == 2:
                thread.start()

    thread = threading.Thread(target=crowded.chat, args=(going_on, rest))
    crowded.chat(request("other", "Tell me about owls.", tokens=24), Other())
    thread.join()
    ids = [token for event in (*first, *rest.events) for token in event.ids]
    # In company the numbers are rounded otherwise, so that the rest may be another one than alone, and shorter.
    assert 3 < len(ids) <= 12
    held = crowded._loaded.cache.record("rest")
    assert held[-len(ids) :] == ids, "the very tokens of what was shown, and then what was chosen after them"


def test_what_fails_in_the_decoding_thread_is_raised_where_it_was_asked_for(crowded):
    def broken():
        raise ValueError("부서졌습니다")

    with pytest.raises(ValueError, match="부서졌습니다"):
        crowded._loaded.batcher.run(broken)
    assert ask(crowded, request("after", "Hello"))[0].tokens > 0
