"""The doctor's look at the machine: versions, processor, memory, cards, engine libraries, sound and screen."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from aimark_daemon import __version__
from aimark_daemon.cli.display import has_display
from aimark_daemon.cli.findings import Finding, error, of_fault, ok, warning
from aimark_daemon.errors import Exit, Text

GIB = 1024**3
_LIBRARIES = {"llm": "llama_cpp", "stt": "faster_whisper", "tts": "piper"}
_IMPORT_S = 120.0
_LITTLE_MEMORY = 2 * GIB


def machine() -> Iterator[Finding]:
    """Everything that does not depend on how the program is set up."""
    yield ok("version", f"AI MARK {__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield _processor()
    yield _memory()
    yield _gpu()
    yield from libraries(_LIBRARIES)
    yield _microphone()
    if has_display():
        yield ok("display", "A screen is there.", "화면이 있습니다.")
    else:
        yield ok(
            "display",
            "No screen: the page is not opened by itself.",
            "화면이 없어 페이지를 자동으로 열지 않습니다.",
        )


def libraries(names: dict[str, str]) -> Iterator[Finding]:
    """Import each engine library in a process of its own: a broken one may end the process that imports it."""
    for job, library in names.items():
        name = f"engine-{job}"
        try:
            child = subprocess.run(
                [sys.executable, "-P", "-c", f"import {library}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_IMPORT_S,
                check=False,
            )
            words = child.stderr.decode("utf-8", "replace").strip().splitlines()
            problem = "" if child.returncode == 0 else (words[-1] if words else f"exit code {child.returncode}")
        except (OSError, subprocess.TimeoutExpired) as failure:
            problem = str(failure)
        if problem:
            yield error(
                name,
                Text(f"{library} cannot be imported: {problem}", f"{library}을(를) 불러올 수 없습니다: {problem}"),
                Text(
                    "Install the program again: `uv sync --reinstall`.",
                    "프로그램을 다시 설치해 주세요: `uv sync --reinstall`.",
                ),
                Exit.ENGINE,
            )
        else:
            yield ok(name, f"{library} can be imported.", f"{library}을(를) 불러올 수 있습니다.")


def _processor() -> Finding:
    from aimark_daemon.engine_specs import usable_processors

    cores = usable_processors()
    facts = Path("/proc/cpuinfo")
    if platform.machine().lower() in ("x86_64", "amd64") and facts.is_file():
        flags = facts.read_text(encoding="utf-8", errors="replace")
        if " avx2" not in flags:
            return warning(
                "processor",
                Text(f"{cores} cores, without AVX2: answers will be slow.", f"코어 {cores}개, AVX2가 없어 느립니다."),
                Text("Choose the smallest models.", "가장 작은 모델을 골라 주세요."),
            )
        return ok("processor", f"{cores} cores, AVX2", f"코어 {cores}개, AVX2")
    return ok("processor", f"{cores} cores, {platform.machine()}", f"코어 {cores}개, {platform.machine()}")


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    free, total = f"{memory.available / GIB:.1f}", f"{memory.total / GIB:.1f}"
    if memory.available < _LITTLE_MEMORY:
        return warning(
            "memory",
            Text(f"{free} of {total} GiB are free.", f"{total} GiB 중 {free} GiB가 비어 있습니다."),
            Text("Close other programs, or use smaller models.", "다른 프로그램을 닫거나 더 작은 모델을 써 주세요."),
        )
    return ok("memory", f"{free} of {total} GiB are free.", f"{total} GiB 중 {free} GiB가 비어 있습니다.")


def _gpu() -> Finding:
    from aimark_daemon.gpu.faults import GPU_DRIVER_MISSING, GPU_NONE
    from aimark_daemon.gpu.nvml import Nvml

    nvml = Nvml()
    cards = nvml.sample()
    trouble = nvml.trouble
    nvml.close()
    if trouble is not None and trouble.code not in {GPU_DRIVER_MISSING.code, GPU_NONE.code}:
        return of_fault("gpu", trouble, "warning")
    if not cards:
        return ok(
            "gpu",
            "No NVIDIA card, or no driver: the processor does the work.",
            "NVIDIA 그래픽 카드나 드라이버가 없어 프로세서로 동작합니다.",
        )
    names = ", ".join(
        card.name + (f" ({card.vram_free / GIB:.1f} GiB free)" if card.vram_free is not None else "") for card in cards
    )
    return ok("gpu", f"{names}, driver {cards[0].driver}".removesuffix(", driver "))


def _microphone() -> Finding:
    """Linux lists its sound cards in a file; elsewhere the browser asks for the microphone itself."""
    devices = Path("/dev/snd")
    if sys.platform != "linux":
        return ok("microphone", "The browser asks for it.", "브라우저가 사용 권한을 묻습니다.")
    if devices.is_dir() and any(devices.glob("pcm*c")):
        return ok("microphone", "A sound card that records is there.", "녹음할 수 있는 사운드 카드가 있습니다.")
    return warning(
        "microphone",
        Text("No microphone was found on this machine.", "이 컴퓨터에서 마이크를 찾지 못했습니다."),
        Text(
            "Connect one to talk, or type; `aimark say FILE.wav` speaks a recording.",
            "말하려면 마이크를 연결해 주세요. 글로 쓰거나 `aimark say FILE.wav`로 녹음을 들려줄 수도 있습니다.",
        ),
    )
