"""The plugin host: loads plugins one by one, keeps their commands, and runs them so that none can harm the daemon."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Final, cast

import msgspec
import pluggy

from aimark_daemon.conversation.slash import SlashLine, fold
from aimark_daemon.errors import Text
from aimark_daemon.plugins.commands import Command
from aimark_daemon.plugins.completion import suggest
from aimark_daemon.plugins.context import Context, Output, Services
from aimark_daemon.plugins.faults import COMMAND_COOLING, COMMAND_UNKNOWN
from aimark_daemon.plugins.hookspecs import PROJECT, Hooks
from aimark_daemon.plugins.running import run_handler
from aimark_daemon.protocol.messages import CommandInfo

log = logging.getLogger("aimark.plugins")
NOTHING_DONE: Final = Text("Nothing was done.", "아무것도 하지 않았습니다.")
_MODULE_PREFIX = "aimark_plugin_"


class PluginState(StrEnum):
    """Where a plugin is."""

    ACTIVE = "active"
    DISABLED = "disabled"
    FAILED = "failed"


class PluginStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plugin as people see it; `why` says what went wrong."""

    name: str
    state: PluginState
    why: str = ""


def bundled_folder() -> Path:
    """Where the plugins that come with the program lie: in a wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "bundled_plugins"
    return inside if inside.is_dir() else package.parent / "plugins"


class PluginHost:
    """Loaded plugins and their commands. Single-threaded: belongs to the event loop."""

    def __init__(self, disabled: Sequence[str] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._disabled = frozenset(disabled)
        self._clock = clock
        self._ready_at: dict[str, float] = {}
        """When a command's cooldown ends."""
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._settings: dict[str, object] = {}
        self._statuses: dict[str, PluginStatus] = {}
        self._commands: dict[str, Command] = {}

    @property
    def statuses(self) -> Sequence[PluginStatus]:
        """Every plugin that was found, loaded or not."""
        return tuple(self._statuses.values())

    @property
    def commands(self) -> Sequence[Command]:
        """Every command, by name."""
        return tuple(sorted(set(self._commands.values()), key=lambda command: command.name))

    def infos(self) -> Sequence[CommandInfo]:
        """Every command as clients see it."""
        return tuple(command.info() for command in self.commands)

    def load_folder(self, folder: Path) -> None:
        """Load each `*.py` file and package of a folder; what fails is recorded and the others go on."""
        if not folder.is_dir():
            return
        for path in sorted(folder.iterdir()):
            if path.name.startswith(("_", ".")):
                continue
            if path.suffix == ".py":
                self._load(path.stem, path)
            elif (path / "__init__.py").is_file():
                self._load(path.name, path / "__init__.py")

    def _load(self, name: str, path: Path) -> None:
        if name in self._disabled:
            self._statuses[name] = PluginStatus(name, PluginState.DISABLED)
            return
        try:
            self.register(name, _import(name, path))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything, and may not end us
            sys.modules.pop(_MODULE_PREFIX + name, None)
            self._statuses[name] = PluginStatus(name, PluginState.FAILED, f"{type(error).__name__}: {error}")
            log.warning("plugin %s was not loaded: %s: %s", name, type(error).__name__, error)

    def register(self, name: str, plugin: object) -> None:
        """Take in a plugin's hooks and commands.

        Raises:
            ValueError: a command's name is taken.
            pluggy.PluginValidationError: a hook that does not exist, or with wrong arguments.
        """
        self._manager.register(plugin, name)
        try:
            self._manager.check_pending()
            commands = [
                replace(command, plugin=name)
                for caller in [self._manager.hook.aimark_register_commands]
                for implementation in caller.get_hookimpls()
                if implementation.plugin is plugin
                for command in cast("Iterable[Command]", implementation.function())
            ]
            spellings: dict[str, Command] = {}
            for command in commands:
                for spelling in command.spellings():
                    other = self._commands.get(spelling) or spellings.get(spelling)
                    if other is not None and other is not command:
                        raise ValueError(f"/{spelling} is already a command of {other.plugin}")
                    spellings[spelling] = command
        except BaseException:
            self._manager.unregister(plugin)
            raise
        self._commands.update(spellings)
        self._statuses[name] = PluginStatus(name, PluginState.ACTIVE)

    def find(self, line: SlashLine) -> Command:
        """The command that a typed line names.

        Raises:
            AimarkError: `command_unknown`, with the nearest name.
        """
        command = self._commands.get(fold(line.name))
        if command is None:
            near = suggest(line.name, self.infos())
            raise COMMAND_UNKNOWN(
                name=line.name,
                suggestion=f"Did you mean /{near}? " if near else "",
                suggestion_ko=f"혹시 /{near} 명령을 찾으시나요? " if near else "",
            )
        return command

    def check(self, line: SlashLine) -> Command:
        """The command that a typed line names, if the line can be run now.

        Raises:
            AimarkError: `command_unknown`, `command_cooling`, or an argument's fault.
        """
        command = self.find(line)
        command.arguments(line)
        left = self._ready_at.get(command.name, 0.0) - self._clock()
        if left > 0:
            raise COMMAND_COOLING(name=line.name, seconds=math.ceil(left))
        return command

    def context(self, line: SlashLine, turn: int, session: str, language: str, services: Services) -> Context:
        """What the command that a typed line names is handed.

        Raises:
            AimarkError: `command_unknown`.
        """
        settings = self._settings.get(self.find(line).plugin)
        return Context(session=session, language=language, services=services, turn=turn, settings=settings)

    async def run(self, line: SlashLine, context: Context) -> AsyncGenerator[Output, None]:
        """Run the command that a typed line names; whatever its handler raises becomes `plugin_failed`.

        Raises:
            AimarkError: refused before anything ran, the command's own fault, or that of a handler that misbehaved.
        """
        command = self.check(line)
        if command.confirm is not None and not await context.confirm(command.confirm):
            yield context.text(NOTHING_DONE)
            return
        self._ready_at[command.name] = self._clock() + command.cooldown_s
        async with contextlib.aclosing(run_handler(command, command.arguments(line), context)) as outputs:
            async for output in outputs:
                yield output


def _import(name: str, path: Path) -> ModuleType:
    """The module in a file, under a name of its own."""
    qualified = _MODULE_PREFIX + name
    search = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(qualified, path, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[qualified] = module
    spec.loader.exec_module(module)
    return module
