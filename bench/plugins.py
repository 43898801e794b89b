"""What plugins cost: the start with all bundled ones, and one call of a hook that many plugins implement.

`python bench/plugins.py [--plugins 20] [--calls 2000]` prints one JSON object. Milliseconds; medians.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from aimark_daemon.plugins.entries import Places
from aimark_daemon.plugins.host import PluginHost
from aimark_daemon.plugins.service import Plugins
from aimark_daemon.plugins.sources import bundled_folder

HOOK = """
from aimark_daemon import hookimpl

@hookimpl
async def aimark_transform_input(text, language):
    return None
"""
ROUNDS = 5


async def start_ms(places: Places) -> float:
    """How long loading takes, in milliseconds."""
    host = PluginHost(places)
    began = time.perf_counter()
    await host.load()
    took = time.perf_counter() - began
    await host.stop()
    return took * 1000


async def hook_ms(plugins: int, calls: int) -> float:
    """How long one call of a hook takes that so many plugins implement, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(plugins):
            (Path(folder) / f"p{number:03}.py").write_text(HOOK, encoding="utf-8")
        host = PluginHost(Places(folder=Path(folder)))
        await host.load()
        service = Plugins(host)
        times = []
        for _ in range(calls):
            began = time.perf_counter()
            await service.transform_input("서울은 어디야?", "ko")
            times.append(time.perf_counter() - began)
        await host.stop()
    return statistics.median(times) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plugins", type=int, default=20)
    parser.add_argument("--calls", type=int, default=2000)
    arguments = parser.parse_args()
    bundled = Places(bundled=bundled_folder())
    everything = Places(bundled=bundled_folder(), installed=True)
    figures = {
        "start_bundled_ms": statistics.median(asyncio.run(start_ms(bundled)) for _ in range(ROUNDS)),
        "start_with_entry_points_ms": statistics.median(asyncio.run(start_ms(everything)) for _ in range(ROUNDS)),
        "hook_ms": asyncio.run(hook_ms(arguments.plugins, arguments.calls)),
        "hook_alone_ms": asyncio.run(hook_ms(0, arguments.calls)),
        "plugins": arguments.plugins,
    }
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
