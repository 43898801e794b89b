"""`aimark sessions`: list, show, rename, delete, restore, search, export, import."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from aimark_daemon.audio.faults import FILE_MISSING, FILE_UNREADABLE, FILE_UNWRITABLE
from aimark_daemon.cli.connection import call_daemon
from aimark_daemon.cli.identity import all_sessions, resolve_session
from aimark_daemon.cli.importing import parts as in_parts
from aimark_daemon.cli.parser import utf8
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.states import ROLES, in_words
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import Exit
from aimark_daemon.files import write_whole
from aimark_daemon.protocol import messages as m

_SLOW_S = 300.0
_HITS = 50


def run(shell: Shell, arguments: Namespace) -> int:
    """Do what the action says."""
    match arguments.action:
        case "export":
            return _export(shell, arguments)
        case "import":
            return _import(shell, arguments)

    async def work(client: DaemonClient) -> int:
        match arguments.action:
            case "list":
                await _list(shell, client)
            case "search":
                await _search(shell, client, " ".join(arguments.words))
            case "show":
                await _show(shell, client, await _known(client, arguments.id))
            case _:
                await _change(shell, client, arguments)
        return Exit.OK

    return call_daemon(shell, work)


async def _list(shell: Shell, client: DaemonClient) -> None:
    sessions = await all_sessions(client)
    for session in sessions:
        _print(shell, session)
    if not sessions:
        _note(shell, "No conversations yet.", "아직 대화가 없습니다.")


async def _search(shell: Shell, client: DaemonClient, query: str) -> None:
    found = await client.request(m.SearchSessions(id=0, query=query, limit=_HITS), m.SearchReply)
    for hit in found.hits:
        if shell.json:
            shell.emit(hit)
        else:
            shell.out(f"{hit.session}  {hit.title}\n    {_line(hit.excerpt)}")
    if not found.hits:
        _note(shell, "Nothing was found.", "찾은 내용이 없습니다.")


async def _known(client: DaemonClient, given: str) -> str:
    return await resolve_session(client, given) or ""


async def _change(shell: Shell, client: DaemonClient, arguments: Namespace) -> None:
    """Rename, delete or restore one session."""
    session = await _known(client, arguments.id)
    requests: dict[str, Any] = {
        "rename": lambda: m.RenameSession(id=0, session=session, title=arguments.title),
        "delete": lambda: m.DeleteSession(id=0, session=session),
        "restore": lambda: m.RestoreSession(id=0, session=session),
    }
    changed = (await client.request(requests[arguments.action](), m.SessionReply)).session
    _print(shell, changed)
    if arguments.action == "delete" and not shell.json:
        undo = f"aimark sessions restore {changed.id}"
        shell.note(shell.text(f"Undo with: {undo}", f"되살리려면: {undo}"))


async def _show(shell: Shell, client: DaemonClient, session: str) -> None:
    reply = await client.request(m.ShowSession(id=0, session=session), m.SessionReply)
    if shell.json:
        fields = {name: getattr(reply.session, name) for name in reply.session.__struct_fields__}
        shell.emit({**fields, "messages": [_message(shell, message) for message in reply.messages]})
        return
    shell.out(f"# {reply.session.title or reply.session.id}")
    for message in reply.messages:
        state = "" if message.state == "complete" else f" ({in_words(message.state, shell.language)})"
        shell.out(f"\n[{ROLES[message.role].in_language(shell.language)}]{state}\n{message.content}")


def _message(shell: Shell, message: m.MessageInfo) -> dict[str, Any]:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return fields | {"fault": shell.fault(message.fault) if message.fault else None}


def _export(shell: Shell, arguments: Namespace) -> int:
    async def work(client: DaemonClient) -> str:
        chosen = tuple([await _known(client, given) for given in arguments.ids]) or None
        request = m.ExportSessions(id=0, sessions=chosen, format=arguments.format)
        return (await client.request(request, m.ExportReply, timeout_s=_SLOW_S)).text

    text = call_daemon(shell, work)
    data = text.encode()
    if arguments.out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
        sys.stdout.buffer.flush()
        return Exit.OK
    try:
        write_whole(Path(arguments.out), data)
    except OSError as error:
        raise FILE_UNWRITABLE(path=arguments.out, detail=error.strerror or str(error)) from error
    return Exit.OK


def _import(shell: Shell, arguments: Namespace) -> int:
    ready = in_parts(utf8(_read(arguments.file)))

    async def work(client: DaemonClient) -> int:
        *parts, last = ready
        for text in parts:
            await client.request(m.ImportSessions(id=0, text=text, more=True), m.Ok)
        reply = await client.request(m.ImportSessions(id=0, text=last), m.SessionsReply, timeout_s=_SLOW_S)
        for session in reply.sessions:
            _print(shell, session)
        if not shell.json:
            count = len(reply.sessions)
            shell.note(shell.text(f"{count} conversations imported.", f"대화 {count}개를 가져왔습니다."))
        return Exit.OK

    return call_daemon(shell, work)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError as error:
        raise FILE_MISSING(path=file) from error
    except (OSError, ValueError) as error:
        raise FILE_UNREADABLE(path=file, detail=str(error)) from error


def _print(shell: Shell, session: m.SessionInfo) -> None:
    if shell.json:
        shell.emit(session)
    else:
        count = shell.text(f"{session.messages} messages", f"메시지 {session.messages}개")
        shell.out(f"{session.id}  {session.updated[:16].replace('T', ' ')}  {count}  {_line(session.title)}")


def _note(shell: Shell, en: str, ko: str) -> None:
    if not shell.json:
        shell.note(shell.text(en, ko))


def _line(text: str) -> str:
    return " ".join(text.split())
