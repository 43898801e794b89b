"""The sampler chain of one answer: how the next token is chosen from the logits, by the fields of `Sampling`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aimark_daemon.engines.base import Sampling
from aimark_daemon.engines.llama_lib import lib

PENALTY_WINDOW: Final = 64
"""Tokens of the answer that `repeat_penalty` looks back on."""


class Sampler:
    """A llama.cpp sampler chain; free it with `close`.

    Repetition counts within the answer only, so the user's own words may be said back. Penalising the whole
    vocabulary is slow (0.4 ms a token at 152,000 entries), so it is cut to its best tokens first: a penalty only
    lowers, and only `PENALTY_WINDOW` tokens have one, so the best `top_k` afterwards are among the best
    `top_k + PENALTY_WINDOW` before.
    """

    def __init__(self, sampling: Sampling, n_vocab: int, seed: int | None) -> None:
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        greedy = sampling.temperature <= 0
        best = 1 if greedy else sampling.top_k
        if sampling.repeat_penalty != 1.0:
            if best > 0 and sampling.repeat_penalty > 1.0:
                self._add(lib.llama_sampler_init_top_k(best + PENALTY_WINDOW))
            self._add(lib.llama_sampler_init_penalties(n_vocab, PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0))
        if greedy:
            self._add(lib.llama_sampler_init_greedy())
            return
        if sampling.top_k > 0:
            self._add(lib.llama_sampler_init_top_k(sampling.top_k))
        if sampling.top_p < 1.0:
            self._add(lib.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p > 0.0:
            self._add(lib.llama_sampler_init_min_p(sampling.min_p, 1))
        self._add(lib.llama_sampler_init_temp(sampling.temperature))
        self._add(lib.llama_sampler_init_dist(lib.LLAMA_DEFAULT_SEED if seed is None else seed & 0xFFFFFFFF))

    def _add(self, sampler: Any) -> None:
        lib.llama_sampler_chain_add(self._chain, sampler)

    def accept(self, tokens: Sequence[int]) -> None:
        """Count tokens of the answer that were chosen before."""
        for token in tokens:
            lib.llama_sampler_accept(self._chain, token)

    def sample(self, context: Any, index: int = -1) -> int:
        """Choose the token that follows the evaluated one at `index` of the batch (-1: the last)."""
        return int(lib.llama_sampler_sample(self._chain, context, index))

    def close(self) -> None:
        """Free the chain. Idempotent."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None
