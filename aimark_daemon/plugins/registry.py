"""The registry of commands: who answers to which name, and when a command may run again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from aimark_daemon.conversation.slash import SlashLine, fold
from aimark_daemon.plugins.commands import Command
from aimark_daemon.plugins.completion import suggest
from aimark_daemon.plugins.faults import COMMAND_COOLING, COMMAND_UNKNOWN
from aimark_daemon.plugins.life_faults import PLUGIN_COMMAND_TAKEN
from aimark_daemon.protocol.messages import CommandInfo


class Registry:
    """Commands by every name they answer to. `clock` gives steady seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._commands: dict[str, Command] = {}
        self._ready_at: dict[str, float] = {}
        """When a command's cooldown ends."""

    def all(self) -> Sequence[Command]:
        """Every command, by name."""
        return tuple(sorted(set(self._commands.values()), key=lambda command: command.name))

    def infos(self) -> tuple[CommandInfo, ...]:
        """Every command as clients see it."""
        return tuple(command.info() for command in self.all())

    def add(self, plugin: str, commands: Iterable[Command]) -> tuple[str, ...]:
        """Take in a plugin's commands, all or none; returns their names.

        Raises:
            AimarkError: `plugin_command_taken`.
        """
        added: dict[str, Command] = {}
        for command in (replace(command, plugin=plugin) for command in commands):
            for spelling in command.spellings():
                other = self._commands.get(spelling) or added.get(spelling)
                if other is not None and other is not command:
                    raise PLUGIN_COMMAND_TAKEN(name=plugin, command=spelling, other=other.plugin)
                added[spelling] = command
        self._commands.update(added)
        return tuple(dict.fromkeys(command.name for command in added.values()))

    def remove(self, plugin: str) -> None:
        """Forget a plugin's commands."""
        self._commands = {name: command for name, command in self._commands.items() if command.plugin != plugin}

    def find(self, line: SlashLine) -> Command:
        """The command that a typed line names.

        Raises:
            AimarkError: `command_unknown`, with the name that was probably meant.
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

    def begin(self, command: Command) -> None:
        """A command runs: its cooldown begins."""
        self._ready_at[command.name] = self._clock() + command.cooldown_s
