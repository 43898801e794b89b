"""Tokens per second of the LLM engine beside a bare llama-cpp-python low-level loop, and how fast a cancel works.

    python bench/llm_loop.py MODEL.gguf [--threads N] [--tokens N] [--rounds N] [--temperature T]

Both run in one process, in turn (A B A B ...), on the same model file, threads, prompt and sampler settings. Prints
one JSON object; times in milliseconds. `cpu` values count processor time, which other programs do not disturb.
"""

# ruff: noqa: ANN001, ANN202, D102 - handles of ctypes have no types worth naming

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from aimark_daemon.engines.base import ChatMessage, ChatRequest, Sampling
from aimark_daemon.engines.llama import LlamaEngine

PROMPT = "Write a long story about a lighthouse keeper and the sea."


class Call:
    """An engine call that notes when events come, and cancels after a while if told to."""

    def __init__(self) -> None:
        self.cancelled = False
        self.times: list[float] = []
        self.cpu: list[float] = []
        self.input = iter(())
        self._callbacks = []

    def emit(self, _event: object) -> None:
        self.times.append(time.perf_counter())
        self.cpu.append(time.process_time())

    def progress(self) -> None:
        pass

    def on_cancel(self, callback: object) -> None:
        self._callbacks.append(callback)

    def cancel(self) -> None:
        self.cancelled_at = time.perf_counter()
        self.cancelled = True
        for callback in self._callbacks:
            callback()


def bare_loop(lib, model, ctx, batch, tokens, sampling, count) -> tuple[list[float], list[float]]:
    """Decode `count` tokens with nothing around it; wall and processor seconds of each step, sampling included."""
    vocab = lib.llama_model_get_vocab(model)
    lib.llama_memory_clear(lib.llama_get_memory(ctx), True)

    def decode(part, at):
        for i, token in enumerate(part):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0] = token, at + i, 1, 0
            batch.logits[i] = i == len(part) - 1
        batch.n_tokens = len(part)
        assert lib.llama_decode(ctx, batch) == 0

    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    if sampling.temperature <= 0:
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
    else:
        for link in (
            lib.llama_sampler_init_penalties(lib.llama_vocab_n_tokens(vocab), 64, sampling.repeat_penalty, 0.0, 0.0),
            lib.llama_sampler_init_top_k(sampling.top_k),
            lib.llama_sampler_init_top_p(sampling.top_p, 1),
            lib.llama_sampler_init_min_p(sampling.min_p, 1),
            lib.llama_sampler_init_temp(sampling.temperature),
            lib.llama_sampler_init_dist(1),
        ):
            lib.llama_sampler_chain_add(chain, link)
    decode(tokens, 0)
    at, steps, cpu = len(tokens), [], []
    for _ in range(count):
        began, cpu_began = time.perf_counter(), time.process_time()
        token = lib.llama_sampler_sample(chain, ctx, -1)
        decode((token,), at)
        at += 1
        steps.append(time.perf_counter() - began)
        cpu.append(time.process_time() - cpu_began)
    lib.llama_sampler_free(chain)
    return steps, cpu


def engine_loop(engine, sampling, session) -> tuple[list[float], list[float]]:
    """Wall and processor seconds between the events of one answer."""
    call = Call()
    engine.chat(ChatRequest(session, (ChatMessage("user", PROMPT),), sampling), call)
    return [b - a for a, b in itertools.pairwise(call.times)], [b - a for a, b in itertools.pairwise(call.cpu)]


def cancel_latencies(engine, rounds) -> dict[str, float]:
    """Milliseconds from a cancel, called in another thread, to the engine's return; in prefill and in decode."""
    worst = {"prefill": [], "decode": []}
    for i in range(rounds):
        for kind, after in (("prefill", 0.1 + 0.03 * i), ("decode", None)):
            call = Call()
            # Every prefill begins anew and is far longer than the wait; the decode is cancelled at its fifth token.
            text = f"{i} " * 1200 if kind == "prefill" else f"{i} {PROMPT}"
            if after is not None:
                timer = threading.Timer(after, call.cancel)
                timer.start()
            else:

                def emit(_event, call=call):
                    call.times.append(0.0)
                    if len(call.times) == 5:
                        threading.Thread(target=call.cancel).start()

                call.emit = emit
            result = engine.chat(ChatRequest(f"{kind}{i}", (ChatMessage("user", text),), Sampling(max_tokens=64)), call)
            ended = time.perf_counter()
            if result.finish == "cancelled" and (kind == "decode" or result.tokens == 0):
                worst[kind].append((ended - call.cancelled_at) * 1e3)
    return {
        f"{kind}_{name}_ms": round(function(values), 1)
        for kind, values in worst.items()
        if values
        for name, function in (("median", statistics.median), ("max", max))
    } | {f"{kind}_n": len(values) for kind, values in worst.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--temperature", type=float, default=0.0)
    options = parser.parse_args()

    engine = LlamaEngine()
    facts = engine.load({"path": options.model, "n_ctx": 4096, "threads": options.threads}, lambda: None)
    import llama_cpp as lib

    params = lib.llama_model_default_params()
    params.n_gpu_layers = 0
    model = lib.llama_model_load_from_file(os.fsencode(options.model), params)
    context = lib.llama_context_default_params()
    context.n_ctx, context.n_batch, context.n_ubatch = 4096, 512, 512
    context.n_threads = context.n_threads_batch = facts.threads
    ctx = lib.llama_init_from_model(model, context)
    batch = lib.llama_batch_init(512, 0, 1)

    penalty = 1.0 if options.temperature <= 0 else 1.05
    sampling = Sampling(
        temperature=options.temperature, repeat_penalty=penalty, max_tokens=options.tokens, seed=1, stop=("\n\n\n\n",)
    )
    tokens = engine._loaded.prompts.tokens((ChatMessage("user", PROMPT),))  # noqa: SLF001 - the very same prompt
    bare, ours = [], []
    for i in range(options.rounds):
        # In the engine's thread: two that evaluate have two OpenMP teams, which slow each other down.
        engine._loaded.batcher.run(  # noqa: SLF001
            lambda: bare.append(bare_loop(lib, model, ctx, batch, tokens, sampling, options.tokens))
        )
        ours.append(engine_loop(engine, sampling, f"s{i}"))
    wall, cpu = (
        [statistics.median(s for r in side for s in r[kind]) * 1e3 for side in (bare, ours)] for kind in (0, 1)
    )
    print(
        json.dumps(
            {
                "model": facts.model,
                "threads": facts.threads,
                "temperature": options.temperature,
                "bare_tokens_per_s": round(1e3 / wall[0], 2),
                "engine_tokens_per_s": round(1e3 / wall[1], 2),
                "ratio": round(wall[0] / wall[1], 4),
                "bare_cpu_ms": round(cpu[0], 3),
                "engine_cpu_ms": round(cpu[1], 3),
                "cpu_ratio": round(cpu[0] / cpu[1], 4),
                "cancel": cancel_latencies(engine, options.rounds),
            }
        )
    )
    engine.close()


if __name__ == "__main__":
    main()
