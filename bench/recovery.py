"""Recovery: seconds from the kill of the language model's process in the middle of an answer to the next words.

    uv run python bench/recovery.py [--rounds N] [--at N] [--temperature T] [--threads N]

The whole daemon with the starter model, over the socket; the child is killed once `--at` pieces are there. At
temperature 0 the tokens so far are evaluated in small steps, so that the answer stays the undisturbed one: that takes
longer. Prints one JSON object with medians, in seconds from the kill: `interrupted_s` the client hears of the death,
`spawning_s` the next process is made, `loading_s` it has said hello and loads, `ready_s` it takes the answer,
`next_token_s` its first piece is there. Of these `load_s` is reading the model, `warmup_s` the instructions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from aimark_daemon.client import DaemonClient
from aimark_daemon.protocol.messages import Delta, Done, EngineChanged, Interrupted, Ok, Submit, Subscribe, TurnStarted
from tests.e2e.harness import ENDINGS, DaemonProcess, ready, status

STAGES = {"spawning": "spawning_s", "loading": "loading_s", "ready": "ready_s", "busy": "ready_s"}
FIGURES = ("interrupted_s", *dict.fromkeys(STAGES.values()), "next_token_s", "load_s", "warmup_s", "token_s")
PROMPT = "Write a long story about a lighthouse keeper and the sea."


async def recovery(client: DaemonClient, number: int, at: int) -> dict[str, Any]:
    """Ask, kill, and time what follows."""
    pid = (await status(client)).engines["llm"].pid
    assert pid is not None
    await client.request(Submit(id=0, text=f"{PROMPT} ({number})"), TurnStarted)
    pieces, killed, first = 0, 0.0, 0.0
    times: dict[str, Any] = {}
    async for event in client.events():
        now = time.perf_counter()
        match event:
            case Delta():
                pieces += 1
                first = first or now
                if pieces == at:
                    os.kill(pid, signal.SIGKILL)
                    killed = time.perf_counter()
                    times["token_s"] = (now - first) / (at - 1)
                elif "interrupted_s" in times:
                    times.setdefault("next_token_s", now - killed)
            case Interrupted():
                times["interrupted_s"] = now - killed
            case EngineChanged(engine="llm", info=info) if killed and info.state in STAGES:
                times.setdefault(STAGES[info.state], now - killed)
        if isinstance(event, ENDINGS):
            facts = (await status(client)).engines["llm"].facts
            loading = {name: facts[name] for name in ("load_s", "warmup_s")}
            return {**times, **loading, "complete": isinstance(event, Done)}
    raise RuntimeError("the connection ended")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--at", type=int, default=20)
    parser.add_argument("--temperature", type=float, default=0.4)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    llm = {"temperature": options.temperature, "max_tokens": 2 * options.at, "threads": options.threads}
    with tempfile.TemporaryDirectory() as folder:
        process = DaemonProcess(folder, config={"llm": llm})
        await process.start()
        try:
            async with process.connect() as client:
                await ready(client)
                await client.request(Subscribe(id=0, topics=("turns", "engines")), Ok)
                rows = [await recovery(client, number, options.at) for number in range(options.rounds)]
        finally:
            process.kill(signal.SIGTERM)
    out = {
        "rounds": options.rounds,
        "temperature": options.temperature,
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        **{name: round(statistics.median(row[name] for row in rows), 3) for name in FIGURES},
        "complete": sum(row["complete"] for row in rows),
        "each": [round(row["next_token_s"], 3) for row in rows],
    }
    print(json.dumps(out))


if __name__ == "__main__":
    asyncio.run(main())
