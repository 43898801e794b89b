"""Parking: evaluated conversations from the KV cache into a file, and back in another process of the same model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from threading import Lock
from typing import Any

from aimark_daemon.engines.base import EngineCall, Parked, ParkRequest, UnparkRequest
from aimark_daemon.engines.llama_cache import LEAST_SAVED, Cells, SequenceCache, Slot
from aimark_daemon.engines.llama_prompt import PromptBuilder
from aimark_daemon.engines.llama_states import Saved, SavedStates
from aimark_daemon.engines.parked import Answer, Identity, Offer, ParkedStates, open_parked, park

log = logging.getLogger("aimark.llama")


class LlamaParking:
    """`run` does work in the thread that owns cells, cache and saved states; `prompting` guards the prompts."""

    def __init__(
        self,
        *,
        cells: Cells,
        cache: SequenceCache,
        saved: SavedStates,
        prompts: PromptBuilder,
        prompting: Lock,
        run: Callable[[Callable[[], None]], None],
        identity: Identity,
    ) -> None:
        self._cells, self._cache, self._saved = cells, cache, saved
        self._prompts, self._prompting = prompts, prompting
        self._run = run
        self._identity = identity

    def park(self, request: ParkRequest, call: EngineCall) -> Parked:
        """Write conversations of the cache, then saved ones. What goes wrong is logged."""
        offers: list[Offer] = []
        self._run(lambda: offers.extend(self._offers()))
        return park(request, call, self._identity, offers, self._answers)

    def unpark(self, request: UnparkRequest) -> Parked:
        """Know the file's conversations again; their states are read when they return. What goes wrong is logged."""
        states = open_parked(request.path, self._identity)
        if states is None:
            return Parked()
        taken: list[int] = []
        self._run(partial(self._adopt, states, taken))
        if taken:
            with self._prompting:
                for answer in states.answers:
                    self._prompts.remember(answer.text, answer.tokens)
        return Parked(len(taken), sum(taken))

    def _offers(self) -> Iterator[Offer]:
        """What could be parked, used last first. In the owning thread."""
        known: set[str] = set()
        for slot in sorted(self._cache.slots, key=lambda s: s.used, reverse=True):
            if slot.session and slot.session not in known and len(slot.tokens) >= LEAST_SAVED:
                known.add(slot.session)
                size = self._cells.size(slot.sequence)
                yield Offer(slot.session, size, partial(self._copy, slot, slot.session))
        for session, saved in self._saved.newest():
            if session not in known:
                yield Offer(session, len(saved.data), lambda saved=saved: (saved.tokens, saved.data))  # type: ignore[misc]

    def _copy(self, slot: Slot, session: str) -> tuple[list[int], Any] | None:
        """A sequence's tokens and state, copied in the owning thread."""
        copied: list[tuple[list[int], Any]] = []

        def work() -> None:
            if slot.session == session and slot.tokens:
                data = self._cells.save(slot.sequence, self._cells.size(slot.sequence))
                if data is not None:
                    copied.append((list(slot.tokens), data))

        self._run(work)
        return copied[0] if copied else None

    def _answers(self) -> list[Answer]:
        with self._prompting:
            return [Answer(text, tokens) for text, tokens in self._prompts.remembered()]

    def _adopt(self, states: ParkedStates, taken: list[int]) -> None:
        """Take what is not known better by now. In the owning thread."""
        entries = [entry for entry in states.entries if not self._cache.record(entry.session)]
        if not entries or not self._takes(states.state(min(entries, key=lambda entry: entry.size))):
            return
        newer = self._saved.newest()
        for entry in reversed(entries):
            self._saved.put(entry.session, Saved(entry.tokens, states.state(entry), entry.size, parked=True))
            taken.append(entry.size)
        for session, saved in reversed(newer):
            self._saved.put(session, saved)

    def _takes(self, state: Any) -> bool:
        """Whether llama.cpp takes such a state, where there is a sequence to try it with."""
        empty = [slot for slot in self._cache.slots if not slot.tokens]
        if not empty:
            return True
        taken = self._cells.restore(empty[0].sequence, state)
        self._cells.remove(empty[0].sequence, 0)
        if not taken:
            log.warning("llama.cpp cannot put parked conversations into this context: they are evaluated again")
        return taken
