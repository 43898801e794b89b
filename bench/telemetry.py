"""What telemetry costs the daemon: percent of one core at 1 Hz with 0, 1 and 8 subscribers, and of each sample's parts.

    python bench/telemetry.py [--seconds N] [--driver real|scripted] [--subscribers 0,1,8]

A daemon with fake engines runs in a home of its own; its processor time is read from /proc while clients look. `0` is
the slow sampling for the history. `idle` has 8 clients that subscribe to nothing, so that heartbeats and pings can be
told from telemetry. Prints one JSON object. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pynvml

sys.path.insert(0, str(Path(__file__).parents[1]))

from aimark_daemon.client import DaemonClient
from aimark_daemon.gpu.machine import Machine
from aimark_daemon.gpu.nvml import Nvml
from aimark_daemon.gpu.telemetry import Sampler, Work
from aimark_daemon.protocol.messages import Ok, Subscribe, Telemetry, encode
from tests.e2e.harness import DaemonProcess, ready
from tests.gpu import driver as scripted

TOPICS = ("telemetry",)


def cpu_s(pid: int) -> float:
    """Processor seconds of all threads of a process, to the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


@contextlib.asynccontextmanager
async def clients(process: DaemonProcess, count: int, topics: tuple[str, ...]) -> AsyncIterator[list[bool]]:
    """Connected clients that read what they are sent; for each message, whether it was a sample."""

    async def read(client: DaemonClient) -> None:
        async for event in client.events():
            seen.append(isinstance(event, Telemetry))  # noqa: PERF401 - it never ends; others look meanwhile

    seen: list[bool] = []
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count):
            client = await stack.enter_async_context(process.connect())
            await client.request(Subscribe(id=0, topics=topics), Ok)
            stack.callback(asyncio.create_task(read(client)).cancel)
        yield seen


async def measure(process: DaemonProcess, count: int, topics: tuple[str, ...], seconds: float) -> dict[str, float]:
    """One setting, after the noise of its beginning."""
    async with clients(process, count, topics) as seen:
        await asyncio.sleep(2)
        seen.clear()
        pid = process.process.pid
        cpu, wall = cpu_s(pid), time.monotonic()
        await asyncio.sleep(seconds)
        cpu, wall = cpu_s(pid) - cpu, time.monotonic() - wall
        return {"percent_of_a_core": round(100 * cpu / wall, 4), "samples_received": sum(seen), "seconds": round(wall)}


def parts(rounds: int = 200) -> dict[str, float]:
    """Processor microseconds (medians) of what a sample is made of."""

    def cost(work: Callable[[], object]) -> float:
        times = []
        for _ in range(rounds):
            began = time.process_time_ns()
            work()
            times.append((time.process_time_ns() - began) / 1e3)
        return round(statistics.median(times), 1)

    nvml, machine, pid = Nvml(), Machine(), os.getpid()
    sampler = Sampler(
        interval=lambda: 0.0, wanted=lambda _: True, publish=lambda *_: None, work=lambda: Work({"llm": pid})
    )
    with asyncio.Runner() as runner:
        sample = runner.run(sampler.fresh())
        whole = cost(lambda: runner.run(sampler.fresh()))
    found = {
        "nvml_us": cost(nvml.sample),
        "machine_and_three_workers_us": cost(
            lambda: machine.read(time.monotonic(), {"llm": pid, "stt": pid, "tts": pid})
        ),
        "encode_us": cost(lambda: encode(sample)),
        "whole_sample_us": whole,
        "sample_bytes": len(encode(sample)),
        "cards": len(sample.gpu),
    }
    nvml.close()
    return found


async def whole(options: argparse.Namespace, environment: dict[str, str], home: Path) -> dict[str, object]:
    process = DaemonProcess(home, fake=True)
    process.environment |= environment
    await process.start()
    try:
        async with process.connect() as client:
            await ready(client)
        result: dict[str, object] = {"idle": await measure(process, 8, (), options.seconds)}
        for count in map(int, options.subscribers.split(",")):
            result[str(count)] = await measure(process, count, TOPICS, options.seconds)
        rss = psutil.Process(process.process.pid).memory_info().rss
        return result | {"daemon_rss_mb": round(rss / 1e6, 1)}
    finally:
        process.kill(15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--driver", choices=("real", "scripted"), default="scripted")
    parser.add_argument("--subscribers", default="0,1,8")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment: dict[str, str] = {}
        if options.driver == "scripted":
            cards = scripted.Driver(Path(folder))
            cards.card(compute=" ".join(f"{pid}:1048576:-" for pid in (os.getpid(), os.getppid(), 1)))
            environment = scripted.environment(cards)
            os.environ.update(environment)
            file = str(scripted.library() / "libnvidia-ml.so.1")
            pynvml.CDLL = lambda _name: ctypes.CDLL(file)
        subscribers = asyncio.run(whole(options, environment, Path(folder) / "home"))
        print(
            json.dumps(
                {
                    "machine": platform.platform(),
                    "cores": os.cpu_count(),
                    "driver": options.driver,
                    "subscribers": subscribers,
                    "parts": parts(),
                }
            )
        )


if __name__ == "__main__":
    main()
