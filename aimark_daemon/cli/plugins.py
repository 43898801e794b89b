"""`aimark plugins`: list, folder, enable, disable. The daemon knows the plugins; one is started if none runs."""

from __future__ import annotations

from argparse import Namespace

from aimark_daemon.cli.connection import call_daemon
from aimark_daemon.cli.shell import Shell
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import Exit
from aimark_daemon.protocol.messages import ListPlugins, PluginInfo, PluginsReply, Request, SetPlugin

_STATES = {"active": "동작", "disabled": "꺼짐", "failed": "실패", "quarantined": "격리"}
_PATIENCE_S = 60.0


def run(shell: Shell, arguments: Namespace) -> int:
    """Do what the action says."""
    match arguments.action:
        case "folder":
            folder = shell.paths.plugins
            folder.mkdir(parents=True, exist_ok=True)
            shell.emit({"folder": folder}) if shell.json else shell.out(str(folder))
        case "list":
            reply = _ask(shell, ListPlugins(id=0))
            for info in reply.plugins:
                _show(shell, info)
            if reply.fault is not None:
                shell.complain(reply.fault)
        case action:
            enabled = action == "enable"
            for info in _ask(shell, SetPlugin(id=0, plugin=arguments.name, enabled=enabled)).plugins:
                if info.name == arguments.name:
                    _show(shell, info)
    return Exit.OK


def _ask(shell: Shell, request: Request) -> PluginsReply:
    async def work(client: DaemonClient) -> PluginsReply:
        return await client.request(request, PluginsReply, timeout_s=_PATIENCE_S)

    return call_daemon(shell, work)


def _show(shell: Shell, info: PluginInfo) -> None:
    if shell.json:
        fault = None if info.fault is None else shell.fault(info.fault)
        shell.emit(
            {
                "name": info.name,
                "source": info.source,
                "state": info.state,
                "path": info.path,
                "commands": info.commands,
                "permissions": info.permissions,
                "error": fault,
            }
        )
        return
    commands = " ".join(f"/{name}" for name in info.commands)
    state = shell.text(info.state, _STATES.get(info.state, info.state))
    shell.out(f"{info.name:<20} {state:<12} {info.source:<10} {commands}".rstrip())
    if info.fault is not None:
        shell.out(f"    {info.fault.message.in_language(shell.language)} [{info.fault.code}]")
        shell.out(f"    {info.fault.hint.in_language(shell.language)}")
