"""What the daemon may import stays light: engine libraries come with `load`, numpy with the first sound."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "onnxruntime", "ctranslate2", "faster_whisper", "piper", "soxr")


@pytest.mark.parametrize(
    "module",
    [
        "aimark_daemon.engines.whisper",
        "aimark_daemon.engines.piper",
        "aimark_daemon.engines.fake_voice",
        "aimark_daemon.audio.wav",
        "aimark_daemon.audio.voiced",
        "aimark_daemon.conversation.clauses",
    ],
)
def test_importing_a_voice_module_imports_no_engine_library(module):
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
