"""A command's question, put to the person at the terminal. Where there is none, it is declined."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Final

from aimark_daemon.cli.shell import Shell, printable
from aimark_daemon.client import DaemonClient
from aimark_daemon.conversation.slash import fold
from aimark_daemon.protocol.messages import AnswerQuestion, Question

_YES: Final = frozenset({"y", "yes", "예", "네", "ㅛ"})
"""What agrees. The last is the y key of a Korean keyboard."""


async def answer_question(shell: Shell, client: DaemonClient, question: Question) -> None:
    """Ask on stderr, read a line of stdin, and send the answer."""
    if shell.json or not sys.stdin.isatty():
        shell.note(
            shell.text(
                f"[declined: {question.text} Only a person at a terminal or in the page can answer.]",
                f"[거절: {question.text} 터미널이나 페이지에서 사람만 답할 수 있습니다.]",
            )
        )
        answer = None
    else:
        asked = shell.text("yes/no", "예/아니요") if question.confirm else ", ".join(question.choices)
        sys.stderr.write("\n" + printable(f"{question.text} [{asked}] " if asked else f"{question.text} "))
        sys.stderr.flush()
        answer = accepted(question, await _line())
    await client.send(
        AnswerQuestion(
            id=client.next_id(),
            turn=question.turn,
            question=question.question,
            accept=answer is not None,
            text=answer or "",
        )
    )


def accepted(question: Question, line: str) -> str | None:
    """The answer in a typed line; None declines. The beginning of one of the choices will do."""
    typed = fold(line.strip())
    if question.confirm:
        return "" if typed in _YES else None
    if not question.choices:
        return line.strip() or None
    fitting = [choice for choice in question.choices if typed and fold(choice).startswith(typed)]
    exact = [choice for choice in fitting if fold(choice) == typed]
    (answer,) = exact or fitting if len(exact or fitting) == 1 else [None]
    return answer


async def _line() -> str:
    """A line of stdin, read in a thread that the end of the program does not wait for."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def take(typed: str) -> None:
        if not line.done():
            line.set_result(typed)

    def read() -> None:
        typed = sys.stdin.readline()
        loop.call_soon_threadsafe(take, typed)

    threading.Thread(target=read, daemon=True).start()
    return await line
