"""A store with a clock that is only moved by using it."""

from datetime import UTC, datetime, timedelta

import pytest

from aimark_daemon.store import Store


class Clock:
    """Tells a time one second later at each call."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    opened = Store.open(tmp_path / "data" / "sessions.db", clock)
    yield opened
    opened.close()
