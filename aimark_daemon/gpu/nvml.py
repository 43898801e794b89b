"""NVML samples: memory, load, power and temperature of each NVIDIA card. What the driver does not tell is absent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import pynvml

from aimark_daemon.protocol.messages import GpuInfo

log = logging.getLogger("aimark.gpu")
T = TypeVar("T")


class Nvml:
    """Reads the cards. Without a driver, or after it is gone, there are none; each sample tries again."""

    def __init__(self) -> None:
        self._ready = False
        self._said: str = ""

    def sample(self) -> tuple[GpuInfo, ...]:
        """Each card now."""
        try:
            if not self._ready:
                pynvml.nvmlInit()
                self._ready = True
            return tuple(_read(index) for index in range(pynvml.nvmlDeviceGetCount()))
        except pynvml.NVMLError as error:
            if str(error) != self._said:
                self._said = str(error)
                log.info("no GPU telemetry: %s", error)
            self.close()
            return ()

    def close(self) -> None:
        """Let go of the driver."""
        if self._ready:
            self._ready = False
            _told(pynvml.nvmlShutdown)


def _read(index: int) -> GpuInfo:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    name = _told(pynvml.nvmlDeviceGetName, handle) or ""
    memory: Any = _told(pynvml.nvmlDeviceGetMemoryInfo, handle)
    rates: Any = _told(pynvml.nvmlDeviceGetUtilizationRates, handle)
    power: int | None = _told(pynvml.nvmlDeviceGetPowerUsage, handle)
    limit: int | None = _told(pynvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    heat: int | None = _told(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU)
    return GpuInfo(
        index=index,
        name=name if isinstance(name, str) else name.decode(errors="replace"),
        vram_total=memory.total if memory else None,
        vram_used=memory.used if memory else None,
        vram_free=memory.free if memory else None,
        utilisation=float(rates.gpu) if rates else None,
        power_w=power / 1000 if power is not None else None,
        power_limit_w=limit / 1000 if limit is not None else None,
        temperature_c=float(heat) if heat is not None else None,
    )


def _told(ask: Callable[..., T], *arguments: object) -> T | None:
    """The driver's answer, or None where it does not tell; a lost driver is told by the calls that must succeed."""
    try:
        return ask(*arguments)
    except pynvml.NVMLError:
        return None
