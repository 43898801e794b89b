"""Machine: processor, memory and the daemon's own processes, as the operating system counts them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import psutil

from aimark_daemon.gpu.rates import Share
from aimark_daemon.protocol.messages import ProcessShare


class MachineInfo(NamedTuple):
    """The machine now: percent of all cores, bytes, and what each own process takes."""

    cpu: float | None
    memory_total: int
    memory_available: int
    workers: dict[str, ProcessShare]
    daemon: ProcessShare | None


class Machine:
    """Reads the machine. Shares of the processor are those since the reading before, so the first has none."""

    def __init__(self) -> None:
        self._cpu = Share()
        self._daemon = _Process(os.getpid())
        self._workers: dict[str, _Process] = {}

    def read(self, now: float, workers: Mapping[str, int]) -> MachineInfo:
        """The machine at `now`, in monotonic seconds. `workers` are pids by job; one that has just died is absent."""
        shares: dict[str, ProcessShare] = {}
        for job, pid in workers.items():
            process = self._workers.get(job)
            if process is None or process.pid != pid:
                process = self._workers[job] = _Process(pid)
            share = process.read(now)
            if share is not None:
                shares[job] = share
        for job in self._workers.keys() - workers.keys():
            del self._workers[job]
        memory = psutil.virtual_memory()
        return MachineInfo(self._busy(), memory.total, memory.available, shares, self._daemon.read(now))

    def _busy(self) -> float | None:
        times = psutil.cpu_times()
        # Linux counts a guest's time in `user` (and `nice`) too.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        share = self._cpu.at(total, total - times.idle - getattr(times, "iowait", 0.0))
        return None if share is None else round(share, 1)


class _Process:
    """One process; a pid that was given to another one since is not noticed, but workers are looked up by live pids."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._share = Share()
        self._process: psutil.Process | None = None

    def read(self, now: float) -> ProcessShare | None:
        """What it takes; None if it is gone or may not be looked at."""
        try:
            if self._process is None:
                self._process = psutil.Process(self.pid)
            times = self._process.cpu_times()
            rss = self._process.memory_info().rss
        except (psutil.Error, OSError):
            return None
        share = self._share.at(now, times.user + times.system)
        return ProcessShare(pid=self.pid, cpu=None if share is None else round(share, 1), rss=rss)
