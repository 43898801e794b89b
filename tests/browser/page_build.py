"""The page's build script as a module, and whether it can work on this machine."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    """`web_client/build.py`, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("aimark_page_build", ROOT / "web_client" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ready() -> ModuleType:
    """The same with `node_modules` in place; skips the test where they cannot be installed."""
    module = load()
    try:
        module.install()
    except module.BuildError as error:
        pytest.skip(f"the page's tools cannot be installed here: {error}")
    return module
