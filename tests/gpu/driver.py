"""A scripted driver: the C library built once, and the text file that says what it answers."""

import atexit
import ctypes
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("scripted_nvml.c")
VARIABLE = "AIMARK_TEST_NVML"
GIB = 1024**3
CARD = {
    "name": "=NVIDIA GeForce RTX 4060",
    "uuid": "=GPU-0a1b2c3d",
    "memory": f"{8 * GIB} {3 * GIB} {5 * GIB}",
    "utilisation": "42",
    "power": "61500",
    "power_limit": "115000",
    "temperature": "57",
    "clock": "1830",
    "memory_clock": "8001",
    "events": "1",
    "compute": "",
    "graphics": "",
    "mig": "!3",
}
"""What an ordinary card answers."""
LOST, NOT_LOADED, NO_PERMISSION, MISMATCH, UNKNOWN = "!15", "!9", "!4", "!18", "!999"


def library(*flags: str) -> Path:
    """The folder with the library; skips the test where it cannot be built."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux":
        pytest.skip("the scripted driver is a Linux library")
    if compiler is None:
        pytest.skip("no C compiler: apt-get install build-essential")
    return _built(compiler, flags)


@functools.cache
def _built(compiler: str, flags: tuple[str, ...]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="aimark-nvml-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", *flags, "-o", target, SOURCE], check=True)
    return folder


class Driver:
    """What the scripted driver answers; every change is one replaced file, as a driver changes from call to call."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "nvml.txt"
        self.answers: dict[str, str] = {"count": "0", "driver": "=580.65.06"}

    def card(self, index: int = 0, **changes: str | None) -> None:
        """A card, different from the ordinary one by `changes`; None leaves an answer out."""
        self.answers["count"] = str(max(int(self.answers["count"]), index + 1))
        for name, answer in (CARD | changes).items():
            if answer is None:
                self.answers.pop(f"{index}.{name}", None)
            else:
                self.answers[f"{index}.{name}"] = answer
        self.write()

    def set(self, **answers: str | None) -> None:
        """Change answers; `__` in a name stands for a dot."""
        for name, answer in answers.items():
            key = name.replace("__", ".").lstrip("_")
            if answer is None:
                self.answers.pop(key, None)
            else:
                self.answers[key] = answer
        self.write()

    def write(self) -> None:
        made = self.path.with_suffix(".new")
        made.write_text("".join(f"{key} {answer}\n" for key, answer in self.answers.items()), encoding="utf-8")
        made.replace(self.path)


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, *flags: str) -> Driver:
    """Let the real binding load the scripted library in this process."""
    import pynvml

    file = library(*flags) / "libnvidia-ml.so.1"
    monkeypatch.setattr(pynvml, "CDLL", lambda _name: ctypes.CDLL(str(file)))
    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    # The binding caches the words of unknown codes by whichever library told them first.
    monkeypatch.setattr(pynvml.NVMLError, "_errcode_to_string", dict(pynvml.NVMLError._errcode_to_string))
    driver = Driver(folder)
    monkeypatch.setenv(VARIABLE, str(driver.path))
    driver.write()
    return driver


def environment(driver: Driver) -> dict[str, str]:
    """What lets another process load the scripted library instead of a driver's."""
    return {
        "LD_LIBRARY_PATH": os.pathsep.join([str(library()), os.environ.get("LD_LIBRARY_PATH", "")]),
        VARIABLE: str(driver.path),
    }
