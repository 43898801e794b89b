"""One run of a command's handler: in a task of its own, bounded in what it yields, in its silence and in its ending."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from aimark_daemon.errors import AimarkError
from aimark_daemon.plugins.commands import Command
from aimark_daemon.plugins.context import Context, Output, TableOutput, TextOutput
from aimark_daemon.plugins.faults import PLUGIN_FAILED, PLUGIN_FLOODED, PLUGIN_SILENT
from aimark_daemon.plugins.tasks import owned_by
from aimark_daemon.plugins.threads import PluginStopped

log = logging.getLogger("aimark.plugins")

MOST_OUTPUTS: Final = 20_000
MOST_CHARS: Final = 400_000
"""Of one run; more is no answer that anyone reads."""
AHEAD: Final = 32
"""Outputs that a handler may be ahead of who takes them: it waits then, and others go on."""
CLOSE_S: Final = 1.0
"""How long a handler may take to end once it is cancelled."""
ANYTHING: Final = (Exception, SystemExit, PluginStopped)
"""What a plugin may raise and others survive."""


async def run_handler(command: Command, arguments: Mapping[str, Any], context: Context) -> AsyncGenerator[Output, None]:
    """What the handler yields. Closing this iterator cancels the handler.

    Raises:
        AimarkError: the handler's own fault, `plugin_failed`, `plugin_flooded` or `plugin_silent`.
    """
    ahead: asyncio.Queue[Output | BaseException | None] = asyncio.Queue(AHEAD)
    with owned_by(command.plugin):
        task = asyncio.create_task(_pump(command, arguments, context, ahead), name=f"command /{command.name}")
    outputs = chars = 0
    try:
        while (output := await _next(ahead, command, context)) is not None:
            outputs += 1
            chars += len(output.text) if isinstance(output, TextOutput) else 0
            chars += len(output.markdown()) if isinstance(output, TableOutput) else 0
            if outputs > MOST_OUTPUTS or chars > MOST_CHARS:
                raise PLUGIN_FLOODED(name=command.name, plugin=command.plugin, outputs=outputs, chars=chars)
            yield output
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=CLOSE_S)
        if not task.done():
            log.warning("command /%s of plugin %s does not end although it is cancelled", command.name, command.plugin)


async def _pump(
    command: Command,
    arguments: Mapping[str, Any],
    context: Context,
    ahead: asyncio.Queue[Output | BaseException | None],
) -> None:
    """Put what the handler yields into the queue, and then None, or what it raised."""
    end: BaseException | None = None
    try:
        async with contextlib.aclosing(command.handler(context, **arguments)) as handler:
            async for output in handler:
                if not isinstance(output, Output):
                    raise TypeError(f"yielded {type(output).__name__}, not an event of its context")
                await ahead.put(output)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        end = error
    except ANYTHING as error:  # a plugin may raise anything, and may not end us
        end = error
    await ahead.put(end)


async def _next(
    ahead: asyncio.Queue[Output | BaseException | None], command: Command, context: Context
) -> Output | None:
    while True:
        try:
            async with asyncio.timeout(command.timeout_s):
                output = await ahead.get()
        except TimeoutError:
            if context.waiting:
                continue
            raise PLUGIN_SILENT(name=command.name, plugin=command.plugin, seconds=command.timeout_s) from None
        if isinstance(output, AimarkError):
            raise output
        if isinstance(output, BaseException):
            raise PLUGIN_FAILED(
                f"{type(output).__name__}: {output}", name=command.name, plugin=command.plugin
            ) from output
        return output
