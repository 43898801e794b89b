"""The scripted driver as a fixture."""

import pytest

from tests.gpu.driver import install


@pytest.fixture
def driver(monkeypatch, tmp_path):
    """A driver without a card, loaded by the real binding."""
    return install(monkeypatch, tmp_path)
