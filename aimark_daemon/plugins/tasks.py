"""Whose code runs: every asyncio task that a plugin starts is known by the plugin, and cannot end the daemon."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from contextvars import ContextVar
from typing import Any, Final, TypeVar
from weakref import WeakSet

from aimark_daemon.plugins.threads import PluginStopped

T = TypeVar("T")

OWNER: ContextVar[str] = ContextVar("aimark_plugin", default="")
"""The plugin whose code runs, inherited by the tasks it starts; empty for the daemon's own."""
MOST_TASKS: Final = 200
"""Of one plugin at a time."""


@contextlib.contextmanager
def owned_by(plugin: str) -> Iterator[None]:
    """What runs or is started within is the plugin's."""
    token = OWNER.set(plugin)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # what is stopped from outside ends in another context
            OWNER.reset(token)


class PluginExitError(RuntimeError):
    """A plugin's task called `sys.exit`, which would end the event loop."""


class PluginTasks:
    """The tasks of all plugins in the running event loop."""

    def __init__(self) -> None:
        self._tasks: dict[str, WeakSet[asyncio.Task[Any]]] = {}

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch what is started in `loop` from now on."""
        loop.set_task_factory(self._make)  # type: ignore[arg-type]

    def uninstall(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch no more what is started in `loop`."""
        loop.set_task_factory(None)

    def of(self, plugin: str) -> list[asyncio.Task[Any]]:
        """The plugin's tasks that run."""
        return [task for task in self._tasks.get(plugin, ()) if not task.done()]

    def adopt(self, plugin: str, task: asyncio.Future[Any]) -> None:
        """Count a task as the plugin's: its code hangs there."""
        if isinstance(task, asyncio.Task):
            self._tasks.setdefault(plugin, WeakSet()).add(task)

    async def end(self, plugin: str, patience_s: float) -> int:
        """End the plugin's tasks: cancelled first, and what does not heed that is stopped. How many did neither."""
        if not (tasks := self.of(plugin)):
            return 0
        for task in tasks:
            task.cancel()
        _, left = await asyncio.wait(tasks, timeout=patience_s)
        for task in left:
            # Thrown past the task into its coroutine, which is over then; the cancel lets the task find that out.
            with contextlib.suppress(BaseException):
                work = task.get_coro()
                if isinstance(work, Coroutine):
                    work.throw(PluginStopped())
            task.cancel()
        if left:
            stopped, left = await asyncio.wait(left, timeout=patience_s)
            for task in stopped:
                if not task.cancelled():
                    task.exception()  # seen: it found its coroutine at its end
        return len(left)

    def _make(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
        context = options.get("context")
        owner = OWNER.get() if context is None else context.get(OWNER, "")
        if not owner:
            return asyncio.Task(work, loop=loop, **options)
        if len(self.of(owner)) >= MOST_TASKS:
            work.close()
            raise RuntimeError(f"plugin {owner} has {MOST_TASKS} tasks running already")
        task = asyncio.Task(_kept_in(work, owner), loop=loop, **options)
        self._tasks.setdefault(owner, WeakSet()).add(task)
        return task


async def _kept_in(work: Coroutine[Any, Any, T], owner: str) -> T:
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:
        raise PluginExitError(f"plugin {owner}: {type(error).__name__} in a task") from error
