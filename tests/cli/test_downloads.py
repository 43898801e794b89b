"""Downloads as the command line shows them: a line each tenth, nothing for what is there, Ctrl-C stops them."""

import os
import signal
from pathlib import Path

import pytest

from aimark_daemon.cli import starter
from aimark_daemon.cli.progress import Downloads
from aimark_daemon.cli.shell import Shell
from aimark_daemon.errors import AimarkError
from tests.models.fakes import FakeMirror, entry, store

SHOW_CURSOR = "\x1b[?25h"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("AIMARK_HOME", str(tmp_path / "home"))
    return Shell()


def test_each_tenth_is_told_once_on_stderr(shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    starter.pull(shell, store(tmp_path / "models"), "tiny")
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.split(":")[1].split("%")[0].strip() for line in told.err.splitlines()] == [
        str(tenth * 10) for tenth in range(11)
    ]


def test_nothing_is_told_of_a_model_that_is_there(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = store(tmp_path / "models")
    models.pull("tiny")
    starter.pull(shell, models, "tiny")
    assert capsys.readouterr().err == ""


def test_ctrl_c_stops_a_download_and_gives_the_key_back(shell: Shell, tmp_path: Path) -> None:
    mirror = FakeMirror()
    mirror.on_chunk = lambda: os.kill(os.getpid(), signal.SIGINT)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(AimarkError) as caught:
        starter.pull(shell, store(tmp_path / "models", mirrors=mirror), "tiny")
    assert (caught.value.fault.code, caught.value.fault.exit_code) == ("pull_cancelled", 130)
    assert signal.getsignal(signal.SIGINT) is before


def test_only_the_starter_models_that_a_command_needs_are_fetched(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = store(
        tmp_path / "models",
        entry(model="other-llm"),
        entry(model="small-llm", starter=True),
        entry(model="ear", kind="stt", starter=True),
    )
    monkeypatch.setattr(starter, "ModelStore", lambda _root: models)
    starter.fetch_starter(shell, ("llm",))
    assert [info.id for info in models.list() if info.installed] == ["small-llm"]


def test_nothing_is_fetched_where_something_is_installed_chosen_or_forbidden(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = store(
        tmp_path / "models",
        entry(model="other-llm"),
        entry(model="small-llm", starter=True),
        entry(model="ear", kind="stt", starter=True),
    )
    monkeypatch.setattr(starter, "ModelStore", lambda _root: models)
    models.pull("other-llm")
    config = shell.base_paths.config_file
    config.parent.mkdir(parents=True)
    config.write_text('{"stt": {"model": "another-ear"}}', encoding="utf-8")
    starter.fetch_starter(shell, ("llm", "stt"))
    assert [info.id for info in models.list() if info.installed] == ["other-llm"]
    config.write_text('{"download_starter_models": false}', encoding="utf-8")
    starter.fetch_starter(Shell(), ("llm", "stt"))
    assert [info.id for info in models.list() if info.installed] == ["other-llm"]


def test_on_a_terminal_there_is_a_bar_until_the_download_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Downloads() as downloads:
        downloads.update("작은-모델", 1_000_000, 4_000_000)
        downloads.update("작은-모델", 4_000_000, 4_000_000)
        told = capsys.readouterr().err
        assert SHOW_CURSOR in told, "the bar is still drawn"
        downloads.update("둘째", 1_000_000, 2_000_000)
        downloads.update("둘째", 2_000_000, 2_000_000)
    told += capsys.readouterr().err
    for part in ("작은-모델", "4.0/4.0 MB", "둘째", "2.0/2.0 MB"):
        assert part in told
