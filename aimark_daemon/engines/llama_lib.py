"""llama.cpp's functions, by the binding's low-level module alone. Imported in the worker process only.

The package's own beginning imports a high-level interface with NumPy and everything that needs: four fifths of the
seconds and of the memory of an import, in a process that a person may be waiting for, and nothing of it is used.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any, Final

_PACKAGE: Final = "llama_cpp"


def low_level(module: str) -> Any:
    """A module of the package, without the package's own beginning; whoever imports that later still gets it.

    Raises:
        ImportError: the package, or a library that it needs, is not installed.
    """
    if _PACKAGE in sys.modules:
        return importlib.import_module(f"{_PACKAGE}.{module}")
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError(f"No module named {_PACKAGE!r}", name=_PACKAGE)
    package = ModuleType(_PACKAGE)
    package.__path__ = list(found.submodule_search_locations)
    sys.modules[_PACKAGE] = package
    try:
        return importlib.import_module(f"{_PACKAGE}.{module}")
    finally:
        del sys.modules[_PACKAGE]


lib: Final = low_level("llama_cpp")
libggml: Final = low_level("_ggml").libggml
