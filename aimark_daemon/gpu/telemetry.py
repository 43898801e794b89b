"""Telemetry: one sampler of the machine, whatever the number of clients; it sleeps while nobody looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import psutil

from aimark_daemon.gpu.nvml import Nvml
from aimark_daemon.protocol.messages import GpuInfo, Telemetry


class Sampler:
    """Samples the machine each `interval` seconds while `wanted()`, and hands every sample to `publish`."""

    def __init__(
        self,
        *,
        interval: Callable[[], float],
        wanted: Callable[[], bool],
        publish: Callable[[Telemetry], None],
        tokens_per_s: Callable[[], float | None],
    ) -> None:
        self._nvml = Nvml()
        self._interval = interval
        self._wanted = wanted
        self._publish = publish
        self._tokens_per_s = tokens_per_s

    def gpus(self) -> tuple[GpuInfo, ...]:
        """The graphics cards now."""
        return self._nvml.sample()

    def sample(self) -> Telemetry:
        """The machine now."""
        memory = psutil.virtual_memory()
        return Telemetry(
            time=round(time.time(), 3),
            gpu=self.gpus(),
            cpu=psutil.cpu_percent(),
            memory_total=memory.total,
            memory_available=memory.available,
            tokens_per_s=self._tokens_per_s(),
        )

    async def run(self) -> None:
        """Sample until cancelled."""
        try:
            while True:
                if self._wanted():
                    self._publish(self.sample())
                await asyncio.sleep(self._interval())
        finally:
            self._nvml.close()
