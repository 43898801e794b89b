"""Prometheus text (exposition format 0.0.4) of one telemetry sample. Pure; no words of any conversation.

What is not known has no line. Units are those of Prometheus: bytes, seconds, watts, hertz, and ratios where 1 is the
whole (of the machine, of a card; for a process, of one core).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from aimark_daemon.errors import Fault
from aimark_daemon.protocol.messages import EngineInfo, GpuInfo, ProcessShare, Telemetry

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_MEGA: Final = 1_000_000


class Point(NamedTuple):
    """One value of a family, with its labels."""

    family: str
    value: float | None
    labels: Mapping[str, str] = {}


FAMILIES: Final[dict[str, tuple[str, str]]] = {
    "aimark_info": ("gauge", "Version of the daemon."),
    "aimark_uptime_seconds": ("gauge", "Seconds since the daemon started."),
    "aimark_cpu_ratio": ("gauge", "Busy share of all cores of the machine."),
    "aimark_memory_total_bytes": ("gauge", "Memory of the machine."),
    "aimark_memory_available_bytes": ("gauge", "Memory that programs can still get."),
    "aimark_turns": ("gauge", "Turns that run."),
    "aimark_turns_waiting": ("gauge", "Running turns without a word of their answer yet."),
    "aimark_tokens_per_second": ("gauge", "Speed of the last answer."),
    "aimark_process_cpu_ratio": ("gauge", "Busy share of one core; more than 1 for several threads."),
    "aimark_process_resident_memory_bytes": ("gauge", "Resident memory of the daemon and of its workers."),
    "aimark_worker_state": ("gauge", "1 for the state that the worker is in."),
    "aimark_worker_restarts_total": ("counter", "Times that the worker's process was started again."),
    "aimark_worker_gpu_memory_bytes": ("gauge", "Memory of a graphics card that a worker holds."),
    "aimark_gpu_fault": ("gauge", "1 while the driver tells less than it could; the code says why."),
    "aimark_gpu_info": ("gauge", "Name, UUID and driver of a graphics card."),
    "aimark_gpu_memory_total_bytes": ("gauge", "Memory of a graphics card."),
    "aimark_gpu_memory_used_bytes": ("gauge", "Used memory of a graphics card."),
    "aimark_gpu_memory_free_bytes": ("gauge", "Free memory of a graphics card."),
    "aimark_gpu_utilisation_ratio": ("gauge", "Share of the time that a graphics card was busy."),
    "aimark_gpu_power_watts": ("gauge", "Power that a graphics card draws."),
    "aimark_gpu_power_limit_watts": ("gauge", "Power that a graphics card may draw."),
    "aimark_gpu_temperature_celsius": ("gauge", "Temperature of a graphics card."),
    "aimark_gpu_clock_hertz": ("gauge", "Clocks of a graphics card."),
    "aimark_gpu_throttled": ("gauge", "1 for each reason that slows a graphics card down."),
    "aimark_gpu_instance_memory_total_bytes": ("gauge", "Memory of a part of a divided card."),
    "aimark_gpu_instance_memory_used_bytes": ("gauge", "Used memory of a part of a divided card."),
    "aimark_gpu_instance_memory_free_bytes": ("gauge", "Free memory of a part of a divided card."),
}
"""Every family there may be: its type and its help."""


def exposition(
    sample: Telemetry, engines: Mapping[str, EngineInfo], *, version: str, uptime_s: float, gpu_fault: Fault | None
) -> str:
    """The text that a Prometheus server reads."""
    points = [
        Point("aimark_info", 1, {"version": version}),
        Point("aimark_uptime_seconds", uptime_s),
        Point("aimark_cpu_ratio", _ratio(sample.cpu)),
        Point("aimark_memory_total_bytes", sample.memory_total),
        Point("aimark_memory_available_bytes", sample.memory_available),
        Point("aimark_turns", sample.turns),
        Point("aimark_turns_waiting", sample.waiting),
        Point("aimark_tokens_per_second", sample.tokens_per_s),
        *_process("daemon", sample.daemon),
    ]
    for job, share in sample.workers.items():
        points += _process(job, share)
    for job, info in engines.items():
        points.append(Point("aimark_worker_state", 1, {"worker": job, "state": info.state}))
        points.append(Point("aimark_worker_restarts_total", info.restarts, {"worker": job}))
    if gpu_fault is not None:
        points.append(Point("aimark_gpu_fault", 1, {"code": gpu_fault.code}))
    for card in sample.gpu:
        points += _card(card)
    return _text(points)


def _process(name: str, share: ProcessShare | None) -> Iterator[Point]:
    if share is not None:
        yield Point("aimark_process_cpu_ratio", _ratio(share.cpu), {"process": name})
        yield Point("aimark_process_resident_memory_bytes", share.rss, {"process": name})


def _card(card: GpuInfo) -> Iterator[Point]:
    gpu = {"gpu": str(card.index)}
    yield Point("aimark_gpu_info", 1, {**gpu, "name": card.name, "uuid": card.uuid, "driver": card.driver})
    yield Point("aimark_gpu_memory_total_bytes", card.vram_total, gpu)
    yield Point("aimark_gpu_memory_used_bytes", card.vram_used, gpu)
    yield Point("aimark_gpu_memory_free_bytes", card.vram_free, gpu)
    yield Point("aimark_gpu_utilisation_ratio", _ratio(card.utilisation), gpu)
    yield Point("aimark_gpu_power_watts", card.power_w, gpu)
    yield Point("aimark_gpu_power_limit_watts", card.power_limit_w, gpu)
    yield Point("aimark_gpu_temperature_celsius", card.temperature_c, gpu)
    for clock, mhz in (("graphics", card.clock_mhz), ("memory", card.memory_clock_mhz)):
        yield Point("aimark_gpu_clock_hertz", None if mhz is None else mhz * _MEGA, {**gpu, "clock": clock})
    for reason in card.throttle or ():
        yield Point("aimark_gpu_throttled", 1, {**gpu, "reason": reason.code})
    # Of other programs neither name nor pid: they are nobody's business but their user's.
    for process in card.processes or ():
        if process.worker:
            yield Point("aimark_worker_gpu_memory_bytes", process.vram, {**gpu, "worker": process.worker})
    for part in card.mig or ():
        labels = {**gpu, "instance": str(part.index)}
        yield Point("aimark_gpu_instance_memory_total_bytes", part.vram_total, labels)
        yield Point("aimark_gpu_instance_memory_used_bytes", part.vram_used, labels)
        yield Point("aimark_gpu_instance_memory_free_bytes", part.vram_free, labels)


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 4)


def _text(points: list[Point]) -> str:
    lines: list[str] = []
    for family, (kind, about) in FAMILIES.items():
        found = [point for point in points if point.family == family and point.value is not None]
        if found:
            lines += [f"# HELP {family} {about}", f"# TYPE {family} {kind}", *map(_line, found)]
    return "\n".join(lines) + "\n"


def _line(point: Point) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in point.labels.items())
    return f"{point.family}{{{labels}}} {point.value!r}" if labels else f"{point.family} {point.value!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
