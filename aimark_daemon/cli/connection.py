"""Connection: finds the daemon, or starts one for the call, and runs a command's work as its client.

A daemon that a command started ends by itself when its last client has left, so that commands called at the same
time share one. The file `for-call` in the runtime folder marks such a daemon; without it the daemon stays.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from aimark_daemon.cli.faults import DAEMON_NOT_RUNNING
from aimark_daemon.cli.shell import KEEP_VARIABLE, MARKER, Shell
from aimark_daemon.client import DaemonClient, connect
from aimark_daemon.errors import AimarkError, Exit, Fault
from aimark_daemon.protocol.messages import EngineChanged, GetStatus, Ok, StatusReply, Subscribe
from aimark_daemon.runtime import DaemonAddress, find_daemon, is_running, start_daemon_detached
from aimark_daemon.server.faults import DAEMON_LOST, DAEMON_START_FAILED, DAEMON_UNREACHABLE
from aimark_daemon.server.token import read_token

T = TypeVar("T")
Work = Callable[[DaemonClient], Awaitable[T]]

START_LOG: Final = "start.log"
"""What a detached daemon says before its own log is open."""

_START_S: Final = 60.0
_CROWDED_S: Final = 300.0
_GONE_S: Final = 5.0
_POLL_S: Final = 0.05
_ATTEMPTS: Final = 8
_SETTLED: Final = frozenset({"ready", "busy", "failed", "absent", "stopped", "asleep"})


class _LeavingError(Exception):
    """The daemon is about to end; another one has to be started."""


def call_daemon(shell: Shell, work: Work[T], *, jobs: tuple[str, ...] = (), start: bool = True) -> T:
    """Do `work` as a client of the daemon; one is started for the call if none runs.

    `jobs` are the engines whose starter model is fetched before a daemon is started. Blocks.

    Raises:
        AimarkError: without `start`, `daemon_not_running`; the daemon could not be reached or started; the work's own.
    """
    runtime = shell.base_paths.runtime
    for _ in range(_ATTEMPTS):
        address = find_daemon(runtime)
        ours = address is None
        if address is None:
            if not start and not is_running(runtime):
                raise DAEMON_NOT_RUNNING()
            address = _start_for_call(shell, jobs)
        try:
            return run_async(_attached(shell, address, work))
        except _LeavingError:
            wait_until_gone(runtime, _START_S)
        finally:
            if ours and (runtime / MARKER).exists():
                wait_until_gone(runtime, _GONE_S)
    raise DAEMON_UNREACHABLE(port="?", detail="daemons kept ending")


def start_to_stay(shell: Shell) -> DaemonAddress:
    """The running daemon, or a new one; it stays either way. Blocks."""
    (shell.base_paths.runtime / MARKER).unlink(missing_ok=True)
    return find_daemon(shell.base_paths.runtime) or _start(shell, ("--detached", "stay"))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; the first Ctrl-C (or SIGTERM) cancels it so that it can tidy up, the second ends the process.

    Raises:
        KeyboardInterrupt: the work was cancelled and gave no result of its own.
    """

    async def guarded() -> T:
        task, loop, presses = asyncio.current_task(), asyncio.get_running_loop(), 0
        assert task is not None

        def stop() -> None:
            nonlocal presses
            presses += 1
            if presses > 1:
                os._exit(Exit.CANCELLED)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, stop)
            except NotImplementedError:  # Windows: asyncio.run itself cancels at Ctrl-C
                break
        return await work

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def wait_until_gone(runtime: Path, patience_s: float) -> bool:
    """Wait until no daemon holds the lock; False if one still does after `patience_s` seconds."""
    until = time.monotonic() + patience_s
    while is_running(runtime):
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)
    return True


async def engines_ready(shell: Shell, client: DaemonClient, jobs: tuple[str, ...]) -> None:
    """Wait until each of `jobs` is ready or has failed, saying so on stderr if that takes time."""
    await client.request(Subscribe(id=0, topics=("engines", "notices")), Ok)
    status = (await client.request(GetStatus(id=0), StatusReply)).status
    waiting = {job for job in jobs if job in status.engines and status.engines[job].state not in _SETTLED}
    if not waiting:
        return
    names = [shell.name(job) for job in jobs if job in waiting]
    shell.note(shell.text(f"Getting ready: {', '.join(names)} ...", f"준비하는 중: {', '.join(names)} ..."))
    async for arrival in client.events():
        if isinstance(arrival, EngineChanged) and arrival.info.state in _SETTLED:
            waiting.discard(arrival.engine)
            if not waiting:
                return


async def _attached(shell: Shell, address: DaemonAddress, work: Work[T]) -> T:
    """Do the work over a connection; waits while too many others are connected."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _CROWDED_S
    while True:
        connected = False
        try:
            token = read_token(shell.base_paths.token)
            async with connect(address.port, token, name="command line", language=shell.language) as client:
                if client.welcome.status.state == "stopping":
                    raise _LeavingError
                connected = True
                return await work(client)
        except AimarkError as error:
            if connected or error.fault.code not in (DAEMON_UNREACHABLE.code, DAEMON_LOST.code):
                raise
            if not is_running(shell.base_paths.runtime):
                raise _LeavingError from error
            if loop.time() > until:
                raise
        await asyncio.sleep(2 * _POLL_S)


def _start_for_call(shell: Shell, jobs: tuple[str, ...]) -> DaemonAddress:
    if jobs and not shell.fake_engines:
        from aimark_daemon.cli.starter import fetch_starter

        fetch_starter(shell, jobs)
    if os.environ.get(KEEP_VARIABLE, "") not in ("", "0"):
        return _start(shell, ("--detached", "stay"))
    return _start(shell, ("--detached", "call", "--port", "0"))


def _start(shell: Shell, arguments: tuple[str, ...]) -> DaemonAddress:
    shell.paths.create()
    log_file = shell.paths.logs / START_LOG
    try:
        return start_daemon_detached(shell.base_paths.runtime, log_file, arguments=arguments, timeout_s=_START_S)
    except AimarkError as error:
        if DAEMON_START_FAILED.caught_in(error) and (fault := _told(error.fault.detail)) is not None:
            raise AimarkError(fault) from error
        raise


def _told(words: str) -> Fault | None:
    """The fault that a detached daemon wrote as the last line of its words, if it did."""
    try:
        return msgspec.json.decode(words.strip().splitlines()[-1], type=Fault)
    except (msgspec.DecodeError, IndexError):
        return None
