"""Calls of hooks: in order, each bounded in time, none able to harm the caller or another plugin.

Plugins are called in pluggy's order: the last registered first, `tryfirst` and `trylast` heeded. A whole call runs in
one task, so that a hook that will not be cancelled is left behind with it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pluggy

from aimark_daemon.plugins.running import ANYTHING
from aimark_daemon.plugins.tasks import PluginTasks, owned_by

GRACE_S: Final = 0.25
"""How much longer than its time-outs a whole call may take, before it is left behind."""

Failed = Callable[[str, str, BaseException], None]
"""Told of a plugin, its hook and what it raised; a `TimeoutError` if it was late."""


@dataclass(slots=True)
class _Round:
    """How far a call is."""

    value: Any
    plugin: str = ""


class HookCalls:
    """Calls hooks of the plugins that `active` names."""

    def __init__(
        self, manager: pluggy.PluginManager, tasks: PluginTasks, active: Callable[[str], bool], failed: Failed
    ) -> None:
        self._manager = manager
        self._tasks = tasks
        self._active = active
        self._failed = failed

    def implementations(self, hook: str) -> Sequence[pluggy.HookImpl]:
        """Who implements a hook, in the order of calls."""
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return [one for one in reversed(caller.get_hookimpls()) if self._active(one.plugin_name)]

    async def chain(self, hook: str, argument: str, value: Any, timeout_s: float, **further: Any) -> Any:
        """Hand `value` from plugin to plugin as `argument`; None leaves it, and so does another type than its own."""
        implementations = self.implementations(hook)
        if not implementations:
            return value

        async def work(so_far: _Round) -> None:
            for one in implementations:
                so_far.plugin = one.plugin_name
                changed = await self._call(one, hook, {argument: so_far.value, **further}, timeout_s)
                if isinstance(changed, type(value)):
                    so_far.value = changed
                elif changed is not None:
                    self._failed(one.plugin_name, hook, TypeError(f"returned {type(changed).__name__}"))

        return (await self._bounded(work, _Round(value), hook, timeout_s * len(implementations))).value

    async def first(self, hook: str, timeout_s: float, **arguments: Any) -> Any:
        """The first answer that is not None."""
        implementations = self.implementations(hook)
        if not implementations:
            return None

        async def work(so_far: _Round) -> None:
            for one in implementations:
                so_far.plugin = one.plugin_name
                so_far.value = await self._call(one, hook, arguments, timeout_s)
                if so_far.value is not None:
                    return

        return (await self._bounded(work, _Round(None), hook, timeout_s * len(implementations))).value

    async def each(self, hook: str, timeout_s: float, only: str | None = None, **arguments: Any) -> bool:
        """Call every plugin, or `only` one, one after another; whether none failed."""
        implementations = [one for one in self.implementations(hook) if only in (None, one.plugin_name)]
        if not implementations:
            return True

        async def work(so_far: _Round) -> None:
            for one in implementations:
                so_far.plugin = one.plugin_name
                worked = await self._call(one, hook, arguments, timeout_s, otherwise=_FAILED)
                so_far.value = so_far.value and worked is not _FAILED

        round_ = await self._bounded(work, _Round(True), hook, timeout_s * len(implementations))
        return bool(round_.value)

    async def collect(self, hook: str, budget_s: float, **arguments: Any) -> list[tuple[str, Any]]:
        """What all plugins answer within a time that they share, with their names; without None."""
        tasks: dict[asyncio.Future[Any], str] = {}
        for one in self.implementations(hook):
            with owned_by(one.plugin_name):
                tasks[asyncio.ensure_future(self._call(one, hook, arguments, None))] = one.plugin_name
        if not tasks:
            return []
        try:
            await asyncio.wait(tasks, timeout=budget_s)
        finally:
            late = [task for task in tasks if not task.done()]
            for task in late:
                task.cancel()
        for task in late:
            self._failed(tasks[task], hook, TimeoutError())
        return [(name, task.result()) for task, name in tasks.items() if _has_result(task)]

    async def _bounded(self, work: Callable[[_Round], Any], so_far: _Round, hook: str, patience_s: float) -> _Round:
        task = asyncio.ensure_future(work(so_far))
        try:
            done, _ = await asyncio.wait({task}, timeout=patience_s + GRACE_S)
        finally:
            task.cancel()
        if done:
            task.result()
        else:
            self._tasks.adopt(so_far.plugin, task)
            self._failed(so_far.plugin, hook, TimeoutError("and would not be cancelled"))
        return so_far

    async def _call(
        self,
        one: pluggy.HookImpl,
        hook: str,
        arguments: dict[str, Any],
        timeout_s: float | None,
        otherwise: Any = None,
    ) -> Any:
        """What one plugin answers; `otherwise` if it fails, which is told."""
        try:
            with owned_by(one.plugin_name):
                answer = one.function(*(arguments[name] for name in one.argnames))
                if inspect.isawaitable(answer):
                    async with asyncio.timeout(timeout_s):
                        answer = await answer
                if isinstance(answer, Iterable) and not isinstance(answer, str | bytes | Sequence):
                    answer = list(answer)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._failed(one.plugin_name, hook, error)
        except ANYTHING as error:  # a plugin may raise anything, and may not end us
            self._failed(one.plugin_name, hook, error)
        else:
            return answer
        return otherwise


_FAILED: Final = object()


def _has_result(task: asyncio.Future[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None and task.result() is not None
