"""The daemon's own engine, measured from where the daemon stands: in a worker, through its pipe."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

from aimark_daemon.cli.bench_figures import Samples
from aimark_daemon.cli.bench_script import SHORT, STORY, Talk, notes
from aimark_daemon.engines.base import (
    CHAT,
    COUNT,
    ChatMessage,
    ChatRequest,
    ChatResult,
    CountRequest,
    Facts,
    Sampling,
    TextDelta,
)
from aimark_daemon.errors import AimarkError
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.supervisor import Supervisor

TOGETHER: Final = 4
_SAMPLE_WORDS: Final = 200
_CANCEL_AT: Final = 5
"""Pieces of an answer before its cancel, or before the worker is killed."""


class Heard:
    """A read answer: when it was asked (`time.perf_counter`), and seconds from then until each piece."""

    def __init__(self, asked: float) -> None:
        self.asked = asked
        self.times: list[float] = []
        self.text = ""
        self.result: ChatResult | None = None


class Ours:
    """Runs the engine and collects samples."""

    def __init__(self, spec: WorkerSpec, tokens: int, session_tokens: int) -> None:
        self._worker = Supervisor(spec)
        self._tokens = tokens
        self._session_tokens = session_tokens
        self.words = 0
        """Words of a session of about `session_tokens` tokens."""
        self.facts = Facts()
        self.samples: Samples = {}

    async def load_once(self, spec: WorkerSpec) -> None:
        """Load by the plan of the processor alone, and let go. Raises AimarkError: the model cannot be loaded."""
        began = time.perf_counter()
        worker = Supervisor(spec)
        await worker.start()
        try:
            await worker.ready()
            self._add("load_cpu_s", time.perf_counter() - began)
        finally:
            await worker.stop()

    async def start(self) -> None:
        """Load, and find out how long a session is. Raises AimarkError: the model cannot be loaded."""
        began = time.perf_counter()
        await self._worker.start()
        self.facts = await self._worker.ready()
        self._add("load_s", time.perf_counter() - began)
        sample = await self._worker.call(COUNT, CountRequest(notes("sample", _SAMPLE_WORDS))).result()
        self.words = int(self._session_tokens * _SAMPLE_WORDS / max(1, sample.tokens))

    async def stop(self) -> None:
        """End the worker."""
        await self._worker.stop()

    async def decode(self, number: int) -> None:
        """One answer alone, then several at once."""
        heard = await self._hear(f"story {number}", [_story(number)], self._tokens)
        self._rate("decode_tokens_per_s", [heard])
        began = time.perf_counter()
        together = await asyncio.gather(
            *(self._hear(f"story {number} {i}", [_story(number, i)], self._tokens) for i in range(TOGETHER))
        )
        said = sum(heard.result.tokens for heard in together if heard.result)
        self._add("together_tokens_per_s", said / (time.perf_counter() - began))

    async def sessions(self, number: int) -> None:
        """Two sessions in turn, then a third one that needs their cells, and back to the first."""
        first, second, third = (Talk(f"{name} {number}", self.words) for name in ("Mina", "Jun", "Ada"))
        cold = [await self._turn(talk) for talk in (first, second)]
        for heard in cold:
            self._add("first_token_cold_s", heard.times[0])
            result = heard.result
            if result is not None and result.prefill_s > 0:
                self._add("prefill_tokens_per_s", (result.prompt_tokens - result.reused_tokens) / result.prefill_s)
        self._add("first_token_warm_s", (await self._turn(second)).times[0])
        self._add("first_token_switch_s", (await self._turn(first)).times[0])
        self._add("first_token_switch_s", (await self._turn(second)).times[0])
        await self._turn(third)
        self._add("first_token_restored_s", (await self._turn(first)).times[0])

    async def cancels(self, number: int) -> None:
        """A cancel in the middle of the prompt, and one in the middle of the answer."""
        talk = Talk(f"cancel {number}", self.words)
        call = self._worker.call(CHAT, _request(talk.name, talk.ask(), SHORT))
        await asyncio.sleep(0.3 * min(self.samples["first_token_cold_s"]))
        began = time.perf_counter()
        call.cancel()
        try:
            result = await call.result()
            if result.finish == "cancelled" and not result.tokens:
                self._add("cancel_prefill_s", time.perf_counter() - began)
        except AimarkError:  # it had not begun
            pass
        call = self._worker.call(CHAT, _request(f"cut {number}", [_story(number)], self._tokens))
        seen = 0
        async for _ in call:
            seen += 1
            if seen == _CANCEL_AT:
                began = time.perf_counter()
                call.cancel()
        if (await call.result()).finish == "cancelled":
            self._add("cancel_decode_s", time.perf_counter() - began)

    async def recovery(self, number: int) -> None:
        """Kill the worker in the middle of an answer and go on with it: from the kill to the next piece."""
        messages = [_story(number)]
        call = self._worker.call(CHAT, _request(f"killed {number}", messages, self._tokens))
        shown: list[TextDelta] = []
        began = 0.0
        try:
            async for delta in call:
                shown.append(delta)
                pid = self._worker.status.pid
                if len(shown) == _CANCEL_AT and pid is not None:
                    began = time.perf_counter()
                    os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        except AimarkError:
            heard = await self._hear(f"killed {number}", messages, self._tokens, shown)
            if heard.times:
                self._add("recovery_s", heard.asked + heard.times[0] - began)

    async def _turn(self, talk: Talk) -> Heard:
        heard = await self._hear(talk.name, talk.ask(), SHORT)
        talk.heard(heard.text)
        return heard

    async def _hear(
        self, session: str, messages: Sequence[ChatMessage], tokens: int, shown: Sequence[TextDelta] = ()
    ) -> Heard:
        heard = Heard(time.perf_counter())
        call = self._worker.call(CHAT, _request(session, messages, tokens, shown))
        async for delta in call:
            heard.times.append(time.perf_counter() - heard.asked)
            heard.text += delta.text
        heard.result = await call.result()
        heard.times = heard.times or [time.perf_counter() - heard.asked]
        return heard

    def _rate(self, name: str, answers: Sequence[Heard]) -> None:
        for heard in answers:
            took = heard.times[-1] - heard.times[0]
            if heard.result is not None and took > 0:
                self._add(name, (heard.result.tokens - 1) / took)

    def _add(self, name: str, value: float) -> None:
        self.samples.setdefault(name, []).append(value)


def _story(*number: int) -> ChatMessage:
    return ChatMessage("user", f"{STORY} {number}")


def _request(
    session: str, messages: Sequence[ChatMessage], tokens: int, shown: Sequence[TextDelta] = ()
) -> ChatRequest:
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=tokens)
    text = "".join(delta.text for delta in shown)
    ids = tuple(number for delta in shown for number in delta.ids)
    return ChatRequest(session, tuple(messages), sampling, text, continue_tokens=ids)
