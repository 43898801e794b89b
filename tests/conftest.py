"""Shared fixtures: the starter models as files, fetched once into a cache that outlives the test run."""

from pathlib import Path

import pytest

from tests import unrun
from tests.starter import installed


def pytest_configure(config: pytest.Config) -> None:
    """Let skipped tests fail in CI."""
    config.pluginmanager.register(unrun, "unrun")


@pytest.fixture(scope="session")
def tiny_gguf() -> Path:
    """SmolLM2 135M: quick, English only."""
    return installed("smollm2-135m-instruct-q4_1")


@pytest.fixture(scope="session")
def small_gguf() -> Path:
    """Qwen2.5 Coder 0.5B: small and bilingual, the starter model."""
    return installed("qwen2.5-coder-0.5b-instruct-q4_k_m")


@pytest.fixture(scope="session")
def whisper_dir() -> Path:
    """whisper-base, int8, for faster-whisper: a folder."""
    return installed("whisper-base-int8")


@pytest.fixture(scope="session")
def piper_onnx() -> Path:
    """The English Piper voice: the .onnx file, its .onnx.json beside it."""
    return installed("piper-en-us-joe-medium")
