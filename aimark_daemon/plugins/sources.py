"""Sources: where plugins are found - bundled, installed packages, the user's folder - and how one is read and imported.

Everything here blocks, and an import runs the plugin's code: call it in a thread.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, Literal

import msgspec

from aimark_daemon.errors import FAULT_KINDS
from aimark_daemon.plugins.manifest import Manifest, read_manifest

Source = Literal["bundled", "installed", "folder"]
ENTRY_POINTS: Final = "aimark.plugins"
_MODULE_PREFIX: Final = "aimark_plugin_"
_numbers = itertools.count(1)
_declared: dict[str, set[str]] = {}
"""The codes of faults that a plugin declared when it was imported, by its modules' prefix."""


class Found(msgspec.Struct, frozen=True):
    """A plugin that was found: `path` is its module's file, `entry` an installed one's `module:object`.

    `requires` are the packages that an installed one's own package asks for.
    """

    name: str
    source: Source
    path: Path | None = None
    entry: str = ""
    requires: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.path or self.entry)

    @property
    def root(self) -> str:
        """What the paths of its source files begin with; empty if that is unknown."""
        if self.path is None:
            return ""
        return str(self.path.parent) + os.sep if self.path.name == "__init__.py" else str(self.path)

    def stamp(self) -> tuple[int, int, int]:
        """What differs once a file of it was edited, added or removed."""
        if self.path is None:
            return (0, 0, 0)
        files = self.path.parent.rglob("*.py") if self.path.name == "__init__.py" else [self.path]
        facts = [file.stat() for file in files if file.is_file()]
        return (len(facts), max((f.st_mtime_ns for f in facts), default=0), sum(f.st_size for f in facts))


def bundled_folder() -> Path:
    """Where the plugins that come with the program lie: in a wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "bundled_plugins"
    return inside if inside.is_dir() else package.parent / "plugins"


def in_folder(folder: Path, source: Source) -> list[Found]:
    """Each `*.py` file and package of a folder, by name; none if there is no such folder.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    found = []
    for path in paths:
        if path.name.startswith(("_", ".")):
            continue
        if path.suffix == ".py":
            found.append(Found(path.stem, source, path))
        elif (path / "__init__.py").is_file():
            found.append(Found(path.name, source, path / "__init__.py"))
    return found


def installed() -> list[Found]:
    """The entry points `aimark.plugins` of all installed packages, by name. Nothing is imported."""
    return sorted(_installed(), key=lambda found: found.name)


def _installed() -> Iterator[Found]:
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        requires = tuple(entry.dist.requires or ()) if entry.dist is not None else ()
        yield Found(entry.name, "installed", _file_of(entry.module), entry.value, requires)


def _file_of(module: str) -> Path | None:
    """The file of a module that is not imported, nor are the packages around it."""
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    for name in inner:
        package = path.parent / name / "__init__.py"
        path = package if package.is_file() else path.parent / f"{name}.py"
    return path if path.is_file() else None


def manifest_of(found: Found) -> Manifest:
    """What the plugin says of itself.

    Raises:
        OSError, UnicodeError: its source cannot be read. SyntaxError, ValueError: as `read_manifest`.
    """
    return read_manifest(found.path.read_text(encoding="utf-8")) if found.path is not None else Manifest()


def version_of(package: str) -> str | None:
    """The installed version of a package; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def load(found: Found) -> tuple[Any, str]:
    """Import the plugin: the object that has its hooks, and the module prefix to purge when it is unloaded.

    A plugin of a folder gets a module of a new name each time, so that it is the file's text that runs.

    Raises:
        Whatever the plugin's code raises, `SystemExit` included.
    """
    if found.entry:
        module, _, attribute = found.entry.partition(":")
        plugin: Any = importlib.import_module(module)
        for name in attribute.split(".") if attribute else ():
            plugin = getattr(plugin, name)
        return (plugin() if isinstance(plugin, type) else plugin), ""
    prefix = f"{_MODULE_PREFIX}{found.name}_{next(_numbers)}"
    if found.path is None:
        raise ImportError(f"{found.name} is no file")
    known = set(FAULT_KINDS)
    try:
        plugin = _import(prefix, found.path)
    except BaseException:
        _declared[prefix] = set(FAULT_KINDS) - known
        purge(prefix)
        raise
    _declared[prefix] = set(FAULT_KINDS) - known
    return plugin, prefix


def purge(prefix: str) -> None:
    """Forget the modules of an unloaded plugin, and the kinds of fault that they declared."""
    for code in _declared.pop(prefix, ()):
        FAULT_KINDS.pop(code, None)
    for name in [name for name in sys.modules if prefix and (name == prefix or name.startswith(prefix + "."))]:
        del sys.modules[name]


class _Fresh(importlib.machinery.SourceFileLoader):
    """Compiles the source itself: compiled files know times in seconds, and an edit can be quicker."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _import(qualified: str, path: Path) -> ModuleType:
    importlib.invalidate_caches()
    search = [str(path.parent)] if path.name == "__init__.py" else None
    loader = _Fresh(qualified, str(path))
    spec = importlib.util.spec_from_file_location(qualified, path, loader=loader, submodule_search_locations=search)
    if spec is None:
        raise ImportError(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[qualified] = module
    loader.exec_module(module)
    return module
