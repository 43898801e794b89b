"""Ending early: a turn that was cancelled or failed is stored and told of, once, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import logging

from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.assistant.speaking import Speaker
from aimark_daemon.conversation.turn import Step
from aimark_daemon.errors import as_fault
from aimark_daemon.protocol.messages import Cancelled, TurnError
from aimark_daemon.store import AsyncStore
from aimark_daemon.store.faults import TURN_NOT_OPEN

log = logging.getLogger("aimark.assistant")


async def end_early(
    turn: RunningTurn, speaker: Speaker | None, store: AsyncStore, error: Exception | asyncio.CancelledError
) -> None:
    """Be silent, store what was answered, and tell it: failed with `error`, or cancelled."""
    turn.close()
    if speaker is not None:
        await speaker.cancel()
    fault = None if isinstance(error, asyncio.CancelledError) else as_fault(error)
    if fault is not None and fault.code == "internal":
        log.error("turn %d failed", turn.number, exc_info=error)
    step = Step.FAIL if fault is not None else Step.CANCEL
    turn.stopwatch.mark("end")
    try:
        await store.end_turn(
            turn.number,
            "failed" if fault else "cancelled",
            turn.reply,
            timings=turn.stopwatch.timings(),
            fault=fault,
        )
    except Exception as unstored:
        # An answer that was stored whole before its sound was cut off stays complete.
        if not TURN_NOT_OPEN.caught_in(unstored):
            log.exception("the end of turn %d was not stored", turn.number)
            fault = fault or as_fault(unstored)
    if fault is None:
        turn.end(step, Cancelled(turn=turn.number, session=turn.session, reply=turn.reply))
    else:
        turn.end(step, TurnError(turn=turn.number, session=turn.session, fault=fault, reply=turn.reply))
