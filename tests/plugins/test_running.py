"""One run of a command: what it yields arrives in order, and one that misbehaves ends alone and is named."""

import asyncio
import sys

import pytest

from aimark_daemon import AimarkError, Context, Text, command
from aimark_daemon.conversation.slash import parse_slash
from aimark_daemon.plugins import running
from aimark_daemon.plugins.context import NotifyOutput, ProgressOutput, TableOutput, TextOutput
from aimark_daemon.plugins.host import PluginHost
from aimark_daemon.plugins.running import run_handler
from aimark_daemon.plugins.service import Plugins
from tests.plugins.hosts import with_commands


class Person:
    """Answers every question with the next of `answers`."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def commands(self):
        return ()

    async def rename_session(self, session, title): ...

    async def ask(self, turn, text, *, confirm, choices):
        await asyncio.sleep(0)
        self.asked.append((text, confirm, choices))
        return self.answers.pop(0)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def made(handler, **options):
    return command("test", help={"en": "Test", "ko": "시험"}, **options)(handler)


def hosting(handler, clock=None, **options):
    plugins = Plugins(PluginHost(clock=clock or Clock()))
    with_commands(plugins.host, "testing", made(handler, **options))
    return plugins


def context(person=None, language="ko"):
    return Context(session="s", language=language, services=person or Person(), turn=7)


async def outputs(handler, ctx=None, **options):
    return [output async for output in run_handler(made(handler, **options), {}, ctx or context())]


async def fault_of(handler, **options):
    with pytest.raises(AimarkError) as caught:
        await outputs(handler, **options)
    return caught.value.fault


async def test_everything_a_command_yields_arrives_in_order_and_in_the_persons_language():
    async def handler(ctx):
        yield ctx.progress(0.25, Text("drawing", "그리는 중"))
        yield ctx.text(Text("done", "끝"))
        yield ctx.table([Text("name", "이름"), "n"], [["한강|물", 1], ["a\nb", 2.5]])
        yield ctx.notify("종료", title=Text("Timer", "타이머"))

    progress, text, table, notify = await outputs(handler)
    assert progress == ProgressOutput(0.25, "그리는 중")
    assert text == TextOutput("끝")
    assert table == TableOutput(("이름", "n"), (("한강|물", "1"), ("a\nb", "2.5")))
    assert table.markdown() == "\n| 이름 | n |\n| --- | --- |\n| 한강\\|물 | 1 |\n| a b | 2.5 |\n\n"
    assert notify == NotifyOutput("종료", "타이머")


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (SystemExit(3), "SystemExit: 3"),
        (running.PluginStopped("stuck"), "PluginStopped: stuck"),
        (asyncio.CancelledError("by itself"), "CancelledError: by itself"),
        (MemoryError(), "MemoryError"),
    ],
)
async def test_whatever_a_command_raises_ends_that_command_and_is_told(raised, words):
    async def handler(ctx):
        yield ctx.text("so far")
        raise raised

    fault = await fault_of(handler)
    assert fault.code == "plugin_failed"
    assert words in fault.detail


async def test_a_command_that_yields_something_else_is_told():
    async def handler(ctx):
        yield "just text"

    assert "yielded str" in (await fault_of(handler)).detail


async def test_a_million_events_stop_the_command_and_others_run_meanwhile():
    sent, others = 0, 0

    async def handler(ctx):
        nonlocal sent
        for _ in range(1_000_000):
            sent += 1
            yield ctx.progress(0.5)

    async def other():
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    fault = await fault_of(handler)
    task.cancel()
    assert fault.code == "plugin_flooded"
    assert sent < 2 * running.MOST_OUTPUTS
    assert others > running.MOST_OUTPUTS / running.AHEAD / 4


async def test_an_answer_without_end_is_stopped():
    async def handler(ctx):
        while True:
            yield ctx.text("가" * 10_000)

    assert (await fault_of(handler)).code == "plugin_flooded"


async def test_a_command_that_falls_silent_is_stopped():
    async def handler(ctx):
        yield ctx.text("wait")
        await asyncio.Event().wait()

    assert (await fault_of(handler, timeout_s=0.01)).code == "plugin_silent"


async def test_waiting_for_a_person_is_no_silence():
    answered = asyncio.Event()

    class Slow(Person):
        async def ask(self, turn, text, *, confirm, choices):
            await answered.wait()
            return "네"

    async def handler(ctx):
        yield ctx.text(await ctx.ask("어때요?"))

    task = asyncio.create_task(outputs(handler, context(Slow()), timeout_s=0.001))
    done, _ = await asyncio.wait({task}, timeout=0.05)
    assert not done
    answered.set()
    assert await task == [TextOutput("네")]


async def test_cancelling_runs_the_handlers_finally_before_the_turn_goes_on():
    began, ended = asyncio.Event(), []

    async def handler(ctx):
        try:
            yield ctx.text("begin")
            began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("tidy")

    task = asyncio.create_task(outputs(handler))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["tidy"]


async def test_a_handler_that_will_not_be_cancelled_is_left_behind(monkeypatch, caplog):
    monkeypatch.setattr(running, "CLOSE_S", 0.02)
    began, release = asyncio.Event(), asyncio.Event()

    async def handler(ctx):
        yield ctx.text("begin")
        began.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(outputs(handler))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "does not end although it is cancelled" in caplog.text
    release.set()
    await asyncio.gather(*(t for t in asyncio.all_tasks() if t.get_name() == "command /test"))


async def test_questions_reach_a_person_with_their_choices():
    person = Person("여름", None, "", None)

    async def handler(ctx):
        yield ctx.text(str(await ctx.ask(Text("When?", "언제요?"), choices=["봄", "여름"])))
        yield ctx.text(str(await ctx.ask("왜요?")))
        yield ctx.text(str(await ctx.confirm("지울까요?")))
        yield ctx.text(str(await ctx.confirm("정말요?")))

    said = [output.text for output in await outputs(handler, context(person))]
    assert said == ["여름", "None", "True", "False"]
    assert person.asked[0] == ("언제요?", False, ("봄", "여름"))
    assert person.asked[2] == ("지울까요?", True, ())


@pytest.mark.parametrize(("answer", "said"), [("", "지웠습니다"), (None, "아무것도 하지 않았습니다.")])
async def test_a_command_that_confirms_runs_only_if_a_person_agrees(answer, said):
    ran = []

    async def handler(ctx):
        ran.append(1)
        yield ctx.text("지웠습니다")

    host = hosting(handler, confirm=Text("Delete all?", "모두 지울까요?"))
    person = Person(answer)
    found = [output.text async for output in host.run_command(parse_slash("/test"), context(person))]
    assert found == [said]
    assert person.asked == [("모두 지울까요?", True, ())]
    assert len(ran) == (answer is not None)


async def test_a_cooldown_refuses_until_its_time_has_passed():
    async def handler(ctx):
        yield ctx.text("ok")

    clock = Clock()
    host, line = hosting(handler, clock, cooldown_s=30), parse_slash("/test")
    assert [output.text async for output in host.run_command(line, context())] == ["ok"]
    clock.now += 20.5
    with pytest.raises(AimarkError) as caught:
        host.check(line)
    assert caught.value.fault.message.ko == "/test 명령은 10초 뒤에 다시 쓸 수 있습니다."
    clock.now += 10
    assert host.check(line).name == "test"


async def test_a_handler_that_exits_the_interpreter_ends_only_itself():
    async def handler(ctx):
        yield ctx.text("bye")
        sys.exit("and good night")

    assert "SystemExit: and good night" in (await fault_of(handler)).detail
