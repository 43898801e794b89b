"""Continuous batching: one thread evaluates the answers of all callers together, a step at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Final

from aimark_daemon.engines.faults import LLM_FAILED
from aimark_daemon.engines.llama_answer import Answer
from aimark_daemon.engines.llama_cache import SequenceCache
from aimark_daemon.engines.llama_lib import lib
from aimark_daemon.engines.llama_model import LOG, Decoded, LlamaModel, Piece
from aimark_daemon.engines.llama_schedule import Bid, Need, Pace, admission, shares
from aimark_daemon.engines.llama_shown import shown_tokens

log = logging.getLogger("aimark.llama")

SLOW_TOKEN_S: Final = 0.03
"""Tokens that take longer are interrupted as well; the callback costs 0.3-0.6 ms of each token."""
ALIVE_S: Final = 1.0
"""How often a long evaluation, or a wait, tells the watchdog that it goes on."""
STALLED_S: Final = 1.0
"""A caller that takes nothing for so long does not keep background work from going on."""


class Batcher:
    """Owns the context: everything that touches llama.cpp's memory happens in its thread.

    Nobody else evaluates in this process: OpenMP keeps a team for each thread that ever did, and once there are more
    members than cores none of them waits actively any longer, which halves the speed of small models.
    """

    def __init__(self, model: LlamaModel, cache: SequenceCache, chunk: int) -> None:
        self._model, self._cache, self._chunk = model, cache, chunk
        self._wake = Condition()
        self._changes = 0
        self._closing = False
        self._jobs: list[tuple[Callable[[], None], Future[None]]] = []
        self._arrived: list[Answer] = []
        self._waiting: list[Answer] = []
        self._active: list[Answer] = []
        self._batch: list[Answer] = []
        self._pace = Pace()
        self._turn = 0
        self._watched = self._slow = False
        self._threads: tuple[int | None, bool] = (None, False)
        self._told_alive = 0.0
        self._abort = lib.ggml_abort_callback(self._should_abort)
        self._thread = Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], None]) -> None:
        """Do `work` in this thread, between two steps, and wait for it. Raises what it raises."""
        done: Future[None] = Future()
        with self._wake:
            self._jobs.append((work, done))
            self._changes += 1
            self._wake.notify()
        done.result()

    def submit(self, answer: Answer) -> None:
        """Let an answer take part."""
        with self._wake:
            self._arrived.append(answer)
            self._changes += 1
            self._wake.notify()

    def changed(self) -> None:
        """Something happened to an answer: a caller took a piece, or cancelled."""
        with self._wake:
            self._changes += 1
            self._wake.notify()

    def close(self) -> None:
        """End the thread; answers that are still there end as cancelled."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            seen = self._changes
            try:
                idle = not self._step()
            except BaseException as error:  # noqa: BLE001 - callers wait for this thread: they must hear of it
                self._fail(self._active + self._waiting, error)
                continue
            if idle:
                with self._wake:
                    anybody = bool(self._active or self._waiting)
                    while self._changes == seen and not self._closing:
                        if not self._wake.wait(ALIVE_S if anybody else None):
                            break
                self._tell_alive(time.perf_counter())
        with self._wake:
            self._waiting += self._arrived
        for answer in self._active + self._waiting:
            answer.finish = "cancelled"
            answer.end()

    def _step(self) -> bool:
        """Do the next piece of work; False if there is none until something changes."""
        while self._jobs:
            work, done = self._jobs.pop(0)
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised where `run` waits
                done.set_exception(error)
            else:
                done.set_result(None)
        if self._arrived:
            with self._wake:
                self._waiting += self._arrived
                self._arrived.clear()
        self._retire()
        if self._waiting:
            self._admit()
        batch = self._share()
        if batch:
            self._evaluate(batch)
        return bool(batch)

    def _share(self) -> list[tuple[Answer, int]]:
        """Who gets how many tokens of the next step."""
        if len(self._active) == 1 and not self._waiting:
            count = min(self._active[0].missing, self._chunk)
            return [(self._active[0], count)] if count else []
        if not self._active:
            return []
        given = shares(self._needs(), self._chunk, self._pace.chunk, self._turn)
        self._turn += 1
        return [(answer, count) for answer, count in zip(self._active, given, strict=False) if count]

    # Beginning and ending -------------------------------------------------------------------------------------

    def _retire(self) -> None:
        """Let chosen tokens be told, and let those go whose answers have ended."""
        for answer in self._active:
            answer.tell()
        for group in (self._active, self._waiting):
            if group:
                for answer in [a for a in group if a.finish is not None or a.cancelled]:
                    group.remove(answer)
                    self._end(answer)

    def _end(self, answer: Answer) -> None:
        if answer.finish is None:
            answer.finish = "cancelled"
        try:
            if answer.slot is not None:
                self._cache.settle(answer.slot)
        finally:
            answer.end()

    def _fail(self, answers: Sequence[Answer], error: BaseException) -> None:
        for answer in answers:
            for group in (self._active, self._waiting):
                if answer in group:
                    group.remove(answer)
            answer.error = error
            self._end(answer)

    def _admit(self) -> None:
        while self._waiting:
            waiting, active = ([Bid(len(a.tokens), a.background) for a in g] for g in (self._waiting, self._active))
            choice = admission(waiting, active, len(self._cache.slots), self._model.n_ctx)
            if choice is None:
                return
            answer = self._waiting.pop(choice[0])
            for other in [self._active[i] for i in choice[1]]:
                self._pause(other)
            try:
                self._begin(answer)
            except Exception as error:  # noqa: BLE001 - it concerns this answer alone
                self._fail((answer,), error)

    def _begin(self, answer: Answer) -> None:
        """Give an answer its sequence: for the first time, or again after a pause."""
        first = answer.shown is None
        if first:
            LOG.clear()
            held = self._cache.record(answer.request.session)
            answer.begin(*shown_tokens(self._model, answer.request, answer.tokens, held))
        if not answer.tokens:
            raise LLM_FAILED(detail="the prompt is empty")
        if answer.stopped or len(answer.tokens) >= self._model.n_ctx:
            answer.finish = "stop" if answer.stopped else "length"
            self._end(answer)
            return
        busy = [a.slot for a in self._active if a.slot is not None]
        answer.slot = self._cache.claim(answer.request.session, answer.tokens, busy)
        if first:
            answer.reused = len(answer.slot.tokens)
        self._active.append(answer)

    def _pause(self, answer: Answer) -> None:
        """Take an answer's sequence away; it begins again, where it was, when there is room."""
        if answer.slot is not None:
            self._cache.settle(answer.slot)
            answer.slot = None
        self._active.remove(answer)
        self._waiting.insert(0, answer)

    # One step -------------------------------------------------------------------------------------------------

    def _needs(self) -> list[Need]:
        """What the active ones need, and that people wait."""
        now = time.perf_counter()
        needs = []
        for answer in self._active:
            missing = answer.missing
            if missing:
                answer.held_since = None
            elif answer.held_since is None:
                answer.held_since = now
            stalled = answer.held_since is not None and now - answer.held_since > STALLED_S
            live = bool(answer.generated) and missing <= 1
            needs.append(Need(missing, live, answer.background or stalled))
        if any(not answer.background for answer in self._waiting):
            needs.append(Need(0))
        return needs

    def _evaluate(self, batch: list[tuple[Answer, int]]) -> None:
        pieces, prompt = [], 0
        for answer, count in batch:
            slot = answer.slot
            assert slot is not None
            at = len(slot.tokens)
            pieces.append(Piece(slot.sequence, at, answer.tokens[at : at + count], at + count == len(answer.tokens)))
            prompt += count if count > 1 else 0
        self._batch = [answer for answer, _ in batch]
        self._watch(on=prompt > 0 or self._slow)
        self._use_threads(batches=prompt == 0 and len(batch) > 1)
        began = time.perf_counter()
        if began - self._told_alive > ALIVE_S:
            self._tell_alive(began)
        try:
            outcome = self._decode(pieces)
        except Exception as error:  # noqa: BLE001 - of llama.cpp, and nobody can say whose tokens it was
            self._fail(self._batch, error)
            return
        if outcome is Decoded.ABORTED:
            LOG.expected = False
            for answer in self._batch:
                if answer.slot is not None:
                    self._cache.settle(answer.slot)
        elif outcome is Decoded.OK:
            self._take(batch, pieces)
            seconds = time.perf_counter() - began
            self._pace.learn(prompt, seconds)
            if not prompt:
                self._slow = seconds > SLOW_TOKEN_S

    def _decode(self, pieces: Sequence[Piece]) -> Decoded:
        """Evaluate; idle sequences make room, and where there is none the last of several answers pauses."""
        while True:
            outcome = self._model.evaluate(pieces)
            if outcome is not Decoded.FULL:
                return outcome
            if self._cache.evict_idle(*(a.slot for a in self._active)):
                continue
            if len(self._active) == 1:
                raise LLM_FAILED(detail=f"no cells for {sum(len(p.tokens) for p in pieces)} tokens")
            last = [a for a in self._active if a.background] or self._active
            self._pause(last[-1])
            return outcome

    def _take(self, batch: list[tuple[Answer, int]], pieces: Sequence[Piece]) -> None:
        """Note what was evaluated, and choose next tokens where the logits are there."""
        index = -1
        synchronised = not self._model.offloads
        for (answer, count), piece in zip(batch, pieces, strict=True):
            assert answer.slot is not None
            answer.slot.tokens.extend(piece.tokens)
            index += count
            if count > 1:
                if not synchronised:
                    lib.llama_synchronize(self._model.context)
                    synchronised = True
                answer.progress()
            if piece.logits and not answer.cancelled:
                answer.evaluated(self._model.context, index)

    def _use_threads(self, *, batches: bool) -> None:
        """Generate with the smallest number of threads that somebody wishes."""
        wishes = [answer.request.threads for answer in self._active if answer.request.threads is not None]
        wanted = (min(wishes, default=None), batches)
        if wanted != self._threads:
            self._model.use_threads(wanted[0], batches=batches)
            self._threads = wanted

    # Interrupting ---------------------------------------------------------------------------------------------

    def _watch(self, *, on: bool) -> None:
        """Let llama.cpp ask whether to go on, or not: in steps with prompt tokens, and where single tokens are slow."""
        if on != self._watched:
            self._model.set_abort(self._abort if on else None)
            self._watched = on

    def _should_abort(self, _user_data: object) -> bool:
        """llama.cpp asks before each operation of the graph.

        Where somebody's stream is in the step it is finished: steps beside a stream are short. Background work that is
        alone in a step is given up for a person who has just come.
        """
        now = time.perf_counter()
        if now - self._told_alive > ALIVE_S:
            self._tell_alive(now)
        if self._arrived and self._batch[0].background and not all(answer.background for answer in self._arrived):
            LOG.expected = True
            return True
        for answer in self._batch:
            if answer.cancelled:
                break
        else:
            return False
        everybody = all(answer.cancelled for answer in self._batch)
        LOG.expected = everybody or not any(answer.generated for answer in self._batch)
        return LOG.expected

    def _tell_alive(self, now: float) -> None:
        self._told_alive = now
        for answer in self._active + self._waiting:
            answer.progress()
