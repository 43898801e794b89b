"""Hurry: what cuts the waits of a supervisor short when its worker is stopped, replaced or wanted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

log = logging.getLogger("aimark.worker")

_Answer = TypeVar("_Answer")


class Hurry(asyncio.Event):
    """An event; while it is set nothing is waited for."""

    async def pause(self, seconds: float) -> None:
        """Wait, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.wait()
        except TimeoutError:
            pass

    async def unless(self, answer: Awaitable[_Answer], what: str, *others: asyncio.Event) -> _Answer | None:
        """The answer; None if it fails, which is logged as `what`, or if there is hurry or another event first."""
        asked = asyncio.ensure_future(answer)
        events = [asyncio.ensure_future(event.wait()) for event in (self, *others)]
        try:
            await asyncio.wait({asked, *events}, return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        except Exception:
            log.exception("%s failed", what)
            return None
        finally:
            for future in (asked, *events):
                future.cancel()
            await asyncio.gather(asked, *events, return_exceptions=True)
