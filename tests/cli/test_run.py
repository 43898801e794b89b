"""`aimark run`, `status`, `open`, `stop`, and daemons that commands start for themselves."""

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from aimark_daemon.cli.connection import wait_until_gone
from aimark_daemon.runtime import is_running, read_address
from tests.cli.calls import Aimark


def test_status_has_the_documented_shape(aimark: Aimark) -> None:
    aimark("ask", "준비", "--json")
    status = aimark("status", "--json").one()
    assert {"state", "version", "pid", "port", "engines", "gpu", "sessions"} <= status.keys()
    assert status["sessions"] >= 1
    for job in ("llm", "stt", "tts"):
        engine = status["engines"][job]
        assert {"state", "pid", "model"} <= engine.keys()
        assert engine["model"] == f"fake-{job}"
    assert "fake-stt" in aimark("status").out


def test_without_a_daemon_status_says_so_with_exit_code_4_and_starts_none(alone: Aimark) -> None:
    ran = alone("status", "--json")
    assert (ran.error(), ran.code) == ("daemon_not_running", 4)
    assert not is_running(alone.home / "run")
    assert alone("status").err.startswith("aimark: No daemon is running.")


def test_a_second_run_points_to_the_first_and_ends_well(aimark: Aimark) -> None:
    port = aimark("status", "--json").one()["port"]
    ran = aimark("run", "--no-browser", "--port", "0")
    assert ran.code == 0
    assert ran.out.startswith(f"http://127.0.0.1:{port}/#code=")
    assert "already" in ran.err
    assert "stop it first" not in ran.err, "any port is this one too"
    assert "for port 9, stop it first" in aimark("run", "--no-browser", "--port", "9").err


def test_no_command_runs_the_daemon_and_sigterm_ends_it_well(alone: Aimark) -> None:
    daemon = alone.start("--port", "0", "--no-browser", "--no-desktop")
    assert daemon.stdout is not None
    assert b"/#code=" in daemon.stdout.readline()
    daemon.send_signal(signal.SIGTERM)
    ran = alone.finished(daemon)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("Open the address above in a browser on this computer")
    assert not is_running(alone.home / "run")


def test_ctrl_c_ends_the_daemon_well_and_its_engines_with_it(alone: Aimark) -> None:
    daemon = alone.start("run", "--no-browser", "--port", "0")
    assert daemon.stdout is not None
    daemon.stdout.readline()
    alone("ask", "준비")
    pids = [engine["pid"] for engine in alone("status", "--json").one()["engines"].values() if engine["pid"]]
    assert pids
    daemon.send_signal(signal.SIGINT)
    ran = alone.finished(daemon)
    assert ran.code == 0
    assert "Thinking: fake-llm (ready)" in ran.err
    assert "Traceback" not in ran.err
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_log_holds_no_conversation_and_no_code(aimark: Aimark) -> None:
    secret = "아무도 모르는 이야기"
    aimark("ask", secret)
    code = aimark("open", "--no-browser").out.strip().partition("#code=")[2]
    logs = "".join(file.read_text(encoding="utf-8") for file in (aimark.home / "logs").iterdir())
    assert "listening on port" in logs
    assert secret not in logs
    assert len(code) > 20
    assert code not in logs
    assert (aimark.home / "run" / "token").read_text(encoding="ascii").strip() not in logs


def test_open_prints_a_fresh_address_each_time(aimark: Aimark) -> None:
    first, second = (aimark("open", "--json").one()["url"] for _ in range(2))
    assert first.partition("#")[0] == second.partition("#")[0]
    assert first != second


def test_open_starts_a_daemon_that_stays(alone: Aimark) -> None:
    alone.home.mkdir()
    (alone.home / "config.json").write_text('{"server": {"port": 0}}', encoding="utf-8")
    port = int(alone("open", "--no-browser").out.split(":")[2].partition("/")[0])
    assert alone("status", "--json").one()["port"] == port
    assert not (alone.home / "run" / "for-call").exists()


def test_a_daemon_started_for_a_call_is_gone_when_the_call_returns(alone: Aimark) -> None:
    assert alone("ask", "안녕", "--json").one()["finish"] == "stop"
    assert not is_running(alone.home / "run")
    assert not (alone.home / "run" / "for-call").exists()


def test_a_kept_daemon_goes_on_after_the_call(alone: Aimark) -> None:
    alone.home.mkdir()
    (alone.home / "config.json").write_text('{"server": {"port": 0}}', encoding="utf-8")
    assert Aimark(alone.home, AIMARK_KEEP="1")("ask", "안녕").code == 0
    pid = alone("status", "--json").one()["pid"]
    assert alone("ask", "또 안녕").code == 0
    assert alone("status", "--json").one()["pid"] == pid


def test_twenty_calls_at_once_share_a_daemon_and_are_all_answered(alone: Aimark) -> None:
    results = alone.together([("ask", f"질문 {number}", "--json") for number in range(20)])
    assert [ran.one()["reply"] for ran in results] == [f"You said: 질문 {number}" for number in range(20)]
    assert wait_until_gone(alone.home / "run", 60)
    log = (alone.home / "logs" / "daemon.log").read_text(encoding="utf-8")
    # On a slow machine the last call may come after the daemon has ended; never are there two at once.
    lives = re.findall("listening on port|stopping", log)
    assert lives == ["listening on port", "stopping"] * (len(lives) // 2)
    assert len(lives) < len(results)


def test_runs_at_once_leave_one_daemon(alone: Aimark) -> None:
    runs = [alone.start("run", "--no-browser", "--port", "0") for _ in range(4)]
    addresses = set()
    for run in runs:
        assert run.stdout is not None
        addresses.add(run.stdout.readline().partition(b"#")[0])
    assert len(addresses) == 1
    assert alone("stop").out == "The daemon has stopped.\n"
    assert {alone.finished(run).code for run in runs} == {0}


def test_a_taken_port_is_told_with_exit_code_3(alone: Aimark) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ran = alone("run", "--no-browser", "--port", str(port))
        assert ran.code == 3
        assert f"Port {port} is used by another program. [port_taken]" in ran.err
        (alone.home / "config.json").write_text(json.dumps({"server": {"port": port}}), encoding="utf-8")
        opened = alone("open", "--json")
        assert (opened.error(), opened.code) == ("port_taken", 3)
        # A daemon for one call needs no port of its own choice.
        assert alone("ask", "안녕").code == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "config_broken"),
        (b'{"llm": {"temperature": "hot"}}', "config_invalid"),
        (b'{"language": "\xb0\xa1"}', "config_encoding"),
    ],
)
def test_a_broken_configuration_is_told_with_exit_code_3(alone: Aimark, content: bytes, code: str) -> None:
    alone.home.mkdir()
    (alone.home / "config.json").write_bytes(content)
    ran = alone("ask", "안녕", "--json")
    assert (ran.error(), ran.code) == (code, 3)
    assert alone("run", "--no-browser").code == 3


def test_an_unknown_key_only_warns(alone: Aimark) -> None:
    alone.home.mkdir()
    (alone.home / "config.json").write_text('{"langage": "ko", "server": {"port": 0}}', encoding="utf-8")
    daemon = alone.start("run", "--no-browser")
    assert daemon.stdout is not None
    daemon.stdout.readline()
    daemon.send_signal(signal.SIGTERM)
    ran = alone.finished(daemon)
    assert ran.code == 0
    assert "langage" in ran.err
    assert "[config_key_ignored]" in ran.err


def test_a_home_that_is_a_file_is_told_with_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder", encoding="utf-8")
    ran = Aimark(tmp_path / "home")("ask", "안녕", "--json")
    assert ran.code == 3
    assert ran.one()["error"]["code"] in ("folder_unusable", "config_unreadable")


def test_a_killed_daemon_is_replaced_at_the_next_call(alone: Aimark) -> None:
    daemon = alone.start("run", "--no-browser", "--port", "0")
    assert daemon.stdout is not None
    daemon.stdout.readline()
    first = alone("ask", "하나", "--json").one()
    daemon.kill()
    alone.finished(daemon)
    assert read_address(alone.home / "run") is not None
    second = alone("ask", "둘", "--session", first["session"], "--json").one()
    assert second["session"] == first["session"]


def test_stop_without_a_daemon_is_fine(alone: Aimark) -> None:
    ran = alone("stop", "--json")
    assert (ran.code, ran.one()) == (0, {"stopped": False})


def test_a_reader_that_leaves_early_gets_no_traceback(aimark: Aimark) -> None:
    listing = aimark.start("models", "list", "--json")
    assert listing.stdout is not None
    listing.stdout.close()
    assert listing.stderr is not None
    assert b"Traceback" not in listing.stderr.read()
    assert listing.wait(60) in (0, 141)
    listing.stderr.close()
    assert listing.stdin is not None
    listing.stdin.close()


def test_logging_out_shuts_every_program_out_and_lets_the_next_call_in(alone: Aimark) -> None:
    assert alone("open", "--no-browser").code == 0
    token = alone.home / "run" / "token"
    first = token.read_bytes()
    assert alone("logout", "--json").one() == {"logged_out": True}
    second = token.read_bytes()
    assert alone("status").code == 0
    assert alone("stop").code == 0
    assert "aimark open" in alone("logout").out
    assert len({first, second, token.read_bytes()}) == 3
