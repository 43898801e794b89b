"""Hands-free: seconds from the last voiced sample of each recording to the first audible one of the answer.

    uv run python bench/hands_free.py [--threads N] [--rounds N] RECORDING.wav...

The whole daemon with the starter models, over the socket. Each recording comes in real time, half a second of silence
before it and three after it, all in one conversation. Last voiced: as Silero hears it (0.5, no padding). First audible:
amplitude above 200 of 32,768. A false cut is an answer to less than the whole recording: one that becomes audible
before its last voiced sample, or a second turn. Prints one JSON line a recording, and a last one with P50, P95 and
how many answers were prepared before the end of the turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from aimark_daemon.audio.voiced import last_voiced_s
from aimark_daemon.audio.wav import read_wav
from aimark_daemon.cli.hands_free import listen_to
from aimark_daemon.cli.shell import Shell
from aimark_daemon.client import DaemonClient
from aimark_daemon.protocol.audio import MIC_RATE
from tests.e2e.harness import DaemonProcess, ready

LEAD_S = 0.5


async def exchange(shell: Shell, client: DaemonClient, file: str, session: str | None) -> tuple[dict[str, Any], str]:
    """Play one recording; its row, and the session."""
    pcm = read_wav(file).pcm
    listened, microphone = await listen_to(shell, client, bytes(2 * int(LEAD_S * MIC_RATE)) + pcm, session)
    voiced_end = microphone.sent_at(LEAD_S + last_voiced_s(pcm))
    audible = [record.audible_at for record in listened.records if record.audible_at is not None]
    last = listened.record
    row = {
        "file": Path(file).name,
        "v2v_s": round(audible[-1] - voiced_end, 3) if audible else None,
        "false_cut": len(listened.records) > 1 or any(at < voiced_end for at in audible),
        "transcripts": [record.heard.text for record in listened.records if record.heard is not None],
        "reply": last.reply[:160],
        "tokens": [last.done.prompt_tokens, last.done.reused_tokens] if last.done is not None else None,
        "timings": msgspec.to_builtins(last.done.timings) if last.done is not None else None,
        "fault": last.fault.code if last.fault is not None else None,
    }
    # The next one speaks when this answer has been played.
    await listened.played_out()
    return row, last.session or session or ""


def count_in_logs(folder: str, words: str) -> int:
    """How often the daemon's logs say something."""
    return sum(log.read_text("utf-8").count(words) for log in Path(folder).rglob("*.log"))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    threads = {"threads": options.threads}
    config = {"llm": {**threads, "temperature": 0.0, "max_tokens": 80}, "stt": threads, "tts": {"threads": 1}}
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        process = DaemonProcess(folder, config=config)
        await process.start()
        try:
            async with process.connect() as client:
                await ready(client)
                shell, session = Shell(json=True), None
                for file in options.recordings * options.rounds:
                    row, session = await exchange(shell, client, file, session)
                    rows.append(row)
                    print(json.dumps(row, ensure_ascii=False), flush=True)
        finally:
            process.kill(signal.SIGTERM)
        prepared = count_in_logs(folder, "was prepared")
    answered = sorted(row["v2v_s"] for row in rows if row["v2v_s"] is not None)
    out = {
        "n": len(rows),
        "answered": len(answered),
        "p50_s": round(statistics.median(answered), 3) if answered else None,
        "p95_s": answered[int(0.95 * (len(answered) - 1))] if answered else None,
        "prepared": prepared,
        "false_cuts": sum(row["false_cut"] for row in rows),
    }
    print(json.dumps(out))


if __name__ == "__main__":
    asyncio.run(main())
