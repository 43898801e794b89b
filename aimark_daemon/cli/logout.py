"""`aimark logout`: shuts out every browser and program that was let in, by a new access token."""

from __future__ import annotations

from argparse import Namespace

from aimark_daemon.cli.connection import call_daemon
from aimark_daemon.cli.shell import Shell
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import Exit
from aimark_daemon.protocol.messages import LogOut, Ok
from aimark_daemon.runtime import is_running
from aimark_daemon.server.token import replace_token


def run(shell: Shell, _arguments: Namespace) -> int:
    """Replace the token; without a daemon in its file alone."""

    async def work(client: DaemonClient) -> None:
        await client.request(LogOut(id=0), Ok)

    if is_running(shell.base_paths.runtime):
        call_daemon(shell, work, start=False)
    else:
        replace_token(shell.base_paths.token)
    if shell.json:
        shell.emit({"logged_out": True})
    else:
        shell.out(
            shell.text(
                "Every browser and program is logged out. `aimark open` opens the page again.",
                "모든 브라우저와 프로그램을 로그아웃했습니다. `aimark open`으로 페이지를 다시 열 수 있습니다.",
            )
        )
    return Exit.OK
