"""One wheel, downloaded by pip in a child process through the index that the user configured."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Final

from aimark_daemon.models.index_settings import pip_has_index, uv_settings, uv_toml_files
from aimark_daemon.models.mirrors import MirrorError

_PROGRESS: Final = re.compile(r"^Progress (\d+) of (\d+)\s*$")
_POLL_S: Final = 0.2
_STOP_S: Final = 3.0
_WORDS: Final = 12


def wheel_in(folder: Path, package: str, version: str) -> Path | None:
    """The wheel of that package and version in `folder`, if it is there."""
    stem = re.sub(r"[-_.]+", "_", package).lower()
    found = (p for p in folder.glob("*.whl") if p.name.lower().startswith(f"{stem}-{version}-"))
    return next(found, None)


def download_wheel(
    package: str,
    version: str,
    folder: Path,
    on_progress: Callable[[int, int], None],
    check: Callable[[], None],
) -> Path:
    """Download one wheel into `folder`; `on_progress(done, total)` in bytes of the wheel, when pip tells them.

    `check` is called several times a second and may raise to stop the child.

    Raises:
        MirrorError: pip could not get it; its own words.
        OSError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / "pip"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    environment = {**os.environ, **_index_variables(), **_quiet(scratch)}
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--progress-bar", "raw"]
    command = [sys.executable, "-P", "-m", "pip", "download", *options, "--resume-retries", "5"]
    try:
        child = subprocess.Popen(
            [*command, "--dest", str(scratch), f"{package}=={version}"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        words = _follow(child, on_progress, check)
        if child.returncode != 0:
            raise _failure(words, child.returncode)
        wheel = wheel_in(scratch, package, version)
        if wheel is None:
            raise MirrorError(f"pip brought no wheel of {package} {version}")
        return Path(shutil.move(wheel, folder / wheel.name))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _follow(
    child: subprocess.Popen[str], on_progress: Callable[[int, int], None], check: Callable[[], None]
) -> list[str]:
    """Read the child's lines until it ends; returns its last words. Kills it if `check` or `on_progress` raises."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    assert child.stdout is not None
    reader = threading.Thread(target=_pump, args=(child.stdout, lines), name="pip-output", daemon=True)
    reader.start()
    words: list[str] = []
    try:
        while True:
            check()
            try:
                line = lines.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if line is None:
                break
            if match := _PROGRESS.match(line):
                on_progress(int(match[1]), int(match[2]))
            elif line.strip():
                words = [*words[-_WORDS:], line.strip()]
        child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_S)
            if child.poll() is None:
                child.kill()
                child.wait()
        reader.join()
        child.stdout.close()
    return words


def _pump(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _failure(words: list[str], code: int) -> Exception:
    text = "\n".join(words)
    if "[Errno 28]" in text or "[Errno 122]" in text or "No space left on device" in text:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "No module named pip" in text:
        return MirrorError("pip is not installed in this environment")
    errors = [word.removeprefix("ERROR: ") for word in words if word.startswith("ERROR:")]
    return MirrorError("; ".join(errors[-2:] or words[-1:] or [f"pip ended with code {code}"]))


def _quiet(scratch: Path) -> dict[str, str]:
    """Variables that keep pip from asking, from updating itself, and from using another disk for its scratch files."""
    place = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    return {**place, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}


@cache
def _index_variables() -> dict[str, str]:
    """Variables that hand uv's index to pip, unless pip has its own."""
    texts = []
    for path in uv_toml_files():
        with contextlib.suppress(OSError, UnicodeDecodeError):
            texts.append(path.read_text(encoding="utf-8"))
    wanted = uv_settings(os.environ, texts).as_pip()
    wanted = {name: value for name, value in wanted.items() if name not in os.environ}
    if "PIP_INDEX_URL" in wanted and pip_has_index(_pip_config()):
        del wanted["PIP_INDEX_URL"]
    return wanted


def _pip_config() -> str:
    command = [sys.executable, "-P", "-m", "pip", "config", "list"]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout
