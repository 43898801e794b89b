"""Hooks: each is documented with an example that runs, and calling one is bounded, in order and harmless."""

import asyncio
import inspect
import re

import pytest

import aimark_daemon
from aimark_daemon import ContextBlock
from aimark_daemon.plugins import service
from aimark_daemon.plugins.entries import PluginState
from aimark_daemon.plugins.hookspecs import Hooks
from aimark_daemon.protocol.messages import Delta, SessionChanged, SessionInfo
from aimark_daemon.reference_hooks import example, hooks, purpose
from tests.plugins.hosts import hosting, said, states, write

PUBLIC = "from aimark_daemon import " + ", ".join(name for name in aimark_daemon.__all__ if name != "__version__")
EVENT = SessionChanged(session=SessionInfo(id="s", title="제목", created="", updated=""))


@pytest.mark.parametrize("name", hooks())
def test_every_hook_has_types_a_purpose_and_an_example_of_itself(name):
    hook = hooks()[name]
    assert purpose(hook).endswith((".", "seconds.", "characters."))
    assert len(purpose(hook)) > 20
    assert f"def {name}(" in example(hook)
    signature = inspect.signature(hook)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(one.annotation is not one.empty for one in list(signature.parameters.values())[1:])


async def called(plugins):
    """What a plugin does at each hook that has an effect which can be seen."""
    return {
        "commands": await said(plugins, "/greet 지우", language="ko") if plugins.commands() else "",
        "input": await plugins.transform_input("ㅇㅋ 좋아", "ko"),
        "notes": [note.text for note in await plugins.notes("지금 몇 시야?", "s", "ko")],
        "speech": await plugins.transform_speech("AI MARK입니다", "ko"),
    }


EFFECTS = {
    "aimark_register_commands": {"commands": "지우님, 안녕하세요."},
    "aimark_transform_input": {"input": "네 좋아"},
    "aimark_build_context": {"notes": ["It is 14:05."]},
    "aimark_transform_speech": {"speech": "에이아이 마크입니다"},
}
MEMORIES = {
    "aimark_startup": "opened",
    "aimark_shutdown": "opened",
    "aimark_on_event": "seen",
    "aimark_on_idle": "tidied",
}
"""Where an example that shows nothing keeps what it did, and what is there at the end."""


def test_every_hook_is_tried_here():
    assert {*EFFECTS, *MEMORIES} == set(hooks()) == {name for name in dir(Hooks) if name.startswith("aimark_")}


@pytest.mark.parametrize("name", hooks())
async def test_the_example_of_every_hook_runs_and_does_what_it_shows(name, tmp_path, monkeypatch):
    monkeypatch.setattr(service, "LOOK_S", 0.0)
    monkeypatch.setattr(service, "IDLE_S", 0.0)
    write(tmp_path, shown=f"{PUBLIC}\n{example(hooks()[name])}")
    async with hosting(tmp_path) as plugins:
        assert states(plugins) == {"shown": "active"}, plugins.told
        module = plugins.host.entries[0].plugin
        nothing = {"commands": "", "input": "ㅇㅋ 좋아", "notes": [], "speech": "AI MARK입니다"}
        assert await called(plugins) == nothing | EFFECTS.get(name, {})
        working = asyncio.create_task(plugins.run(lambda: False))
        if name in ("aimark_on_event", "aimark_on_idle"):
            plugins.observe(EVENT)
            while not getattr(module, MEMORIES[name]):
                await asyncio.sleep(0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    if name in MEMORIES:
        left = {"aimark_startup": [{}], "aimark_shutdown": [], "aimark_on_event": ["SessionChanged"]}
        assert getattr(module, MEMORIES[name])[:1] == left.get(name, ["index"])


ORDER = """
from aimark_daemon import hookimpl
@hookimpl{options}
async def aimark_transform_input(text):
    return text + "{name}"
"""


async def test_the_last_plugin_is_asked_first_and_tryfirst_goes_before(tmp_path):
    write(
        tmp_path,
        a=ORDER.format(name="a", options=""),
        b=ORDER.format(name="b", options=""),
        c=ORDER.format(name="c", options="(trylast=True)"),
    )
    async with hosting(tmp_path) as plugins:
        assert await plugins.transform_input("한글 ", "ko") == "한글 bac"


FIRST = "from aimark_daemon import hookimpl\n@hookimpl\nasync def aimark_transform_input(text): "


async def test_the_first_answer_counts_and_those_that_fail_are_passed_over(tmp_path):
    write(
        tmp_path,
        a=FIRST + "return 'late'",
        b=FIRST + "return 'first'",
        c=FIRST + "return None",
        d=FIRST + "raise OSError",
    )
    async with hosting(tmp_path) as plugins:
        assert await plugins.host.calls.first("aimark_transform_input", 1.0, text="", language="ko") == "first"
        assert await plugins.host.calls.first("aimark_on_idle", 1.0) is None


@pytest.mark.parametrize(
    "body",
    ["return 7", "return ''", "return '  '", "return 'x' * 200_000", "raise SystemExit", "await asyncio.sleep(60)"],
)
async def test_an_input_hook_that_misbehaves_leaves_the_text(tmp_path, monkeypatch, body):
    monkeypatch.setattr(service, "INPUT_S", 0.01)
    write(tmp_path, odd="import asyncio\n" + FIRST + body, z_good=ORDER.format(name="!", options=""))
    async with hosting(tmp_path) as plugins:
        assert await plugins.transform_input("안녕", "ko") in {"안녕", "안녕!"}
        assert states(plugins)["z_good"] == "active"


NOTES = """
from aimark_daemon import ContextBlock, hookimpl
@hookimpl
async def aimark_build_context(text):
    yield_ = [ContextBlock("{text}", source="{name}", priority={priority}, untrusted={untrusted})]
    return yield_
"""


async def test_what_plugins_tell_comes_by_importance_within_a_budget(tmp_path):
    write(
        tmp_path,
        clock=NOTES.format(text="오후 두 시", name="clock", priority=1, untrusted=False),
        web=NOTES.format(text="웹 글", name="web", priority=5, untrusted=True),
        huge=NOTES.format(text="가" * 2000, name="huge", priority=9, untrusted=False),
    )
    async with hosting(tmp_path) as plugins:
        notes = await plugins.notes("질문", "s", "ko")
        assert [(note.source, note.untrusted) for note in notes] == [("web", True), ("clock", False)]


async def test_pieces_of_answers_are_no_events_for_plugins_and_the_oldest_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(service, "MOST_EVENTS", 2)
    write(tmp_path, seeing=example(hooks()["aimark_on_event"]).join([PUBLIC + "\n", ""]))
    async with hosting(tmp_path) as plugins:
        module = plugins.host.entries[0].plugin
        plugins._events = asyncio.Queue(2)
        plugins.observe(Delta(turn=1, at=0, text="조각"))
        for _ in range(3):
            plugins.observe(EVENT)
        working = asyncio.create_task(plugins.run(lambda: True))
        while len(module.seen) < 2:
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert module.seen == ["SessionChanged", "SessionChanged"]


async def test_idle_work_is_cancelled_when_somebody_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(service, "LOOK_S", 0.0)
    monkeypatch.setattr(service, "IDLE_S", 0.0)
    write(
        tmp_path,
        idler="""
        import asyncio
        from aimark_daemon import hookimpl
        log = []
        @hookimpl
        async def aimark_on_idle():
            log.append("begin")
            try:
                await asyncio.Event().wait()
            finally:
                log.append("end")
        """,
    )
    async with hosting(tmp_path) as plugins:
        log, busy = plugins.host.entries[0].plugin.log, [False]
        working = asyncio.create_task(plugins.run(lambda: busy[0]))
        while log != ["begin"]:
            await asyncio.sleep(0)
        busy[0] = True
        while log != ["begin", "end"]:
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert plugins.host.entries[0].state == PluginState.ACTIVE


def test_a_context_block_needs_only_its_text():
    assert ContextBlock("한 줄") == ContextBlock(text="한 줄", source="", priority=0, untrusted=False)
    assert re.search("untrusted", ContextBlock.__doc__)
