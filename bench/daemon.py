"""The whole daemon on the starter models: speed over the socket, start, idle cost, memory, and sessions used in turn.

    uv run python bench/daemon.py [--recordings DIR] [--rounds N] [--idle SECONDS]

Speed is given beside a bare llama-cpp-python loop on the same model and threads, in turn (A B A B ...) in one run, so
that the ratio means something on a noisy machine. Prints one JSON object; times in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from aimark_daemon.audio.wav import read_wav
from aimark_daemon.client import DaemonClient
from aimark_daemon.engines.base import Sampling
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import Delta, Done, EndListen, Heard, Listen, Listening, Submit, TurnStarted
from bench.llm_loop import bare_loop
from tests.e2e.harness import DaemonProcess, ready
from tests.starter import installed

PROMPT = "Write a long story about a lighthouse keeper and the sea."
LLM = "qwen2.5-coder-0.5b-instruct-q4_k_m"
SAMPLING = {"temperature": 0, "repeat_penalty": 1.0, "max_tokens": 96}
BLOCK = 640


class Bare:
    """llama.cpp with nothing around it; made and run in one thread, since OpenMP keeps a pool for each."""

    def __init__(self, path: Path, threads: int) -> None:
        import llama_cpp as lib

        self._lib = lib
        lib.llama_backend_init()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = 0
        self._model = lib.llama_model_load_from_file(str(path).encode(), params)
        context = lib.llama_context_default_params()
        context.n_ctx, context.n_batch, context.n_ubatch = 4096, 512, 512
        context.n_threads = context.n_threads_batch = threads
        self._context = lib.llama_init_from_model(self._model, context)
        self._batch = lib.llama_batch_init(512, 0, 1)

    def tokens_per_s(self, count: int) -> float:
        """Decoding `count` tokens after a prompt like the daemon's."""
        text = f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n".encode()
        vocab = self._lib.llama_model_get_vocab(self._model)
        room = (self._lib.llama_token * 256)()
        used = self._lib.llama_tokenize(vocab, text, len(text), room, 256, False, True)
        steps, _ = bare_loop(
            self._lib, self._model, self._context, self._batch, list(room[:used]), Sampling(temperature=0), count
        )
        return len(steps) / sum(steps)


async def answer(client: DaemonClient, text: str, session: str | None = None) -> tuple[Done, float, float]:
    """The end of a turn, seconds to its first piece, and tokens/s between first and last piece, over the socket."""
    began = time.perf_counter()
    await client.request(Submit(id=0, text=text, session=session), TurnStarted)
    times: list[float] = []
    async for event in client.events():
        if isinstance(event, Delta):
            times.append(time.perf_counter())
        if isinstance(event, Done):
            rate = (event.tokens - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
            return event, times[0] - began, rate
    raise RuntimeError("the connection ended")


async def speed(client: DaemonClient, threads: int, rounds: int) -> dict[str, Any]:
    ours, theirs = [], []
    loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1)
    bare = await loop.run_in_executor(thread, Bare, installed(LLM), threads)
    for number in range(rounds):
        theirs.append(await loop.run_in_executor(thread, bare.tokens_per_s, SAMPLING["max_tokens"]))
        ours.append((await answer(client, f"{PROMPT} ({number})"))[2])
    return {
        "daemon_tokens_per_s": round(statistics.median(ours), 2),
        "bare_tokens_per_s": round(statistics.median(theirs), 2),
        "ratio": round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3),
    }


async def sessions_in_turn(client: DaemonClient, turns: int) -> dict[str, Any]:
    """First token of each turn while two sessions are used in turn."""
    sessions: list[str | None] = [None, None]
    first: list[list[float]] = [[], []]
    reused: list[list[float]] = [[], []]
    for turn in range(turns):
        for which in (0, 1):
            text = f"Tell me fact number {turn + 1} about {('cats', 'the sea')[which]}."
            done, first_token, _ = await answer(client, text, sessions[which])
            sessions[which] = done.session
            first[which].append(round(first_token, 3))
            reused[which].append(round(done.reused_tokens / done.prompt_tokens, 3))
    return {"first_token_s": first, "reused_share": reused}


async def transcripts(client: DaemonClient, folder: Path, rounds: int) -> dict[str, Any]:
    """From the release of the key to the transcript, recordings of 2 to 6 s fed in real time."""
    rows = {}
    for path in sorted(folder.glob("*.wav")):  # noqa: ASYNC240 - a benchmark may wait for its files
        pcm = read_wav(path).pcm
        if not 2 <= len(pcm) / 32000 <= 6:
            continue
        took = []
        for _ in range(rounds):
            stream = client.next_id()
            await client.request(Listen(id=stream, speak=False), Listening)
            began = time.perf_counter()
            for number, start in enumerate(range(0, len(pcm), BLOCK)):
                await client.send_audio(AudioFrame(FrameKind.MICROPHONE, stream, number, pcm[start : start + BLOCK]))
                await asyncio.sleep(max(0, began + (number + 1) * 0.02 - time.perf_counter()))
            released = time.perf_counter()
            await client.send(EndListen(id=client.next_id(), listen=stream))
            async for event in client.events():
                if isinstance(event, Heard):
                    took.append(time.perf_counter() - released)
                if isinstance(event, Done):
                    break
        rows[path.name] = {"audio_s": round(len(pcm) / 32000, 2), "transcript_s": round(statistics.median(took), 3)}
    return rows


def start_seconds(home: Path, rounds: int) -> list[float]:
    """From the start of the process to the page's answer."""
    took = []
    for _ in range(rounds):
        process = DaemonProcess(home, config={"server": {"port": 18756, "open_browser": False}})
        began = time.perf_counter()
        command = [sys.executable, "-m", "aimark_daemon", "run", "--no-browser", "--port", "18756"]
        process.process = psutil.Popen(command, env=process.environment, stdout=-3, stderr=-3)
        while True:
            try:
                with urllib.request.urlopen("http://127.0.0.1:18756/", timeout=1):
                    break
            except OSError:
                time.sleep(0.01)
        took.append(round(time.perf_counter() - began, 3))
        process.kill(15)
    return took


def cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=20)
    options = parser.parse_args()
    out: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        out["page_answers_s"] = await asyncio.to_thread(start_seconds, Path(folder) / "start", 5)
        process = DaemonProcess(Path(folder) / "run", config={"llm": SAMPLING})
        began = time.perf_counter()
        await process.start()
        try:
            async with process.connect() as client:
                status = await ready(client)
                out["engines_ready_s"] = round(time.perf_counter() - began, 2)
                threads = status.engines["llm"].facts["threads"]
                out["threads"] = threads
                daemon = psutil.Process(process.process.pid)
                everyone = [daemon, *daemon.children(recursive=True)]
                before, since = [cpu_seconds([daemon]), cpu_seconds(everyone)], time.perf_counter()
                await asyncio.sleep(options.idle)
                elapsed = time.perf_counter() - since
                out["idle_daemon_percent"] = round(100 * (cpu_seconds([daemon]) - before[0]) / elapsed, 2)
                out["idle_all_percent"] = round(100 * (cpu_seconds(everyone) - before[1]) / elapsed, 2)
                out["speed"] = await speed(client, threads, options.rounds)
                if options.recordings:
                    out["transcripts"] = await transcripts(client, options.recordings, 3)
                out["two_sessions"] = await sessions_in_turn(client, 10)
                out["daemon_rss_mb"] = round(daemon.memory_info().rss / 1e6, 1)
                out["workers_rss_mb"] = {p.name(): round(p.memory_info().rss / 1e6) for p in everyone[1:]}
        finally:
            process.kill(15)
    print(json.dumps(out, ensure_ascii=False))


if __name__ == "__main__":
    asyncio.run(main())
