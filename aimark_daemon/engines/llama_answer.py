"""One answer being generated: its tokens, its sampler, and the text on its way to the caller."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Final, Literal

from aimark_daemon.conversation.stops import TextStream
from aimark_daemon.engines.base import ChatRequest, EngineCall, TextDelta
from aimark_daemon.engines.llama_cache import Slot
from aimark_daemon.engines.llama_model import LlamaModel
from aimark_daemon.engines.llama_sampler import Sampler

Finish = Literal["stop", "length", "cancelled"]

REPLAY_TOGETHER: Final = 3
"""Tokens of an answer that goes on which give the same bits as one by one, on a processor.

ggml multiplies up to three rows by the vector kernels that it takes for one, and uses matrix kernels from four on. With
Qwen2.5 0.5B, Q4_K_M, on x86 (AVX-512), logits are equal to the last bit for 1, 2 and 3 and differ by up to 0.3 for 4 to
8. Three at once take 0.8 of the processor time of one at a time, and 35 together 0.4. What a graphics card does is not
known: there they go one by one.
"""
GROUP_S: Final = 0.04
"""Tokens that come sooner after what was said last are said with the next one: twenty-five times a second looks
continuous, and each message costs processor time that a small machine decodes with."""
SINGLY: Final = 8
"""So many tokens of an answer are said one by one all the same: the first words are waited for."""
REPLAY_S: Final = 1.5
"""How long that may take, counted from when the prompt is evaluated.

The rest of a longer answer is evaluated together, and may go on in other words.
"""


class Answer:
    """The work on one request. The decoding thread drives it; the caller's thread `deliver`s what it says.

    A token is chosen while the previous one is on its way, but told only when that has arrived: a caller that is slow
    holds back nobody but itself.
    """

    def __init__(
        self,
        request: ChatRequest,
        call: EngineCall,
        model: LlamaModel,
        prompt: Sequence[int],
        seed: int | None,
        changed: Callable[[], None],
    ) -> None:
        self.request = request
        self.background = request.priority == "background"
        self.tokens = list(prompt)
        """All that the sequence must hold: the prompt, the text already shown, and what was generated."""
        self.shown: Sequence[int] | None = None
        """The tokens of `continue_text`; None until the answer begins for the first time."""
        self.slot: Slot | None = None
        self.reused = 0
        self.generated: list[int] = []
        self.text: list[str] = []
        self.prefilled: float | None = None
        """When the first token could be chosen; `time.perf_counter` seconds."""
        self.finish: Finish | None = None
        self.error: BaseException | None = None
        self.held_since: float | None = None
        self._call, self._model, self._changed = call, model, changed
        self._seed = request.sampling.seed if request.sampling.seed is not None else seed
        self._sampler: Sampler | None = None
        self._stream = TextStream(request.sampling.stop)
        self._prompt = len(prompt)
        self._greedy = request.sampling.temperature <= 0
        self._replay_until: float | None = None
        self._token: int | None = None
        self._unsent: list[int] = []
        self._untold: list[str] = []
        self._told_at = 0.0
        self._outbox: SimpleQueue[TextDelta | None] = SimpleQueue()
        self._sent = self._delivered = 0
        self._cancelled = False
        call.on_cancel(self.cancel)

    # The caller's thread

    def deliver(self) -> None:
        """Hand everything the answer says to the caller, until it has ended.

        Raises:
            BaseException: what ended the answer, if it failed.
        """
        try:
            while (event := self._outbox.get()) is not None:
                if not self.cancelled:
                    self._call.emit(event)
                self._delivered += 1
                self._changed()
        except BaseException:
            self.cancel()
            while self._outbox.get() is not None:
                pass
            raise
        if self.error is not None:
            raise self.error

    def cancel(self) -> None:
        """Ask for an early end. From any thread."""
        self._cancelled = True
        self._changed()

    # The decoding thread

    @property
    def cancelled(self) -> bool:
        """Whether the caller lost interest."""
        return self._cancelled or self._call.cancelled

    @property
    def on_its_way(self) -> bool:
        """Whether something that was said has not arrived yet."""
        return self._delivered < self._sent

    @property
    def missing(self) -> int:
        """Tokens that the sequence lacks and that may be evaluated together; 0 while a chosen one waits to be told.

        A greedy answer that goes on repeats the steps by which it came this far, `REPLAY_TOGETHER`: evaluated all
        together, the same tokens give other logits, which decides between words that are as good as equal.
        """
        if self.slot is None or self._token is not None:
            return 0
        at = len(self.slot.tokens)
        lacking = len(self.tokens) - at
        if not self._greedy or lacking <= 1:
            return lacking
        if at < self._prompt:
            return self._prompt - at
        return self._replayed(lacking)

    def _replayed(self, lacking: int) -> int:
        """How many of these tokens of the answer are evaluated next."""
        now = time.perf_counter()
        if self._replay_until is None:
            self._replay_until = now + REPLAY_S
        if now >= self._replay_until:
            return lacking
        return 1 if self._model.offloads else min(lacking, REPLAY_TOGETHER)

    def progress(self) -> None:
        """Tell the watchdog that work goes on."""
        self._call.progress()

    @property
    def stopped(self) -> bool:
        """Whether the text has met a stop string."""
        return self._stream.stopped

    def begin(self, shown: Sequence[int], stream: TextStream) -> None:
        """The text already shown consists of `shown`, which left `stream` as it is."""
        self.shown, self._stream = shown, stream
        self.tokens.extend(shown)
        self._sampler = Sampler(self.request.sampling, self._model.n_vocab, self._seed)
        self._sampler.accept(shown)

    def evaluated(self, context: Any, index: int) -> None:
        """All tokens are in the cache, the logits of the last one at `index` of the batch: choose the next one."""
        if self.prefilled is None:
            self.prefilled = time.perf_counter()
        said = len(self.generated) + len(self.shown or ())
        if self.request.only_prompt:
            self.finish = "stop"
        elif said >= self.request.sampling.max_tokens or len(self.tokens) >= self._model.n_ctx:
            self.finish = "length"
        else:
            assert self._sampler is not None
            self._token = self._sampler.sample(context, index)
            self.tell()

    def tell(self) -> None:
        """Say the chosen token, if there is one and the caller has taken what was said before."""
        token = self._token
        if token is None or self.on_its_way or self.cancelled:
            return
        self._token = None
        if self._model.ends(token):
            self.finish = "stop"
            return
        self.generated.append(token)
        self.tokens.append(token)
        self._unsent.append(token)
        self._untold.append(self._stream.feed(self._model.piece(token)))
        if self._stream.stopped:
            self.finish = "stop"
        elif len(self.generated) <= SINGLY or time.perf_counter() - self._told_at >= GROUP_S:
            self._say()

    def end(self) -> None:
        """Free the sampler and let the caller go."""
        if self._sampler is not None:
            self._sampler.close()
        if self.finish in ("stop", "length"):
            self._untold.append(self._stream.finish())
            self._say()
        self._outbox.put(None)

    def _say(self) -> None:
        """Send the text that is there; while it is half a character only, say that work goes on."""
        text = "".join(self._untold)
        self._told_at = time.perf_counter()
        if not text:
            self._call.progress()
            return
        self._untold.clear()
        self.text.append(text)
        self._sent += 1
        self._outbox.put(TextDelta(text, len(self._unsent), tuple(self._unsent)))
        self._unsent = []
