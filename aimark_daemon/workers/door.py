"""Door: lets requests through to a worker's child; shut while there is none, or while something is handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aimark_daemon.engines.base import Method
from aimark_daemon.workers import faults
from aimark_daemon.workers.base import Ev, Req, Res
from aimark_daemon.workers.calls import CallTable, PendingCall
from aimark_daemon.workers.handover import GIVE_S, Handover, within
from aimark_daemon.workers.hurry import Hurry
from aimark_daemon.workers.life import Life


class Door:
    """Belongs to one supervisor. `opened` is called whenever requests can go to the child again."""

    def __init__(
        self, name: str, calls: CallTable, hurry: Hurry, handover: Handover | None, opened: Callable[[], None]
    ) -> None:
        self._name = name
        self._calls = calls
        self._hurry = hurry
        self._handover = handover
        self._opened = opened
        self._life: Life | None = None
        self._giving: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()
        """Somebody waits before it."""
        self.open = False

    def begin(self, life: Life) -> None:
        """Another child is on its way."""
        self._life, self.open = life, False

    def end(self) -> None:
        """The child is gone."""
        self._life, self.open = None, False
        if self._giving is not None:
            self._giving.cancel()
            self._giving = None

    def ready(self, life: Life) -> None:
        """The child is loaded: give it what there is, then open."""
        if self._handover is None:
            self._let(life)
        else:
            self._giving = asyncio.create_task(self._give(self._handover, life), name=f"worker-{self._name}-give")

    def attach(self) -> None:
        """Send waiting requests through, if it is open."""
        if self.open and self._life is not None and self._life.ready:
            self._calls.attach_all(self._life.send)
        elif self._calls.waiting:
            self._asked.set()

    def idle(self) -> Life | None:
        """The child, if it is ready and nothing is asked of it."""
        life = self._life
        return life if life is not None and self.open and life.ready and not len(self._calls) else None

    async def take(self, life: Life, limit_s: float, *, whoever_asks: bool = False) -> bool:
        """Let the child, which is idle, leave what it knows. True: the door stays shut, and the child can be ended.

        False: somebody asked meanwhile, and is let through at once, or the child has ended or is ending already. If it
        has to go `whoever_asks`, they wait for the next one.
        """
        if self._handover is None:
            return True
        self.open = False
        self._asked.clear()
        begun: list[PendingCall[Any, Any]] = []
        wanted = True
        try:
            took = within(limit_s, f"worker {self._name}: to take", self._handover.take(self._caller(life, begun)))
            await self._hurry.unless(took, "to take", *(() if whoever_asks else (self._asked,)))
            wanted = not whoever_asks and self._calls.waiting > 0
        finally:
            for call in begun:
                call.cancel()
            if wanted:
                self._let(life)
        return self._life is life and life.ready and not wanted

    async def _give(self, handover: Handover, life: Life) -> None:
        begun: list[PendingCall[Any, Any]] = []
        await within(GIVE_S, f"worker {self._name}: to give", handover.give(self._caller(life, begun)))
        for call in begun:
            call.cancel()
        self._let(life)

    def _let(self, life: Life) -> None:
        if self._life is life and life.ready:
            self.open = True
            self._opened()
            self.attach()

    def _caller(self, life: Life, begun: list[PendingCall[Any, Any]]) -> _Caller:
        return _Caller(self._name, self._calls, lambda: self._life is life, life, begun)


class _Caller:
    """Calls to one child alone (the `Caller` of a handover)."""

    def __init__(
        self,
        name: str,
        calls: CallTable,
        here: Callable[[], bool],
        life: Life,
        begun: list[PendingCall[Any, Any]],
    ) -> None:
        self._name = name
        self._calls = calls
        self._here = here
        self._life = life
        self._begun = begun

    def __call__(self, method: Method[Req, Ev, Res], request: Req) -> PendingCall[Ev, Res]:
        call = self._calls.begin(self._name, method, request)
        if self._here():
            call.attach(self._life.send)
            self._begun.append(call)
        else:
            call.fail(faults.STOPPED.fault(name=self._name))
        return call
