"""Threads for plugins' blocking code: nobody waits for one longer than they want, and it can be stopped."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class PluginStopped(BaseException):
    """Raised within a plugin that blocks a thread. `except Exception` does not catch it."""


async def in_thread(function: Callable[[], T], timeout_s: float) -> T:
    """What `function` returns, run in a daemon thread.

    A thread that is late is stopped at its next Python instruction; one that blocks within C goes on by itself.

    Raises:
        TimeoutError: it took too long. Otherwise whatever it raises.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    done = threading.Event()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is None:
            result.set_result(value)  # type: ignore[arg-type]
        else:
            result.set_exception(error)

    def run() -> None:
        value: T | None = None
        raised: BaseException | None = None
        try:
            value = function()
        except BaseException as error:  # noqa: BLE001 - handed on; a StopIteration cannot be kept in a future
            raised = RuntimeError("StopIteration") if isinstance(error, StopIteration) else error
        done.set()
        try:
            loop.call_soon_threadsafe(settle, value, raised)
        except RuntimeError:  # the loop has ended meanwhile
            return

    thread = threading.Thread(target=run, name="plugin", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(timeout_s):
            return await result
    finally:
        if not done.is_set() and thread.ident is not None:
            stop_thread(thread.ident)


def stop_thread(ident: int) -> None:
    """Raise `PluginStopped` in the thread at its next Python instruction."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(PluginStopped))
