"""`aimark ask`: one typed question and its answer."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from typing import Any

from aimark_daemon.cli.connection import call_daemon, engines_ready
from aimark_daemon.cli.faults import CANCELLED
from aimark_daemon.cli.identity import resolve_session
from aimark_daemon.cli.parser import utf8
from aimark_daemon.cli.questions import answer_question
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.turns import TurnRecord
from aimark_daemon.client import Arrival, DaemonClient
from aimark_daemon.errors import Exit
from aimark_daemon.protocol.messages import (
    MAX_TEXT_CHARS,
    Cancel,
    Delta,
    Interrupted,
    Notice,
    Question,
    Resumed,
    Submit,
)

_CANCEL_PATIENCE_S = 5.0


def run(shell: Shell, arguments: Namespace) -> int:
    """Ask, and print the answer as it comes."""
    text = checked(sys.stdin.buffer.read() if arguments.text == "-" else arguments.text)
    jobs = () if text.lstrip().startswith("/") else ("llm",)

    async def work(client: DaemonClient) -> int:
        session = await resolve_session(client, arguments.session)
        await engines_ready(shell, client, jobs)
        record = TurnRecord(client.next_id())
        try:
            await client.send(Submit(id=record.request, text=text, session=session))
            await _follow(shell, client, record)
        except asyncio.CancelledError:
            await cancel_turn(client, record)
        return _report(shell, record)

    return call_daemon(shell, work, jobs=jobs)


def checked(text: str | bytes) -> str:
    """The text of an utterance, refused here already if the daemon would refuse it.

    Raises:
        AimarkError: `text_not_utf8`, `text_empty`, `text_too_long`.
    """
    decoded = utf8(text)
    if not decoded.strip():
        from aimark_daemon.assistant.faults import TEXT_EMPTY

        raise TEXT_EMPTY()
    if len(decoded) > MAX_TEXT_CHARS:
        from aimark_daemon.assistant.faults import TEXT_TOO_LONG

        raise TEXT_TOO_LONG(length=len(decoded), limit=MAX_TEXT_CHARS)
    return decoded


async def cancel_turn(client: DaemonClient, record: TurnRecord, listen: int | None = None) -> None:
    """Stop the turn and wait for its ending; a turn that has not begun yet is stopped as soon as it has."""
    try:
        async with asyncio.timeout(_CANCEL_PATIENCE_S):
            asked = False
            if record.turn is None and listen is not None:
                await client.send(Cancel(id=client.next_id(), listen=listen))
            while not record.ended:
                if record.turn is not None and not asked:
                    asked = True
                    await client.send(Cancel(id=client.next_id(), turn=record.turn))
                async for arrival in client.events():
                    record.take(arrival, time.perf_counter())
                    break
    except TimeoutError:
        pass
    if not record.ended:
        record.finish = "cancelled"


def note_interruption(shell: Shell, record: TurnRecord, arrival: Arrival, before: str = "") -> None:
    """Tell on stderr that the answer waits for a new engine process, and that it goes on; `before` ends a line."""
    match arrival:
        case Interrupted(turn=turn, fault=fault) if turn == record.turn:
            shell.note(
                shell.text(
                    f"{before}[interrupted: {fault.message.en} The answer will go on.]",
                    f"{before}[잠시 끊김: {fault.message.ko} 답변을 이어 갑니다.]",
                )
            )
        case Resumed(turn=turn) if turn == record.turn:
            shell.note(shell.text("[resumed]", "[다시 이어짐]"))


async def _follow(shell: Shell, client: DaemonClient, record: TurnRecord) -> None:
    async for arrival in client.events():
        record.take(arrival, time.perf_counter())
        note_interruption(shell, record, arrival, "\n" if record.reply and not shell.json else "")
        if isinstance(arrival, Delta) and arrival.turn == record.turn and not shell.json:
            shell.out(arrival.text, end="")
        elif isinstance(arrival, Notice) and arrival.level != "info":
            shell.complain(arrival.fault)
        elif isinstance(arrival, Question) and arrival.turn == record.turn:
            await answer_question(shell, client, arrival)
        if record.ended:
            return


def _report(shell: Shell, record: TurnRecord) -> int:
    """Print how the turn ended; the exit code."""
    fault = record.fault or (CANCELLED.fault() if record.finish == "cancelled" else None)
    if shell.json:
        shell.emit(_as_json(shell, record))
    elif record.reply:
        shell.out()
    if fault is None:
        return Exit.OK
    if not shell.json:
        shell.complain(fault)
    return fault.exit_code


def _as_json(shell: Shell, record: TurnRecord) -> dict[str, Any]:
    done = record.done
    answer: dict[str, Any] = {
        "session": record.session,
        "turn": record.turn,
        "reply": record.reply,
        "finish": record.finish,
        "tokens": done.tokens if done else 0,
        "first_token_s": done.timings.first_token_s if done else None,
        "tokens_per_s": done.tokens_per_s if done else 0.0,
        "prompt_tokens": done.prompt_tokens if done else 0,
        "reused_tokens": done.reused_tokens if done else 0,
        "dropped_turns": done.dropped_turns if done else 0,
        "interruptions": record.interruptions,
    }
    if record.fault is not None:
        answer["error"] = shell.fault(record.fault)
    return answer
