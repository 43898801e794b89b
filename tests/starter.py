"""The catalogue's models for tests, pulled once into a cache that outlives the test run."""

import os
from functools import cache
from pathlib import Path

import platformdirs

from aimark_daemon.models.store import ModelStore


def model_cache() -> Path:
    """The store that tests share: `$AIMARK_TEST_MODELS`, else the user's cache folder."""
    return Path(os.environ.get("AIMARK_TEST_MODELS") or platformdirs.user_cache_dir("aimark-tests"))


@cache
def installed(model: str) -> Path:
    """Where the model lies, pulled first if it is not there."""
    return ModelStore(model_cache()).pull(model)
