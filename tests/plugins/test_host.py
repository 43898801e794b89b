"""The plugin host: plugins are found, checked, configured, started, edited and taken out; what fails says why."""

import asyncio

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.config.types import PluginsConfig
from aimark_daemon.conversation.slash import parse_slash
from aimark_daemon.errors import FAULT_KINDS
from aimark_daemon.plugins.context import TextOutput
from aimark_daemon.plugins.sources import bundled_folder
from tests.plugins.hosts import GOOD, Services, hosting, run, said, states, why, write


async def test_a_file_and_a_package_in_the_folder_are_plugins(tmp_path):
    write(tmp_path, good=GOOD, _hidden="raise RuntimeError('loaded although hidden')")
    package = tmp_path / "packed"
    package.mkdir()
    write(
        package,
        __init__="from .inner import aimark_register_commands",
        inner=GOOD.replace("hello", "bye").replace("안녕", "잘가"),
    )
    (tmp_path / "notes.txt").write_text("no plugin")
    async with hosting(tmp_path) as plugins:
        assert states(plugins) == {"good": "active", "packed": "active"}
        assert await run(plugins, "/안녕 지우") == [TextOutput("hi 지우")]
        assert await run(plugins, "/bye") == [TextOutput("hi you")]
        assert [info.commands for info in plugins.host.infos()] == [("hello",), ("bye",)]
    assert plugins.host.registry.all() == ()


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("import a_module_that_is_not_there", "plugin_import_failed", "a_module_that_is_not_there"),
        ("import sys\nsys.exit(3)", "plugin_import_failed", "SystemExit: 3"),
        ("def broken(:\n    pass", "plugin_source_invalid", "line 1"),
        ("AIMARK_API = 99", "plugin_api_other", "99"),
        ("AIMARK_API = 'one'", "plugin_source_invalid", "int"),
        ("REQUIRES = [x for x in ()]", "plugin_source_invalid", "REQUIRES must be written as a plain value"),
        ("REQUIRES = ['not a == requirement']", "plugin_source_invalid", "not a == requirement"),
        ("REQUIRES = ['a-package-that-is-not-there>=2']", "plugin_requires", "a-package-that-is-not-there>=2"),
        ("REQUIRES = ['msgspec>=99']", "plugin_requires", "msgspec>=99"),
        ("NEEDS = ['other']", "plugin_needs", "other"),
        (
            "from aimark_daemon import hookimpl\n@hookimpl\ndef aimark_register_comands(): return []",
            "plugin_hooks_invalid",
            "aimark_register_comands",
        ),
        (
            "from aimark_daemon import hookimpl\n@hookimpl\ndef aimark_on_event(event, wrong): ...",
            "plugin_hooks_invalid",
            "wrong",
        ),
        (
            "from aimark_daemon import hookimpl\n@hookimpl\ndef aimark_register_commands(): return ['hello']",
            "plugin_hooks_invalid",
            "gave str",
        ),
        (
            "from aimark_daemon import hookimpl\n@hookimpl\nasync def aimark_startup(): raise OSError('no disk')",
            "plugin_hook_failed",
            "OSError: no disk",
        ),
        (GOOD, "plugin_command_taken", "/hello"),
    ],
)
async def test_a_plugin_that_cannot_work_says_why_and_the_others_go_on(tmp_path, source, code, words):
    write(tmp_path, bad=source, a_good=GOOD)
    async with hosting(tmp_path) as plugins:
        assert states(plugins) == {"a_good": "active", "bad": "failed"}
        (fault,) = plugins.told
        assert fault.code == code
        assert words in fault.message.en + fault.hint.en
        assert words in fault.message.ko + fault.hint.ko
        assert await said(plugins, "/hello") == "hi you"


async def test_what_is_missing_comes_with_the_exact_line_that_installs_it(tmp_path):
    write(
        tmp_path, needy="REQUIRES = ['one-missing>=2,<3', 'msgspec', 'another-missing']\nraise SystemError('imported')"
    )
    async with hosting(tmp_path) as plugins:
        hint = plugins.told[0].hint.en
        assert hint.endswith('-m pip install "one-missing<3,>=2" "another-missing"')


async def test_a_source_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    (tmp_path / "latin.py").write_bytes("x = '한글'".encode("euc-kr"))
    async with hosting(tmp_path) as plugins:
        assert [fault.code for fault in plugins.told] == ["plugin_unreadable", "plugin_unreadable"]


async def test_a_folder_that_is_no_folder_is_named_and_bundled_plugins_work(tmp_path):
    (tmp_path / "plugins").write_text("a file")
    async with hosting(tmp_path / "plugins", bundled=True) as plugins:
        await plugins.host.rescan()
        assert [fault.code for fault in plugins.told] == ["plugin_folder_unreadable"]
        assert plugins.host.folder_fault == plugins.told[0]
        assert plugins.host.faults() == (plugins.told[0],)
        (tmp_path / "plugins").unlink()
        await plugins.host.rescan()
        assert plugins.host.folder_fault is None
        assert plugins.host.faults() == ()
        assert set(states(plugins).values()) == {"active"}


async def test_plugins_come_after_those_they_need_and_a_circle_is_named(tmp_path):
    write(
        tmp_path,
        a_last="NEEDS = ['b_middle']",
        b_middle="NEEDS = ['c_first']",
        c_first="",
        d_round="NEEDS = ['e_round']",
        e_round="NEEDS = ['d_round']",
        f_outside="NEEDS = ['e_round']",
        g_itself="NEEDS = ['g_itself']",
    )
    async with hosting(tmp_path) as plugins:
        found = states(plugins)
        assert {name for name, state in found.items() if state == "active"} == {"a_last", "b_middle", "c_first"}
        assert why(plugins, "d_round") == why(plugins, "g_itself") == "plugin_needs_circle"
        assert why(plugins, "f_outside") == "plugin_needs"


SETTINGS = """
import msgspec
from typing import Annotated
from aimark_daemon import command, hookimpl

class Settings(msgspec.Struct):
    city: str = "서울"
    days: Annotated[int, msgspec.Meta(ge=1, le=7)] = 3

@command("weather", help={"en": "Weather", "ko": "날씨"})
async def weather(ctx):
    yield ctx.text(f"{ctx.settings.city} {ctx.settings.days}")

@hookimpl
def aimark_register_commands():
    return [weather]
"""


@pytest.mark.parametrize(
    ("values", "words"),
    [({"days": 9}, "days"), ({"days": "three"}, "days"), ({"town": "부산"}, "there is no town")],
)
async def test_wrong_settings_of_a_plugin_are_named(tmp_path, values, words):
    write(tmp_path, weather=SETTINGS)
    async with hosting(tmp_path, config=PluginsConfig(settings={"weather": values})) as plugins:
        assert why(plugins, "weather") == "plugin_settings_invalid"
        assert words in plugins.told[0].message.ko
        assert plugins.told[0].hint.en.endswith("city, days.")
        await plugins.host.configure(PluginsConfig(settings={"weather": {"city": "부산"}}))
        assert await said(plugins, "/weather") == "부산 3"


async def test_a_plugin_is_disabled_and_enabled_while_the_daemon_runs(tmp_path):
    write(tmp_path, good=GOOD, weather=SETTINGS)
    changes = []
    config = PluginsConfig(disabled=("good",))
    async with hosting(tmp_path, config=config, changed=lambda: changes.append(1)) as plugins:
        assert states(plugins) == {"good": "disabled", "weather": "active"}
        with pytest.raises(AimarkError):
            plugins.check(parse_slash("/hello"))
        await plugins.host.configure(PluginsConfig())
        assert await said(plugins, "/hello") == "hi you"
        await plugins.host.configure(PluginsConfig(disabled=("good", "weather")))
        assert set(states(plugins).values()) == {"disabled"}
        assert plugins.commands() == ()
        assert len(changes) == 3


async def test_only_the_named_plugins_are_loaded(tmp_path):
    write(tmp_path, good=GOOD, weather=SETTINGS)
    async with hosting(tmp_path, bundled=True, only=frozenset({"help", "good"})) as plugins:
        assert {name for name, state in states(plugins).items() if state == "active"} == {"help", "good"}


async def test_what_is_edited_added_or_removed_in_the_folder_is_taken_up(tmp_path):
    write(tmp_path, good=GOOD)
    async with hosting(tmp_path) as plugins:
        assert not await plugins.host.rescan()
        write(tmp_path, good=GOOD.replace("hi {name}", "hey there {name}"))
        assert await plugins.host.rescan()
        assert await said(plugins, "/hello") == "hey there you"
        write(tmp_path, good="def broken(")
        await plugins.host.rescan()
        assert why(plugins, "good") == "plugin_source_invalid"
        write(tmp_path, good=GOOD, weather=SETTINGS)
        await plugins.host.rescan()
        assert states(plugins) == {"good": "active", "weather": "active"}
        (tmp_path / "good.py").unlink()
        await plugins.host.rescan()
        assert states(plugins) == {"weather": "active"}
        assert not await plugins.host.rescan()


async def test_an_edit_of_a_packages_inner_module_is_taken_up(tmp_path):
    package = tmp_path / "packed"
    package.mkdir()
    write(package, __init__="from .inner import aimark_register_commands", inner=GOOD)
    async with hosting(tmp_path) as plugins:
        assert await said(plugins, "/hello") == "hi you"
        write(package, inner=GOOD.replace("hi {name}", "good morning {name}"))
        assert await plugins.host.rescan()
        assert await said(plugins, "/hello") == "good morning you"


async def test_a_plugin_whose_rival_for_a_command_is_removed_works_then(tmp_path):
    write(tmp_path, a_first=GOOD, b_second=GOOD.replace("hi", "second"))
    async with hosting(tmp_path) as plugins:
        assert states(plugins) == {"a_first": "active", "b_second": "failed"}
        (tmp_path / "a_first.py").unlink()
        await plugins.host.rescan()
        assert states(plugins) == {"b_second": "active"}
        assert await said(plugins, "/hello") == "second you"


async def test_of_two_plugins_with_one_name_the_first_stays(tmp_path):
    write(tmp_path, help=GOOD)
    async with hosting(tmp_path, bundled=True) as plugins:
        ours, theirs = [entry for entry in plugins.host.entries if entry.found.name == "help"]
        assert (str(ours.state), str(theirs.state)) == ("active", "failed")
        assert theirs.fault.code == "plugin_name_taken"
        assert str(tmp_path / "help.py") in theirs.fault.message.ko


LIFE = """
import asyncio
from aimark_daemon import hookimpl

@hookimpl
async def aimark_startup(settings):
    settings["events"].append("begin")
    settings["events"].append(asyncio.create_task(asyncio.Event().wait()))

@hookimpl
async def aimark_shutdown():
    EVENTS.append("end")
"""


async def test_a_plugin_is_started_and_ended_and_the_tasks_it_began_end_with_it(tmp_path):
    events = []
    write(tmp_path, life=LIFE.replace('EVENTS.append("end")', "..."))
    async with hosting(tmp_path, config=PluginsConfig(settings={"life": {"events": events}})) as plugins:
        begin, task = events
        assert begin == "begin"
        assert plugins.host.tasks.of("life") == [task]
    assert task.cancelled()


async def test_failing_three_times_in_ten_minutes_quarantines_until_enabled(tmp_path):
    write(tmp_path, moody=GOOD.replace('yield ctx.text(f"hi {name}")', 'yield ctx.text("x")\n    raise OSError(name)'))
    now = [0.0]
    async with hosting(tmp_path, clock=lambda: now[0]) as plugins:
        for moment in (0, 500, 700):
            now[0] = moment
            with pytest.raises(AimarkError, match="plugin_failed"):
                await run(plugins, "/hello")
            assert states(plugins) == {"moody": "active"}
        now[0] = 800
        with pytest.raises(AimarkError, match="plugin_failed"):
            await run(plugins, "/hello")
        while plugins.commands():
            await asyncio.sleep(0)
        assert why(plugins, "moody") == "plugin_quarantined"
        assert [fault.code for fault in plugins.told] == ["plugin_quarantined"]
        assert plugins.host.faults() == tuple(plugins.told)
        await plugins.host.configure(PluginsConfig(settings={"else": {}}))
        assert states(plugins) == {"moody": "quarantined"}
        await plugins.host.release("moody")
        assert states(plugins) == {"moody": "active"}
        assert plugins.host.faults() == ()


async def test_a_commands_own_refusal_is_no_failure_of_the_plugin(tmp_path):
    raising = 'yield ctx.text("x")\n    from aimark_daemon.assistant.faults import TEXT_EMPTY\n    raise TEXT_EMPTY()'
    write(tmp_path, strict=GOOD.replace('yield ctx.text(f"hi {name}")', raising))
    async with hosting(tmp_path) as plugins:
        for _ in range(4):
            with pytest.raises(AimarkError, match="text_empty"):
                await run(plugins, "/hello")
        assert states(plugins) == {"strict": "active"}


async def test_an_unknown_plugin_is_refused_by_name():
    async with hosting() as plugins:
        with pytest.raises(AimarkError, match="plugin_unknown"):
            plugins.host.known("없는것")


async def test_the_bundled_plugins_load_and_use_only_the_public_api():
    async with hosting(bundled=True) as plugins:
        assert set(states(plugins).values()) == {"active"}
    for path in bundled_folder().glob("*.py"):
        imports = [line for line in path.read_text().splitlines() if line.startswith(("from aimark", "import aimark"))]
        assert all(line.startswith("from aimark_daemon import ") for line in imports), path.name


async def test_title_renames_the_session_that_asks_in_its_language():
    services = Services()
    async with hosting(bundled=True) as plugins:
        outputs = await run(plugins, "/제목 휴가 계획", services, "ko")
    assert services.renamed == [("s1", "휴가 계획")]
    assert "휴가 계획" in outputs[0].text


def test_nothing_is_written_into_the_plugin_folder(tmp_path):
    write(tmp_path, good=GOOD)

    async def load():
        async with hosting(tmp_path):
            pass

    asyncio.run(load())
    assert [path.name for path in tmp_path.iterdir()] == ["good.py"]


async def test_help_lists_all_commands_or_says_all_about_one(tmp_path):
    options = '"인사합니다"}, permissions=["files"], option_help={"name": {"ko": "누구에게"}}'
    write(tmp_path, good=GOOD.replace('"인사합니다"}', options))
    async with hosting(tmp_path, bundled=True) as plugins:
        listed = await said(plugins, "/도움말", language="ko")
        assert "/안녕 - 인사합니다 (사용: files)\n" in listed
        assert "/제목" in listed
        assert await said(plugins, "/help /HELLO") == "/hello - Greet (uses: files)\n  name: text\n"
        assert (
            await said(plugins, "/도움 안녕", language="ko")
            == "/안녕 - 인사합니다 (사용: files)\n  name: text 누구에게\n"
        )
        assert await said(plugins, "/help nothing") == "There is no such command.\n"


FAULTY = """
from aimark_daemon import fault_kind
NO_TEA = fault_kind("no_tea", message="No tea.", message_ko="차가 없습니다.", hint="Buy some.", hint_ko="사 주세요.")
"""


async def test_a_plugin_that_declares_a_fault_can_be_edited_and_even_fail_in_between(tmp_path):
    write(tmp_path, tea=FAULTY)
    async with hosting(tmp_path) as plugins:
        assert "no_tea" in FAULT_KINDS
        write(tmp_path, tea=FAULTY + "raise RuntimeError('half-way')")
        await plugins.host.rescan()
        assert why(plugins, "tea") == "plugin_import_failed"
        assert [fault.code for fault in plugins.host.faults()] == ["plugin_import_failed"]
        write(tmp_path, tea=FAULTY + "mended = True")
        await plugins.host.rescan()
        assert states(plugins) == {"tea": "active"}
    assert "no_tea" not in FAULT_KINDS
