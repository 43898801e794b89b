"""What plugins do for the assistant: commands that run, and hooks that see what is asked, told and spoken."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final

from aimark_daemon.conversation.notes import Note, select_notes
from aimark_daemon.conversation.slash import SlashLine
from aimark_daemon.errors import AimarkError, Text
from aimark_daemon.plugins import faults
from aimark_daemon.plugins.commands import Command
from aimark_daemon.plugins.context import Context, Output, Services
from aimark_daemon.plugins.hookspecs import ContextBlock
from aimark_daemon.plugins.host import PluginHost
from aimark_daemon.plugins.running import run_handler
from aimark_daemon.plugins.watchdog import Watchdog
from aimark_daemon.protocol import messages as m

log = logging.getLogger("aimark.plugins")

NOTHING_DONE: Final = Text("Nothing was done.", "아무것도 하지 않았습니다.")
INPUT_S: Final = 0.5
CONTEXT_S: Final = 0.8
CONTEXT_CHARS: Final = 1500
SPEECH_S: Final = 0.05
EVENT_S: Final = 5.0
MOST_EVENTS: Final = 1000
"""That may wait for plugins; the oldest are dropped then."""
LOOK_S: Final = 1.0
IDLE_S: Final = 30.0
IDLE_WORK_S: Final = 3600.0
_UNOBSERVED: Final = (m.Delta, m.Progress, m.Telemetry, m.TelemetryHistory)
_MISBEHAVED: Final = frozenset(
    {kind.code for kind in (faults.PLUGIN_FAILED, faults.PLUGIN_FLOODED, faults.PLUGIN_SILENT)}
)


class Plugins:
    """The plugins of a host at work. `run` watches over them for as long as the daemon runs."""

    def __init__(self, host: PluginHost) -> None:
        self.host = host
        self._events: asyncio.Queue[m.Event] = asyncio.Queue(MOST_EVENTS)

    # Commands

    def commands(self) -> Sequence[m.CommandInfo]:
        """Every command as clients see it."""
        return self.host.registry.infos()

    def check(self, line: SlashLine) -> Command:
        """The command that a typed line names, if the line can be run now.

        Raises:
            AimarkError: `command_unknown`, `command_cooling`, or an argument's fault.
        """
        return self.host.registry.check(line)

    def context(self, line: SlashLine, turn: int, session: str, language: str, services: Services) -> Context:
        """What the command that a typed line names is handed.

        Raises:
            AimarkError: `command_unknown`.
        """
        plugin = self.host.registry.find(line).plugin
        settings = next((entry.settings for entry in self.host.entries if entry.found.name == plugin), None)
        return Context(
            session=session, language=language, services=services, turn=turn, plugin=plugin, settings=settings
        )

    async def run_command(self, line: SlashLine, context: Context) -> AsyncGenerator[Output, None]:
        """Run the command that a typed line names; whatever its handler raises becomes `plugin_failed`.

        Raises:
            AimarkError: refused before anything ran, the command's own fault, or that of a handler that misbehaved.
        """
        command = self.check(line)
        if command.confirm is not None and not await context.confirm(command.confirm):
            yield context.text(NOTHING_DONE)
            return
        self.host.registry.begin(command)
        try:
            async with contextlib.aclosing(run_handler(command, command.arguments(line), context)) as outputs:
                async for output in outputs:
                    yield output
        except AimarkError as error:
            if error.fault.code in _MISBEHAVED:
                self.host.struck(command.plugin, f"/{command.name}", error)
            raise

    # Hooks

    async def transform_input(self, text: str, language: str) -> str:
        """What was typed or heard, as plugins change it; never empty."""
        changed = await self.host.calls.chain("aimark_transform_input", "text", text, INPUT_S, language=language)
        return changed if changed.strip() and len(changed) <= m.MAX_TEXT_CHARS else text

    async def notes(self, text: str, session: str, language: str) -> list[Note]:
        """What plugins tell the model for one question, within its budget."""
        answers = await self.host.calls.collect(
            "aimark_build_context", CONTEXT_S, text=text, session=session, language=language
        )
        blocks = []
        for plugin, answer in answers:
            try:
                blocks += [_checked(block, plugin) for block in answer]
            except TypeError as error:
                self.host.struck(plugin, "aimark_build_context", error)
        return select_notes(blocks, CONTEXT_CHARS)

    async def transform_speech(self, text: str, language: str) -> str:
        """A clause as it is to be spoken."""
        spoken: str = await self.host.calls.chain("aimark_transform_speech", "text", text, SPEECH_S, language=language)
        return spoken

    def observe(self, event: m.Event) -> None:
        """An event goes to plugins too, soon."""
        if isinstance(event, _UNOBSERVED) or not self.host.calls.implementations("aimark_on_event"):
            return
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)

    # Watching over them

    async def run(self, busy: Callable[[], bool]) -> None:
        """Name who holds the loop up, hand events on, take up edited plugins, and let them work while not `busy`."""
        watchdog = Watchdog(self.host.owner, self.host.blocked)
        watchdog.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hand_on())
                group.create_task(self._look())
                group.create_task(self._idle(busy))
        finally:
            watchdog.stop()

    async def _hand_on(self) -> None:
        while True:
            event = await self._events.get()
            await self.host.calls.each("aimark_on_event", EVENT_S, event=event)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.host.rescan()
            except Exception:
                log.exception("the plugin folder could not be looked at; it is tried again")

    async def _idle(self, busy: Callable[[], bool]) -> None:
        """Call the idle hook once in each rest of `IDLE_S`; it is cancelled when the rest ends."""
        loop = asyncio.get_running_loop()
        rested = loop.time()
        work: asyncio.Task[Any] | None = None
        while True:
            await asyncio.sleep(LOOK_S)
            if busy():
                rested = loop.time()
                if work is not None:
                    work.cancel()
                    work = None
            elif work is None and loop.time() - rested >= IDLE_S:
                work = asyncio.create_task(self.host.calls.each("aimark_on_idle", IDLE_WORK_S))


def _checked(block: object, plugin: str) -> Note:
    if not isinstance(block, ContextBlock):
        raise TypeError(f"gave {type(block).__name__}, not a ContextBlock")
    return Note(text=block.text, source=block.source or plugin, priority=block.priority, untrusted=block.untrusted)
