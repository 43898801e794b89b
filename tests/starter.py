"""The starter models for tests."""

from pathlib import Path

LAB = Path("/tmp/lab/models")
PATHS = {
    "smollm2-135m-instruct-q4_1": LAB / "smol.gguf",
    "qwen2.5-coder-0.5b-instruct-q4_k_m": LAB / "qwen.gguf",
    "whisper-base-int8": LAB / "whisper-base",
    "piper-en-us-joe-medium": LAB / "joe/en_US-joe-medium.onnx",
}


def installed(model: str) -> Path:
    """Where the model lies."""
    return PATHS[model]
