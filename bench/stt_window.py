"""Speech to text: the short window against the stock `WhisperModel.transcribe`, turn about in one run.

Prints one JSON line a recording and a last one with the medians: seconds from the end of the sound to the text, and
the word error rate (English; Korean recordings tell how many of the expected words were heard).

usage: python bench/stt_window.py WHISPER_DIR AUDIO_DIR [--threads N] [--rounds N]
AUDIO_DIR holds WAV files and a manifest.json: [{"file", "language", "text" or "contains": [...]}, ...]
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from aimark_daemon.audio.wav import read_wav
from aimark_daemon.engines.base import HearRequest
from aimark_daemon.engines.whisper import WhisperEngine
from tests.engines.voice_calls import StubCall, in_frames, word_error_rate


class LiveCall(StubCall):
    """Input that comes in real time."""

    @property
    def input(self) -> Iterator[bytes]:
        """Each frame when its 20 ms have passed."""
        began = time.monotonic()
        for count, frame in enumerate(super().input, 1):
            time.sleep(max(0.0, began + count * 0.02 - time.monotonic()))
            yield frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("whisper", type=Path)
    parser.add_argument("audio", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()

    engine = WhisperEngine()
    engine.load({"path": str(options.whisper), "threads": options.threads, "device": "cpu"}, lambda: None)
    from faster_whisper import WhisperModel

    stock = WhisperModel(str(options.whisper), device="cpu", compute_type="int8", cpu_threads=options.threads)

    def by_stock(pcm: bytes, **beam: int) -> tuple[str, str, float]:
        began = time.monotonic()
        segments, info = stock.transcribe(np.frombuffer(pcm, "<i2").astype(np.float32) / 32768, **beam)
        text = " ".join(segment.text.strip() for segment in segments)
        return text, info.language, time.monotonic() - began

    def by_window(pcm: bytes, call_type: type[StubCall] = StubCall) -> tuple[str, str, float]:
        heard = engine.hear(HearRequest(), call_type(in_frames(pcm)))
        return heard.text, heard.language, heard.took_s

    ways = {
        "stock": by_stock,
        "window": by_window,
        "stock_greedy": lambda pcm: by_stock(pcm, beam_size=1),
        "window_live": lambda pcm: by_window(pcm, LiveCall),
    }
    entries = json.loads((options.audio / "manifest.json").read_text("utf-8"))
    by_stock(read_wav(options.audio / entries[0]["file"]).pcm)
    all_times: dict[str, list[float]] = {way: [] for way in ways}
    errors: dict[str, list[tuple[float, int]]] = {way: [] for way in ways}
    found: dict[str, int] = dict.fromkeys(ways, 0)
    expected = 0
    for entry in entries:
        wav = read_wav(options.audio / entry["file"])
        times: dict[str, list[float]] = {way: [] for way in ways}
        row: dict[str, object] = {"file": entry["file"], "audio_s": round(wav.seconds, 2)}
        expected += len(entry.get("contains", ()))
        for round_number in range(options.rounds):
            for way, transcribe in ways.items():
                if way == "window_live" and round_number:
                    continue
                text, language, took_s = transcribe(wav.pcm)
                times[way].append(took_s)
                if round_number == 0:
                    row[way] = {"text": text, "language": language}
                    if "text" in entry:
                        errors[way].append((word_error_rate(entry["text"], text), len(entry["text"].split())))
                    found[way] += sum(word in text for word in entry.get("contains", ()))
        for way in ways:
            row[way] |= {"median_s": round(statistics.median(times[way]), 3)}  # type: ignore[operator]
            all_times[way] += times[way]
        print(json.dumps(row, ensure_ascii=False), flush=True)
    summary = {
        way: {
            "median_s": round(statistics.median(all_times[way]), 3),
            "max_s": round(max(all_times[way]), 3),
            "word_error_rate_en": round(sum(w * n for w, n in errors[way]) / max(1, sum(n for _, n in errors[way])), 4),
            "expected_words_ko": f"{found[way]}/{expected}",
        }
        for way in ways
    }
    speedup = statistics.median(all_times["stock"]) / statistics.median(all_times["window"])
    print(json.dumps({"threads": options.threads, "ways": summary, "stock_over_window": round(speedup, 2)}))


if __name__ == "__main__":
    main()
