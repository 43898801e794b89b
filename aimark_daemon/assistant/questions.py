"""Questions of commands to people, and their answers. Only `answer_question` answers one, so no model can."""

from __future__ import annotations

import asyncio
import itertools
from typing import Final

from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.conversation.slash import fold
from aimark_daemon.plugins.faults import ANSWER_INVALID, QUESTION_UNKNOWN
from aimark_daemon.protocol.messages import Question, QuestionClosed

PATIENCE_S: Final = 600.0
"""How long a question waits; then it counts as declined."""


class Questions:
    """The open questions of all turns. Belongs to the event loop."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._open: dict[tuple[int, int], tuple[Question, asyncio.Future[str | None]]] = {}

    @property
    def open(self) -> tuple[Question, ...]:
        """What people are being asked, oldest first: also for a client that comes later."""
        return tuple(question for question, _ in self._open.values())

    async def ask(self, turn: RunningTurn, text: str, *, confirm: bool, choices: tuple[str, ...]) -> str | None:
        """Ask, and wait: the answer, "" to a confirmed question, or None if it was declined."""
        question = Question(turn=turn.number, question=next(self._numbers), text=text, confirm=confirm, choices=choices)
        key = (question.turn, question.question)
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._open[key] = question, answer
        turn.tell(question)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._open[key]
            turn.tell(QuestionClosed(turn=question.turn, question=question.question))

    def answer(self, turn: int, number: int, *, accept: bool, text: str) -> None:
        """A person's answer.

        Raises:
            AimarkError: `question_unknown` or `answer_invalid`.
        """
        question, waiting = self._open.get((turn, number), (None, None))
        if question is None or waiting is None or waiting.done():
            raise QUESTION_UNKNOWN(turn=turn, question=number)
        if not accept:
            waiting.set_result(None)
            return
        chosen = next((choice for choice in question.choices if fold(choice) == fold(text.strip())), None)
        if question.choices and chosen is None:
            raise ANSWER_INVALID(text=text, choices=", ".join(question.choices))
        waiting.set_result("" if question.confirm else chosen or text)
