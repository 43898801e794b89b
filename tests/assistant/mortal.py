"""Workers whose children die on cue: the same calls and faults as of a real child, without a process."""

import asyncio

from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import faults
from aimark_daemon.workers.inline import InlineWorker


class MortalWorker(InlineWorker):
    """Its calls die, one after the other, after so many events or fed pieces as `deaths` says; then none dies."""

    def __init__(self, spec, engine, deaths=()):
        super().__init__(spec, engine)
        self.deaths = list(deaths)
        self.requests = []

    def call(self, method, request):
        self.requests.append(request)
        inner = super().call(method, request)
        return DyingCall(inner, self.deaths.pop(0), self.spec.name) if self.deaths else inner


class DyingCall:
    def __init__(self, inner, after, name):
        self._inner = inner
        self._left = after
        self._fault = faults.KILLED.fault("SIGKILL", name=name)
        self._dead = asyncio.Event()
        self._live()

    def _live(self):
        if self._left == 0:
            self._dead.set()
            self._inner.cancel()
        self._left -= 1

    async def __aiter__(self):
        if not self._dead.is_set():
            async for event in self._inner:
                yield event
                self._live()
                if self._dead.is_set():
                    break
        if not self._dead.is_set():
            self._dead.set()  # it said all there is, and dies before it can say that it is done
        raise AimarkError(self._fault)

    async def feed(self, data):
        if not self._dead.is_set():
            await self._inner.feed(data)
            self._live()

    async def end_input(self):
        """Whoever is to die dies before the result."""
        self._dead.set()
        self._inner.cancel()

    async def result(self):
        await self._dead.wait()
        raise AimarkError(self._fault)

    def cancel(self):
        self._inner.cancel()
