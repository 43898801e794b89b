"""`aimark models` and `aimark doctor`."""

import json
import sqlite3

import pytest

from tests.cli.calls import Aimark

STARTER = {"llm": "qwen2.5-coder-0.5b-instruct-q4_k_m", "stt": "whisper-base-int8", "tts": "piper-en-us-joe-medium"}


def test_models_are_listed_alike_with_and_without_a_daemon(aimark: Aimark, alone: Aimark) -> None:
    lists = [call("models", "list", "--json").lines() for call in (aimark, alone)]
    assert lists[0] == lists[1]
    by_id = {line["id"]: line for line in lists[0]}
    for kind, identity in STARTER.items():
        assert (by_id[identity]["kind"], by_id[identity]["installed"]) == (kind, False)
        assert {"title", "bytes", "licence", "languages", "used", "memory"} <= by_id[identity].keys()
    assert STARTER["stt"] in alone("models", "list").out


@pytest.mark.parametrize("action", ["pull", "use", "rm"])
def test_a_model_that_does_not_exist_is_refused_alike(aimark: Aimark, alone: Aimark, action: str) -> None:
    for call in (aimark, alone):
        ran = call("models", action, "no-such-model", "--json")
        assert ran.error() == "model_unknown"
        assert ran.code != 0


@pytest.mark.parametrize("action", ["use", "rm"])
def test_a_model_that_is_not_installed_is_refused_alike(aimark: Aimark, alone: Aimark, action: str) -> None:
    for call in (aimark, alone):
        assert call("models", action, STARTER["llm"], "--json").error() == "model_missing"


def test_a_model_that_the_configuration_names_is_not_removed_without_a_daemon_either(alone: Aimark) -> None:
    alone.home.mkdir(parents=True, exist_ok=True)
    (alone.home / "config.json").write_text(json.dumps({"llm": {"model": STARTER["llm"]}}), encoding="utf-8")
    assert alone("models", "rm", STARTER["llm"], "--json").error() == "model_in_use"


def findings(aimark: Aimark) -> dict[str, dict[str, str]]:
    return {line["name"]: line for line in aimark("doctor", "--json").lines()}


def test_the_doctor_works_beside_a_running_daemon(aimark: Aimark) -> None:
    aimark("ask", "안녕")
    found = findings(aimark)
    assert found["daemon"]["message"].startswith("It runs")
    assert found["database"]["level"] == "ok"
    for name in ("version", "processor", "memory", "gpu", "config", "log", "microphone", "display", "folder-data"):
        assert found[name]["message"]
    for job in ("llm", "stt", "tts"):
        assert found[f"engine-{job}"]["level"] == "ok"
        assert (found[f"model-{job}"]["level"], STARTER[job] in found[f"model-{job}"]["remedy"]) == ("warning", True)


def test_the_doctor_finds_what_is_broken_without_a_daemon(alone: Aimark) -> None:
    alone("sessions", "list")
    (alone.home / "config.json").write_text(json.dumps({"server": {"port": "many"}}), encoding="utf-8")
    database = alone.home / "data" / "sessions.db"
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.write_bytes(b"no database" * 1000)
    ran = Aimark(alone.home, LANG="ko_KR.UTF-8")("doctor", "--json")
    found = {line["name"]: line for line in ran.lines()}
    assert (found["config"]["level"], "server.port" in found["config"]["message"]) == ("error", True)
    assert found["database"]["level"] == "error"
    assert "손상되었습니다" in found["database"]["message"]
    assert ran.code == 3
    (alone.home / "config.json").unlink()
    database.unlink()


def test_all_models_are_chosen_automatically_again(aimark: Aimark, alone: Aimark) -> None:
    for call in (aimark, alone):
        call.home.mkdir(parents=True, exist_ok=True)
        file = call.home / "config.json"
        if call is alone:
            file.write_text(json.dumps({"llm": {"model": STARTER["llm"]}, "language": "ko"}), encoding="utf-8")
        assert call("models", "use", "auto", "--json").one() == {"id": "auto"}
        config = json.loads(file.read_text(encoding="utf-8"))
        assert [config[job]["model"] for job in ("llm", "stt", "tts")] == ["auto"] * 3
    assert config["language"] == "ko"


def test_the_doctor_tells_the_configured_model_and_that_it_is_not_there(alone: Aimark) -> None:
    alone.home.mkdir(parents=True)
    voice = alone.home / "목소리.onnx"
    config = {"llm": {"model": "qwen3-4b-instruct-2507-q4_k_m"}, "tts": {"model": str(voice)}}
    (alone.home / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = findings(alone)
    assert found["model-llm"]["level"] == "warning"
    assert "qwen3-4b-instruct-2507-q4_k_m is configured, but not there" in found["model-llm"]["message"]
    assert found["model-llm"]["remedy"] == "`aimark models pull qwen3-4b-instruct-2507-q4_k_m`"
    assert (found["model-tts"]["level"], str(voice) in found["model-tts"]["message"]) == ("warning", True)
    voice.touch()
    assert findings(alone)["model-tts"]["level"] == "ok"


def test_a_plugin_with_a_syntax_error_is_told_by_status_and_doctor(alone: Aimark) -> None:
    plugins = alone.home / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "broken.py").write_text("async def 인사(ctx:\n", encoding="utf-8")
    daemon = alone.start("run", "--no-browser", "--port", "0")
    assert daemon.stdout is not None
    daemon.stdout.readline()
    (notice,) = alone("status", "--json").one()["notices"]
    assert notice["code"] == "plugin_not_loaded"
    assert "broken" in notice["message"]["ko"]
    assert "SyntaxError" in notice["detail"]
    assert "The plugin broken was not loaded" in alone("status").out
    assert findings(alone)["notice"]["level"] == "warning"
    assert alone("stop").code == 0
    alone.finished(daemon)
