"""`aimark stop`: ends the daemon, politely first."""

from __future__ import annotations

import os
import signal
from argparse import Namespace
from contextlib import suppress

from aimark_daemon.cli.connection import call_daemon, wait_until_gone
from aimark_daemon.cli.faults import DAEMON_NOT_RUNNING, DAEMON_WILL_NOT_STOP
from aimark_daemon.cli.shell import Shell
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import AimarkError, Exit
from aimark_daemon.protocol.messages import Ok, Shutdown
from aimark_daemon.runtime import find_daemon, is_running, read_address

_PATIENCE_S = 15.0


def run(shell: Shell, _arguments: Namespace) -> int:
    """Stop the daemon and wait until it is gone. That none runs is fine."""
    runtime = shell.base_paths.runtime
    if not is_running(runtime):
        return _told(shell, stopped=False)
    address = read_address(runtime)

    async def work(client: DaemonClient) -> None:
        await client.request(Shutdown(id=0), Ok)

    if find_daemon(runtime) is not None:
        try:
            call_daemon(shell, work, start=False)
        except AimarkError as error:
            if DAEMON_NOT_RUNNING.caught_in(error):
                return _told(shell, stopped=True)
        if wait_until_gone(runtime, _PATIENCE_S):
            return _told(shell, stopped=True)
    # It holds the lock but does not answer.
    address = read_address(runtime) or address
    if address is not None and is_running(runtime):
        with suppress(OSError):
            os.kill(address.pid, signal.SIGTERM)
    if not wait_until_gone(runtime, _PATIENCE_S):
        raise DAEMON_WILL_NOT_STOP(pid=address.pid if address else "?")
    return _told(shell, stopped=True)


def _told(shell: Shell, *, stopped: bool) -> int:
    if shell.json:
        shell.emit({"stopped": stopped})
    elif stopped:
        shell.out(shell.text("The daemon has stopped.", "데몬을 끝냈습니다."))
    else:
        shell.out(shell.text("No daemon was running.", "실행 중인 데몬이 없었습니다."))
    return Exit.OK
