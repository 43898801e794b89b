"""Thinking: one answer of the language model, carried on by the next worker process when one dies under it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.engines.base import CHAT, ChatRequest, ChatResult, Facts, TextDelta
from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.names import named
from aimark_daemon.protocol.messages import Interrupted, Resumed
from aimark_daemon.roster import Roster
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import Call, Worker
from aimark_daemon.workers.exits import is_death, is_out_of_memory

VAIN_DEATHS: Final = 3
"""Deaths in a row without a new word after which an answer is given up."""
VAIN_SHORTAGES: Final = 12
"""The same where memory ran out: the next plan is leaner, so it takes as many as there are rungs."""
PATIENCE_S: Final = 30.0
"""How long an interrupted call waits for a new worker, beside what loading took before."""


async def revived(worker: Worker, before: Facts | None, fault: Fault) -> Facts:
    """Wait until a worker that died with `fault` takes calls again. `before`: the facts of the child that died.

    Raises:
        AimarkError: it is not started any more, or does not come back in time (`fault` then).
    """
    loading_s = ((before.load_s or 0.0) + (before.warmup_s or 0.0)) if before is not None else 0.0
    try:
        async with asyncio.timeout(PATIENCE_S + 3 * loading_s):
            return await worker.ready()
    except TimeoutError:
        raise AimarkError(fault) from None


class Thinking:
    """One answer of the model, whoever gives it. `take(delta)` gets every piece of it exactly once, in order.

    What a dead worker had said is given to the next one as text and as tokens, so that nothing is said twice.
    """

    def __init__(
        self,
        turn: RunningTurn,
        roster: Roster,
        request: Callable[[Facts], ChatRequest],
        take: Callable[[TextDelta], Awaitable[None]],
    ) -> None:
        self._turn = turn
        self._roster = roster
        self._request = request
        self._take = take
        self._text: list[str] = []
        self._ids: list[int] = []
        self._tokens = 0
        self._interrupted = False
        self._ahead = turn.ahead

    async def run(self) -> ChatResult:
        """Think until the answer has ended; counts are those of the whole answer.

        Raises:
            AimarkError: the engine's fault, or that of a worker that died too often in vain or for good.
        """
        worker = await self._roster.get("llm")
        facts = await worker.ready()
        vain = 0
        while True:
            said = self._tokens
            try:
                result = await self._stretch(worker, facts)
                if result.finish != "cancelled":
                    return self._whole(result, said)
                # Nobody cancelled this call: its worker was replaced, and let it end early.
                fault = faults.STOPPED.fault(name=named(worker.spec.name))
            except AimarkError as error:
                if not is_death(error.fault):
                    raise
                fault = error.fault
            vain = 0 if self._tokens > said else vain + 1
            if vain >= (VAIN_SHORTAGES if is_out_of_memory(fault) else VAIN_DEATHS):
                raise AimarkError(fault)
            self._interrupted = True
            self._turn.tell(Interrupted(turn=self._turn.number, fault=fault))
            worker = await self._roster.get("llm")
            facts = await revived(worker, facts, fault)

    async def _stretch(self, worker: Worker, facts: Facts) -> ChatResult:
        """What one child says of the answer."""
        request = msgspec.structs.replace(
            self._request(facts), continue_text="".join(self._text), continue_tokens=tuple(self._ids)
        )
        ahead, self._ahead = self._ahead, None
        prepared = await ahead.claim(request) if ahead is not None else None
        call: Call[TextDelta, ChatResult] = prepared or worker.call(CHAT, request)
        try:
            async for delta in call:
                self._resume()
                self._text.append(delta.text)
                self._ids += delta.ids
                self._tokens += delta.tokens
                await self._take(delta)
            result = await call.result()
        finally:
            call.cancel()
        if result.finish != "cancelled":
            self._resume()
        return result

    def _resume(self) -> None:
        if self._interrupted:
            self._interrupted = False
            self._turn.tell(Resumed(turn=self._turn.number))

    def _whole(self, result: ChatResult, said: int) -> ChatResult:
        """`result` of the last stretch, with the `said` tokens before it counted as generated, not as prompt."""
        return msgspec.structs.replace(
            result,
            tokens=said + result.tokens,
            prompt_tokens=result.prompt_tokens - said,
            reused_tokens=min(result.reused_tokens, result.prompt_tokens - said),
        )
