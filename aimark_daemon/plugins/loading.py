"""Loading one plugin: checked before it is imported, then imported, configured, registered and started. Or a fault."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import msgspec
import pluggy

from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.plugins import life_faults as faults
from aimark_daemon.plugins import sources
from aimark_daemon.plugins.commands import Command
from aimark_daemon.plugins.hookspecs import API_VERSION
from aimark_daemon.plugins.manifest import Manifest, missing
from aimark_daemon.plugins.running import ANYTHING
from aimark_daemon.plugins.sources import Found
from aimark_daemon.plugins.threads import in_thread

T = TypeVar("T")

IMPORT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Imported:
    """A plugin's object, and the prefix of its modules."""

    plugin: Any
    prefix: str


def read(found: Found) -> Manifest | Fault:
    """What a plugin says of itself, or why it cannot be read. Blocks."""
    try:
        return sources.manifest_of(found)
    except (OSError, UnicodeError) as error:
        return faults.PLUGIN_UNREADABLE.fault(str(error), name=found.name, path=found.place)
    except SyntaxError as error:
        problem = f"{error.msg} (line {error.lineno})"
        return faults.PLUGIN_SOURCE_INVALID.fault(name=found.name, problem=problem, path=found.place)
    except (ValueError, RecursionError, MemoryError) as error:
        return faults.PLUGIN_SOURCE_INVALID.fault(name=found.name, problem=str(error), path=found.place)


def check(found: Found, manifest: Manifest) -> Fault | None:
    """Why a plugin cannot work with this program and what is installed. Blocks."""
    if manifest.api is not None and manifest.api != API_VERSION:
        return faults.PLUGIN_API_OTHER.fault(name=found.name, wanted=manifest.api, have=API_VERSION)
    try:
        unmet = missing((*manifest.requires, *found.requires), sources.version_of)
    except ValueError as error:
        return faults.PLUGIN_SOURCE_INVALID.fault(name=found.name, problem=str(error), path=found.place)
    if unmet:
        line = f"{sys.executable} -m pip install " + " ".join(f'"{package}"' for package in unmet)
        return faults.PLUGIN_REQUIRES.fault(name=found.name, packages=", ".join(unmet), line=line)
    return None


async def import_plugin(found: Found) -> Imported:
    """Import it, in a thread.

    Raises:
        AimarkError: `plugin_import_failed`, `plugin_too_slow`.
    """
    plugin, prefix = await _guarded(found, "import", lambda: sources.load(found))
    return Imported(plugin, prefix)


async def commands_of(found: Found, manager: pluggy.PluginManager, plugin: object) -> list[Command]:
    """The commands of a registered plugin, which is asked in a thread.

    Raises:
        AimarkError: `plugin_import_failed`, `plugin_too_slow`, `plugin_hooks_invalid`.
    """
    implementations = [one for one in manager.hook.aimark_register_commands.get_hookimpls() if one.plugin is plugin]

    def ask() -> list[Any]:
        return [command for one in implementations for command in cast("Iterable[Any]", one.function() or ())]

    commands = await _guarded(found, "aimark_register_commands", ask) if implementations else []
    for command in commands:
        if not isinstance(command, Command):
            problem = f"aimark_register_commands gave {type(command).__name__}, not a command"
            raise faults.PLUGIN_HOOKS_INVALID(name=found.name, problem=problem)
    return commands


def settings_of(found: Found, plugin: object, values: Mapping[str, Any]) -> Any:
    """The plugin's settings: an instance of its `Settings` struct, or the bare values if it has none.

    Raises:
        AimarkError: `plugin_settings_invalid`.
    """
    kind = getattr(plugin, "Settings", None)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return dict(values)
    known = ", ".join(kind.__struct_fields__) or "-"
    if unknown := [key for key in values if key not in kind.__struct_fields__]:
        raise faults.PLUGIN_SETTINGS_INVALID(name=found.name, problem=f"there is no {unknown[0]}", known=known)
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise faults.PLUGIN_SETTINGS_INVALID(name=found.name, problem=str(error), known=known) from error


def register(found: Found, manager: pluggy.PluginManager, plugin: object) -> None:
    """Register its hooks.

    Raises:
        AimarkError: `plugin_hooks_invalid`: a hook that does not exist, or has other arguments.
    """
    try:
        manager.register(plugin, found.name)
        manager.check_pending()
        for caller in manager.get_hookcallers(plugin) or ():
            if any(one.plugin is plugin and (one.wrapper or one.hookwrapper) for one in caller.get_hookimpls()):
                raise ValueError(f"{caller.name}: a hook cannot be a wrapper")
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.is_registered(plugin):
            manager.unregister(plugin)
        raise faults.PLUGIN_HOOKS_INVALID(name=found.name, problem=str(error)) from error


async def _guarded(found: Found, part: str, function: Callable[[], T]) -> T:
    try:
        return await in_thread(function, IMPORT_S)
    except TimeoutError:
        raise faults.PLUGIN_TOO_SLOW(name=found.name, part=part, seconds=IMPORT_S) from None
    except AimarkError:
        raise
    except ANYTHING as error:
        where = "".join(traceback.format_exception(error)[-6:])
        problem = f"{type(error).__name__}: {error}"
        raise faults.PLUGIN_IMPORT_FAILED(where, name=found.name, problem=problem, path=found.place) from error
