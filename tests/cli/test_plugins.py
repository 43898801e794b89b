"""`aimark plugins` and what plugins do in a running daemon: dropped in, used, broken, turned off, left out."""

import subprocess
import time

from tests.cli.calls import Aimark
from tests.plugins.hosts import GOOD, write

PATIENCE_S = 60


def listed(aimark: Aimark) -> dict:
    ran = aimark("plugins", "list", "--json")
    assert ran.code == 0, ran.err
    return {line["name"]: line for line in ran.lines()}


def until(aimark: Aimark, name: str, state: str) -> dict:
    """Ask again until the plugin is in a state, as a person who saved a file would."""
    end = time.monotonic() + PATIENCE_S
    while (found := listed(aimark).get(name, {})).get("state") != state:
        assert time.monotonic() < end, found
    return found


def test_a_file_dropped_into_the_folder_works_without_a_restart_and_can_be_turned_off(aimark):
    folder = aimark("plugins", "folder").out.strip()
    assert folder == str(aimark.home / "plugins")
    write(aimark.home / "plugins", good=GOOD)
    found = until(aimark, "good", "active")
    assert (found["source"], found["commands"], found["error"]) == ("folder", ["hello"], None)
    assert aimark("ask", "/안녕 지우").out.strip() == "hi 지우"
    off = aimark("plugins", "disable", "good", "--json").one()
    assert off["state"] == "disabled"
    assert aimark("ask", "/hello", "--json").error() == "command_unknown"
    assert '"good"' in (aimark.home / "config.json").read_text(encoding="utf-8")
    assert aimark("plugins", "enable", "good", "--json").one()["state"] == "active"
    write(aimark.home / "plugins", good="def broken(")
    broken = until(aimark, "good", "failed")
    assert broken["error"]["code"] == "plugin_source_invalid"
    assert "good" in aimark("plugins", "list").out
    write(aimark.home / "plugins", good=GOOD)
    until(aimark, "good", "active")
    assert aimark("plugins", "enable", "없는것", "--json").error() == "plugin_unknown"


def test_a_question_is_declined_where_nobody_can_answer(aimark):
    confirming = GOOD.replace('"hello"', '"wipe"').replace("안녕", "비우기")
    confirming = confirming.replace('"인사합니다"})', '"비웁니다"}, confirm=Text("Wipe?", "비울까요?"))')
    write(aimark.home / "plugins", wiping=confirming.replace("import command", "import Text, command"))
    until(aimark, "wiping", "active")
    ran = aimark("ask", "/wipe")
    assert ran.out.strip() == "Nothing was done."
    assert "declined: Wipe?" in ran.err


def started(aimark: Aimark, *options: str) -> "subprocess.Popen[bytes]":
    daemon = aimark.start("run", "--no-browser", "--port", "0", *options)
    assert daemon.stdout is not None
    assert daemon.stdout.readline().startswith(b"http://127.0.0.1:")
    return daemon


def test_safe_mode_and_aimark_plugins_choose_what_is_loaded(tmp_path):
    chosen = Aimark(tmp_path / "home", AIMARK_PLUGINS="good,title")
    (chosen.home / "plugins").mkdir(parents=True)
    write(chosen.home / "plugins", good=GOOD)
    daemon = started(chosen)
    assert {name: found["state"] for name, found in listed(chosen).items()} == {
        "good": "active",
        "help": "disabled",
        "title": "active",
    }
    assert chosen("stop").code == 0
    chosen.finished(daemon)
    safe = Aimark(tmp_path / "home")
    daemon = started(safe, "--safe-mode")
    assert {name: found["source"] for name, found in listed(safe).items()} == {"help": "bundled", "title": "bundled"}
    assert safe("stop").code == 0
    safe.finished(daemon)
