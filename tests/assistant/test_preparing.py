"""Preparing: the beginning of the next prompt is evaluated while nobody waits."""

import asyncio
import threading

import pytest

from aimark_daemon.config.types import Config, LlmConfig
from aimark_daemon.engines.base import Sampling
from aimark_daemon.engines.fake_llm import FakeLLM
from aimark_daemon.engines.llama import LlamaEngine
from aimark_daemon.workers.base import WorkerSpec, WorkerState
from aimark_daemon.workers.supervisor import Supervisor
from tests.assistant.stage import Ear, stage

CONFIG = Config(llm=LlmConfig(history_turns=2))


class Roomy(FakeLLM):
    """Takes many calls, as the real one does; they end when `go` is set."""

    parallel = 8

    def __init__(self):
        super().__init__()
        self.begun, self.go, self.asked = threading.Event(), threading.Event(), []

    def chat(self, request, call):
        self.asked.append(request.session)
        self.begun.set()
        assert self.go.wait(20)
        return super().chat(request, call)


class Late(FakeLLM):
    """Is loaded when `go` is set."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def load(self, settings, progress):
        assert self.go.wait(20)
        return super().load(settings, progress)


async def settled():
    """Let a preparation that begins after the ending do all it does."""
    for _ in range(200):
        preparing = [task for task in asyncio.all_tasks() if task.get_name().startswith("preparing")]
        if not preparing:
            return
        await asyncio.wait(preparing, timeout=20)


async def converse(it, ear, texts, session=None):
    dones = []
    for text in texts:
        done = await ear.ending(await it.say(text, ear, session=session))
        session = done.session
        dones.append(done)
        await asyncio.sleep(0)
        await settled()
    return dones


async def test_a_history_that_moved_is_evaluated_before_the_next_question(tmp_path):
    async with stage(tmp_path, config=CONFIG, llm={"default": "{text}에 대한 긴 대답입니다."}) as it:
        ear = Ear()
        dones = await converse(it, ear, [f"질문 {n}번" for n in range(6)])
        prepared = [request for request in it.engines["llm"].requests if request.only_prompt]
        assert len(prepared) == 4, "after the third turn and each that follows; until then the last prompt serves"
        assert all(request.priority == "background" for request in prepared)
        assert [m.content for m in prepared[0].messages if m.role == "user"] == ["질문 1번", "질문 2번", ""]
        assert all(done.prompt_tokens - done.reused_tokens <= 10 for done in dones[3:])
        assert len(await it.store.messages(dones[0].session)) == 12, "and nothing of it is stored"
        assert len(ear.endings()) == 6


async def test_a_question_is_not_held_up_by_what_is_prepared(tmp_path):
    async with stage(tmp_path, config=CONFIG) as it:
        ear = Ear()
        session = (await converse(it, ear, ["하나", "둘", "셋"]))[0].session
        held = asyncio.Event()
        original = it.store.history

        async def waits(*arguments):
            if arguments[1] == CONFIG.llm.history_turns + 1:
                await held.wait()
            return await original(*arguments)

        it.store.history = waits
        await ear.ending(await it.say("넷", ear, session=session))
        await ear.ending(await it.say("다섯", ear, session=session))
        assert sum(request.only_prompt for request in it.engines["llm"].requests) == 1


async def test_no_preparation_begins_beside_a_question_that_came_while_the_last_turn_ended(tmp_path):
    async with stage(tmp_path, config=CONFIG) as it:
        ear = Ear()
        session = (await converse(it, ear, ["하나", "둘", "셋"]))[0].session
        begun, stored, go = [], asyncio.Event(), asyncio.Event()
        begin_turn, begin = it.store.begin_turn, it.assistant._preparing.begin

        async def held(*arguments, **named):
            number = await begin_turn(*arguments, **named)
            stored.set()
            await go.wait()
            return number

        def noted(*arguments, **named):
            begin(*arguments, **named)
            begun.append(it.assistant._preparing._tasks[session])
            go.set()

        turn = await it.say("넷", ear, session=session)
        it.store.begin_turn, it.assistant._preparing.begin = held, noted
        asked = asyncio.create_task(it.say("다섯", ear, session=session))
        await stored.wait()
        await ear.ending(turn)
        await ear.ending(await asked)
        assert begun[0].cancelled()
        prepared = [request.messages[-3].content for request in it.engines["llm"].requests if request.only_prompt]
        assert "넷" not in prepared


async def test_for_a_model_that_is_loading_nothing_is_prepared_and_nothing_waits(tmp_path):
    spec = WorkerSpec("llm", f"{__name__}:Late")
    async with stage(tmp_path, config=Config(llm=LlmConfig(history_turns=0)), specs={"llm": spec}) as it:
        ear = Ear()
        assert it.roster.here("llm").status.state is WorkerState.LOADING
        await ear.ending(await it.say("/help", ear))
        await settled()
        it.engines["llm"].go.set()
        await it.roster.here("llm").ready()
        await ear.ending(await it.say("이제 질문", ear))
        assert it.engines["llm"].requests[0].messages[-1].content == "이제 질문"


async def test_one_session_is_prepared_at_a_time_and_one_that_is_cancelled_leaves_the_queue(tmp_path):
    spec = WorkerSpec("llm", f"{__name__}:Roomy")
    async with stage(tmp_path, config=CONFIG, specs={"llm": spec}) as it:
        await it.roster.here("llm").ready()
        sessions = [(await it.store.create_session(name)).id for name in ("가", "나", "다")]
        preparing, engine = it.assistant._preparing, it.engines["llm"]
        for session in sessions:
            preparing.begin(session, dropped_turns=1)
        await asyncio.to_thread(engine.begun.wait, 20)
        for session in sessions:  # the store answers in turn: whoever would ask the engine has asked
            await it.store.get_session(session)
        waits = preparing._tasks[sessions[1]]
        preparing.cancel(sessions[1])
        assert engine.asked == sessions[:1]
        engine.go.set()
        await settled()
        assert waits.cancelled()
        assert engine.asked == [sessions[0], sessions[2]]


@pytest.mark.parametrize(("rewinds", "prepared"), [(True, 1), (False, 0)])
async def test_nothing_is_prepared_for_a_model_that_cannot_go_back(tmp_path, rewinds, prepared):
    async with stage(tmp_path, config=CONFIG, llm={"rewinds": rewinds}) as it:
        await it.roster.here("llm").ready()
        session = (await it.store.create_session()).id
        it.assistant._preparing.begin(session, dropped_turns=1)
        await settled()
        assert len(it.engines["llm"].requests) == prepared


async def test_stopping_leaves_no_preparation_behind(tmp_path):
    async with stage(tmp_path, config=CONFIG) as it:
        ear = Ear()
        session = (await converse(it, ear, ["하나", "둘", "셋"]))[0].session
        it.store.history = lambda *_: asyncio.Event().wait()
        it.assistant._preparing.begin(session, dropped_turns=1)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("preparing")]


@pytest.mark.models
async def test_a_real_model_finds_a_moved_history_evaluated(tmp_path, tiny_gguf):
    spec = WorkerSpec("llm", f"{LlamaEngine.__module__}:{LlamaEngine.__name__}", {"path": str(tiny_gguf), "threads": 1})
    config = Config(llm=LlmConfig(history_turns=2, max_tokens=Sampling().max_tokens // 32, temperature=0.0))
    async with stage(tmp_path, config=config, specs={"llm": spec}, worker=lambda spec, _engine: Supervisor(spec)) as it:
        await it.roster.here("llm").ready()
        dones = await converse(it, Ear(), [f"Tell me about number {n}. " + "Please. " * 20 for n in range(5)])
        shares = [done.reused_tokens / done.prompt_tokens for done in dones[3:]]
        assert min(shares) > 0.7, "all but the new question"
