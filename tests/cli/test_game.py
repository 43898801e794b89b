"""`aimark game`, and a model that sleeps, over real daemons with fake engines."""

from pathlib import Path

from tests.cli.calls import Aimark


def test_game_mode_is_told_turned_on_and_off_and_status_shows_it(aimark: Aimark) -> None:
    assert aimark("game", "status", "--json").one()["game"] is False
    on = aimark("game", "on", "--json").one()
    assert on["game"] is True
    assert on["took_s"] >= 0
    assert on["llm"]["model"] == "fake-llm"
    assert aimark("status", "--json").one()["game"] is True
    assert "game mode" in aimark("status").out
    assert aimark("ask", "안녕", "--json").code == 0
    assert aimark("game", "off").out == "Game mode is off.\n"
    assert aimark("status", "--json").one()["game"] is False


def test_without_a_daemon_the_switch_is_set_for_the_next_one_and_none_is_started(alone: Aimark) -> None:
    assert alone("game", "status", "--json").one() == {"game": False, "took_s": None, "llm": None}
    assert alone("game", "on", "--json").one()["game"] is True
    assert not (alone.home / "run" / "daemon.json").exists()
    daemon = alone.start("run", "--no-browser", "--port", "0")
    assert daemon.stdout is not None
    assert daemon.stdout.readline()
    assert alone("status", "--json").one()["game"] is True
    assert alone("game", "off", "--json").one()["game"] is False
    assert alone("stop").code == 0
    alone.finished(daemon)
    assert alone("game", "status", "--json").one()["game"] is False


def test_in_korean_it_speaks_korean(tmp_path: Path) -> None:
    call = Aimark(tmp_path, LANG="ko_KR.UTF-8")
    assert call("game", "on").out == "게임 모드가 켜져 있어 그래픽 카드를 비워 둡니다.\n"
    assert call("game", "off").out == "게임 모드가 꺼져 있습니다.\n"


def test_an_action_is_needed(alone: Aimark) -> None:
    ran = alone("game")
    assert (ran.code, "aimark game" in ran.err) == (2, True)


def test_a_model_that_sleeps_is_shown_and_answers(alone: Aimark) -> None:
    alone.home.mkdir(parents=True)
    (alone.home / "config.json").write_text('{"llm": {"keep_alive": 0}}', encoding="utf-8")
    daemon = alone.start("run", "--no-browser", "--port", "0")
    assert daemon.stdout is not None
    assert daemon.stdout.readline()
    for _ in range(3):
        ran = alone("ask", "안녕", "--json")
        assert (ran.code, ran.lines()[-1]["reply"]) == (0, "You said: 안녕")
    for _ in range(200):
        status = alone("status", "--json").one()
        if status["engines"]["llm"]["state"] == "asleep":
            break
    assert status["engines"]["llm"]["state"] == "asleep"
    assert status["engines"]["stt"]["state"] == "ready"
    assert status["state"] == "ready"
    assert alone("stop").code == 0
    alone.finished(daemon)
