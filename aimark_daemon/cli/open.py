"""`aimark open`: the page, with a code that logs the browser in once."""

from __future__ import annotations

from argparse import Namespace

from aimark_daemon.cli.connection import call_daemon, start_to_stay
from aimark_daemon.cli.display import open_page
from aimark_daemon.cli.shell import Shell
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import Exit
from aimark_daemon.protocol.messages import OpenPage, PageReply


def run(shell: Shell, arguments: Namespace) -> int:
    """Print the page's address and open it where there is a screen. A daemon is started if none runs, and stays."""
    url = page_address(shell)
    if shell.json:
        shell.emit({"url": url})
    else:
        shell.out(url)
    if not arguments.no_browser:
        open_page(url)
    return Exit.OK


def page_address(shell: Shell) -> str:
    """The page's address with a single-use code; the daemon behind it stays.

    Raises:
        AimarkError: the daemon could not be started or reached.
    """

    async def work(client: DaemonClient) -> str:
        return (await client.request(OpenPage(id=0), PageReply)).url

    start_to_stay(shell)
    return call_daemon(shell, work)
