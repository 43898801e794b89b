"""Recovery: seconds from the kill of the language model's process in the middle of an answer to the next words.

    uv run python bench/recovery.py [--rounds N] [--at N] [--temperature T] [--threads N]

The whole daemon with the starter model, over the socket; the child is killed once `--at` pieces are there. At
temperature 0 the tokens so far are evaluated one by one, so that the answer stays the undisturbed one: that takes
longer. Prints one JSON object.
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
from aimark_daemon.protocol.messages import Delta, Done, Interrupted, Resumed, Submit, TurnStarted
from tests.e2e.harness import ENDINGS, DaemonProcess, ready, status

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
                elif "resumed_s" in times:
                    times.setdefault("next_token_s", round(now - killed, 3))
            case Interrupted():
                times["interrupted_s"] = round(now - killed, 3)
            case Resumed():
                times["resumed_s"] = round(now - killed, 3)
        if isinstance(event, ENDINGS):
            facts = (await status(client)).engines["llm"].facts
            return {**times, "complete": isinstance(event, Done), "load_s": facts["load_s"] + facts["warmup_s"]}
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
                rows = [await recovery(client, number, options.at) for number in range(options.rounds)]
        finally:
            process.kill(signal.SIGTERM)
    out = {
        "rounds": options.rounds,
        "temperature": options.temperature,
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "next_token_s": statistics.median(row["next_token_s"] for row in rows),
        "interrupted_s": statistics.median(row["interrupted_s"] for row in rows),
        "load_s": round(statistics.median(row["load_s"] for row in rows), 3),
        "token_s": round(statistics.median(row["token_s"] for row in rows), 4),
        "complete": sum(row["complete"] for row in rows),
        "each": [row["next_token_s"] for row in rows],
    }
    print(json.dumps(out))


if __name__ == "__main__":
    asyncio.run(main())
