"""Handover: what a child of a worker leaves to the next when it is ended on purpose. The seam alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final, Protocol

from aimark_daemon.engines.base import Method
from aimark_daemon.workers.base import Call, Ev, Req, Res

log = logging.getLogger("aimark.worker")

TAKE_S: Final = 5.0
"""The longest that a child which is to sleep, or to get another plan, may take to leave something."""
TAKE_IN_HURRY_S: Final = 1.0
"""The same where its memory is wanted at once."""
GIVE_S: Final = 10.0
"""The longest that requests wait for what a new child is given."""


class Caller(Protocol):
    """Begins a request to one particular child, past those that wait for any child."""

    def __call__(self, method: Method[Req, Ev, Res], request: Req) -> Call[Ev, Res]:
        """Begin it. A child that is gone fails it at once."""


class Handover(Protocol):
    """What is kept between two children of a worker. Both are bounded in time; what they raise is logged."""

    async def take(self, call: Caller) -> None:
        """Before a child ends on purpose: it is ready, and nothing is asked of it but what is asked here."""

    async def give(self, call: Caller) -> None:
        """After a child is ready, whatever became of the one before: requests wait until this is done."""


async def within(limit_s: float, what: str, work: Awaitable[None]) -> None:
    """Do it in the time there is; that it fails is no reason to stop anything."""
    try:
        async with asyncio.timeout(limit_s):
            await work
    except TimeoutError:
        log.warning("%s took longer than %g s and was left", what, limit_s)
    except Exception:
        log.exception("%s failed", what)
