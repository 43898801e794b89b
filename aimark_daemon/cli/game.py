"""`aimark game`: keeps the graphics card free for a game, or takes it back."""

from __future__ import annotations

from argparse import Namespace

from aimark_daemon.cli.connection import call_daemon
from aimark_daemon.cli.shell import Shell
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import Exit
from aimark_daemon.game import GameSwitch
from aimark_daemon.protocol.messages import EngineInfo, GameReply, GetStatus, SetGame, Status, StatusReply
from aimark_daemon.runtime import is_running


def run(shell: Shell, arguments: Namespace) -> int:
    """Turn game mode on or off, or tell. Without a daemon the switch is set for the next one; none is started."""
    on = {"on": True, "off": False, "status": None}[arguments.action]
    if not is_running(shell.base_paths.runtime):
        switch = GameSwitch(shell.base_paths.runtime)
        if on is not None:
            switch.set(on)
        return _told(shell, on=switch.on, llm=None)

    async def work(client: DaemonClient) -> tuple[Status, GameReply | None]:
        reply = None if on is None else await client.request(SetGame(id=0, on=on), GameReply)
        return (await client.request(GetStatus(id=0), StatusReply)).status, reply

    status, reply = call_daemon(shell, work, start=False)
    return _told(shell, on=status.game, llm=status.engines.get("llm"), took_s=reply.took_s if reply else None)


def _told(shell: Shell, *, on: bool, llm: EngineInfo | None, took_s: float | None = None) -> int:
    if shell.json:
        shell.emit({"game": on, "took_s": took_s, "llm": llm})
        return Exit.OK
    if on:
        shell.out(
            shell.text(
                "Game mode is on: the graphics card is kept free.", "게임 모드가 켜져 있어 그래픽 카드를 비워 둡니다."
            )
        )
    else:
        shell.out(shell.text("Game mode is off.", "게임 모드가 꺼져 있습니다."))
    if llm is not None and llm.plan is not None:
        shell.out(f"    {llm.plan.reason.in_language(shell.language)}")
    return Exit.OK
