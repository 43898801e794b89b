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
