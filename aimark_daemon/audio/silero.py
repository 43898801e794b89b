"""Silero voice activity detection as a stream: samples in, voice probabilities out.

Uses the model file that faster-whisper ships, through ONNX Runtime, without importing faster-whisper itself. Its
inputs: (n, 576) float32, each row 64 samples of context and 512 new ones; recurrent states `h`, `c` (1, 1, 128).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from aimark_daemon.audio.spans import WINDOW

CONTEXT = 64
MODEL = "silero_vad_v6.onnx"


class Silero:
    """The loaded model; it has no state of its own, so any number of streams may share it between threads."""

    def __init__(self) -> None:
        import onnxruntime  # noqa: PLC0415 - the daemon must not carry it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        self.session: Any = onnxruntime.InferenceSession(
            str(model_path()), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def stream(self) -> SileroStream:
        """A new stream, at its first sample."""
        return SileroStream(self.session)


class SileroStream:
    """One stream of samples. Not for several threads."""

    def __init__(self, session: Any) -> None:
        import numpy as np  # noqa: PLC0415

        self._np = np
        self._session = session
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: Any) -> list[float]:
        """Take float32 samples (-1..1, 16 kHz) and give the probabilities of the windows that became complete."""
        np = self._np
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) - len(joined) % WINDOW
        self._rest = joined[whole:]
        if not whole:
            return []
        padded = np.concatenate([self._context, joined[:whole]])
        rows = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + WINDOW)[::WINDOW]
        self._context = joined[whole - CONTEXT : whole]
        out, self._h, self._c = self._session.run(
            None, {"input": np.ascontiguousarray(rows), "h": self._h, "c": self._c}
        )
        return [float(p) for p in out.reshape(-1)]

    def finish(self) -> list[float]:
        """The last, incomplete window, filled up with silence."""
        return self.feed(self._np.zeros(WINDOW - len(self._rest), self._np.float32))


def model_path() -> Path:
    """Where faster-whisper keeps the model.

    Raises:
        FileNotFoundError: this faster-whisper ships another one.
    """
    spec = importlib.util.find_spec("faster_whisper")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "assets" / MODEL
        if path.is_file():
            return path
    raise FileNotFoundError(MODEL)
