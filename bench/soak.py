"""Many turns with kills: whether the daemon grows. Fake engines in real child processes, one killed every so often.

    uv run python bench/soak.py [--turns N] [--every N]

The daemon runs in this process beside one client, so that its tasks can be counted; RSS is of both. Slopes are fitted
over the second half. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from aimark_daemon.client import DaemonClient, connect
from aimark_daemon.config import Loaded
from aimark_daemon.config.types import Config
from aimark_daemon.daemon import Daemon, Options
from aimark_daemon.engine_specs import fake_spec
from aimark_daemon.paths import Paths
from aimark_daemon.protocol.messages import Delta, Done, Interrupted, Resumed, Submit, TurnStarted
from aimark_daemon.runtime import read_address
from aimark_daemon.server.token import read_token
from tests.e2e.harness import ENDINGS, ready, status

LONG = "낱말 " * 60
TOKEN_S = 0.001
TURNS_A_SESSION = 20


class Sums:
    """What came of the turns."""

    def __init__(self) -> None:
        self.complete = self.exact = self.kills = self.interrupted = self.resumed = 0


async def turn(client: DaemonClient, text: str, session: str | None, sums: Sums, *, kill: bool) -> str:
    """One turn, its worker killed at the first words if `kill`; the session."""
    started = await client.request(Submit(id=0, text=text, session=session), TurnStarted)
    pid = (await status(client)).engines["llm"].pid if kill else None
    said = []
    async for event in client.events():
        match event:
            case Delta():
                said.append(event.text)
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    sums.kills += 1
                    pid = None
            case Interrupted():
                sums.interrupted += 1
            case Resumed():
                sums.resumed += 1
        if isinstance(event, ENDINGS):
            sums.complete += isinstance(event, Done)
            sums.exact += event.reply == "".join(said) == f"You said: {text}"
            break
    return str(started.session)


def sample(process: psutil.Process, number: int) -> dict[str, float]:
    gc.collect()
    return {
        "turn": number,
        "rss_mb": round(process.memory_info().rss / 1e6, 2),
        "fds": process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
        "threads": process.num_threads(),
        "tasks": len(asyncio.all_tasks()),
    }


def slope(samples: list[dict[str, float]], key: str) -> float:
    """Least-squares slope of `key` by turn over the second half, for 1,000 turns."""
    half = samples[len(samples) // 2 :]
    xs, ys = [s["turn"] for s in half], [s[key] for s in half]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return 1000 * sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0


async def soak(client: DaemonClient, turns: int, every: int) -> dict[str, Any]:
    process, sums, session = psutil.Process(), Sums(), None
    samples = []
    began = time.perf_counter()
    for number in range(turns):
        if number % TURNS_A_SESSION == 0:
            session = None
        kill = number % every == every - 1
        text = f"{number} {LONG if kill else '짧은 말'}".strip()
        session = await turn(client, text, session, sums, kill=kill)
        if number % 10 == 9:
            samples.append(sample(process, number))
    return {
        "turns": turns,
        **vars(sums),
        "took_s": round(time.perf_counter() - began, 1),
        "slope_per_1000_turns": {key: round(slope(samples, key), 3) for key in ("rss_mb", "fds", "threads", "tasks")},
        "first": samples[0],
        "middle": samples[len(samples) // 2],
        "last": samples[-1],
        "most": {key: max(s[key] for s in samples) for key in ("rss_mb", "fds", "threads", "tasks")},
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--every", type=int, default=20, help="a kill every so many turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths.of({**os.environ, "AIMARK_HOME": folder})
        paths.create()
        loaded = Loaded(Config(), (), Path(folder) / "config.json")
        answers = asyncio.Event()
        daemon = Daemon(
            paths,
            loaded,
            Options(port=0, fake_engines=True),
            ready=lambda _address: answers.set(),
            progress=lambda _model, _done, _total: None,
        )
        running = asyncio.create_task(daemon.run())
        await answers.wait()
        address = read_address(paths.runtime)
        assert address is not None
        async with connect(address.port, read_token(paths.token), name="soak", language="ko") as client:
            await ready(client)
            slow = fake_spec("llm", {"delay_s": TOKEN_S})
            await daemon._roster.assign("llm", slow)  # noqa: SLF001 - an answer must last long enough to be cut off
            await ready(client)
            out = await soak(client, options.turns, options.every)
        daemon.shutdown()
        await running
    print(json.dumps(out, ensure_ascii=False))


if __name__ == "__main__":
    asyncio.run(main())
