"""A running daemon with fake engines, shared by the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimark_daemon.runtime import is_running
from tests.cli.calls import Aimark


@pytest.fixture(scope="module")
def aimark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimark]:
    """The command line, with a daemon that runs on a free port."""
    call = Aimark(tmp_path_factory.mktemp("home"))
    daemon = call.start("run", "--no-browser", "--port", "0")
    assert daemon.stdout is not None
    assert daemon.stdout.readline().startswith(b"http://127.0.0.1:")
    yield call
    assert call("stop").code == 0
    ended = call.finished(daemon)
    assert ended.code == 0, ended.err


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Aimark]:
    """The command line, without a daemon."""
    call = Aimark(tmp_path / "home")
    yield call
    if is_running(call.home / "run"):
        assert call("stop").code == 0
