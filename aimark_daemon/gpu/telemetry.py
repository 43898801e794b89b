"""Telemetry: one sampler of the machine, whatever the number of clients, and its history of ten minutes.

While somebody looks there is a sample each `interval`. While nobody does there is one each ten seconds for the
history, and the cards are asked only if an engine of ours works on one: asking a laptop's sleeping card wakes it up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from aimark_daemon.errors import Fault
from aimark_daemon.gpu import faults
from aimark_daemon.gpu.aside import Aside
from aimark_daemon.gpu.history import History
from aimark_daemon.gpu.machine import Machine
from aimark_daemon.gpu.nvml import Nvml
from aimark_daemon.protocol.messages import Event, GpuInfo, Notice, ProcessShare, Telemetry, TelemetryHistory, Topic

log = logging.getLogger("aimark.telemetry")

UNWATCHED_S: Final = 10.0
"""Seconds between two samples while nobody looks."""
_CARDS_LIMIT_S: Final = 2.0
"""How long a sample waits for the driver."""
_CARDS_PATIENCE_S: Final = 10.0
"""How long the driver may take before that is said: to open a card that sleeps takes a while."""
_SAY_AGAIN_S: Final = 600.0
"""The same trouble of a card that comes and goes is said once in this time."""
_QUIET: Final = frozenset({faults.GPU_DRIVER_MISSING.code, faults.GPU_NONE.code, faults.GPU_DIVIDED.code})
"""Faults that are how the machine is, not something that happened."""
_CARD_SERIES: Final = ("vram_used", "vram_free", "utilisation", "power_w", "temperature_c", "clock_mhz")


def steady() -> float:
    """Seconds that go on while the computer sleeps, where the system counts them, and are never set back."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Work(NamedTuple):
    """What the daemon does now, as it goes into a sample."""

    pids: Mapping[str, int]
    """The workers' processes by job."""
    tokens_per_s: float | None = None
    turns: int = 0
    waiting: int = 0
    model: str = ""
    plan: str = ""
    on_card: bool = False
    """Whether an engine of ours works on a graphics card."""


class Sampler:
    """Samples the machine and publishes it. Belongs to the event loop; the driver is asked in a thread.

    `interval` gives seconds, `wanted` whether somebody subscribed to a topic, `work` what the daemon does. `clock` is
    monotonic, `wall` counts from the epoch; both in seconds. A sample waits `cards_limit_s` for the driver, which is
    called slow after `cards_patience_s`.
    """

    def __init__(
        self,
        *,
        interval: Callable[[], float],
        wanted: Callable[[Topic], bool],
        publish: Callable[[Topic, Event], None],
        work: Callable[[], Work],
        clock: Callable[[], float] = steady,
        wall: Callable[[], float] = time.time,
        cards_limit_s: float = _CARDS_LIMIT_S,
        cards_patience_s: float = _CARDS_PATIENCE_S,
    ) -> None:
        self._interval = interval
        self._wanted = wanted
        self._publish = publish
        self._work = work
        self._clock = clock
        self._wall = wall
        self._cards_limit_s = cards_limit_s
        self._nvml = Nvml(lambda: {pid: job for job, pid in self._work().pids.items()}, clock)
        self._resting = False
        self._aside = Aside(self._ask, self._nvml.close, "nvml")
        self._cards_patience_s = cards_patience_s
        self._late_since: float | None = None
        self._machine = Machine()
        self._history = History()
        self._taking = asyncio.Lock()
        self._last: tuple[float, Telemetry] | None = None
        self._trouble: Fault | None = None
        self._unsaid: Fault | None = None
        self._said: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._watched = False
        self._failed = False
        self._listeners: list[Callable[[Telemetry], None]] = []

    def on_sample(self, listener: Callable[[Telemetry], None]) -> None:
        """`listener` is called in the event loop with every sample, whether or not a client looks."""
        self._listeners.append(listener)

    @property
    def trouble(self) -> Fault | None:
        """Why cards, or figures of theirs, were missing when they were last asked."""
        return self._trouble

    async def cards(self) -> tuple[GpuInfo, ...] | None:
        """The graphics cards now; None while the driver does not answer."""
        self._resting = False
        return await self._cards()

    async def gpus(self) -> tuple[GpuInfo, ...]:
        """The graphics cards now; none while the driver does not answer."""
        return await self.cards() or ()

    async def fresh(self) -> Telemetry:
        """A sample with the cards, not older than the interval."""
        async with self._taking:
            if self._last is not None and self._clock() - self._last[0] < self._interval():
                return self._last[1]
            return await self._take(cards=True)

    def history(self) -> TelemetryHistory:
        """The last ten minutes."""
        wall = self._wall()
        ages, series = self._history.series(self._clock())
        return TelemetryHistory(times=tuple(round(wall - age, 1) for age in ages), series=series)

    def wake(self) -> None:
        """Somebody began to look, or the interval changed: look again at what is wanted."""
        self._wake.set()

    async def run(self) -> None:
        """Sample until cancelled."""
        try:
            while True:
                began = self._clock()
                self._watched = self._wanted("telemetry")
                try:
                    await self._tick()
                    self._failed = False
                except Exception:
                    # Whatever one machine's /proc holds, the daemon goes on; said once.
                    log.log(logging.DEBUG if self._failed else logging.ERROR, "no sample", exc_info=True)
                    self._failed = True
                pause_s = self._interval() if self._watched else max(UNWATCHED_S, self._interval())
                await self._pause(began + pause_s - self._clock())
        finally:
            self._aside.close()

    async def _tick(self) -> None:
        async with self._taking:
            sample = await self._take(cards=self._watched or self._work().on_card)
        if self._watched:
            self._publish("telemetry", sample)
        for listener in self._listeners:
            listener(sample)
        if self._unsaid is not None and self._wanted("notices"):
            fault, self._unsaid = self._unsaid, None
            self._said[fault.code] = self._clock()
            self._publish("notices", Notice(level="info" if fault.code in _QUIET else "warning", fault=fault))

    async def _pause(self, seconds: float) -> None:
        """Wait; a client that begins to look ends the wait only where nobody looked before."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while True:
                    self._wake.clear()
                    await self._wake.wait()
                    if not self._watched or self._interval() < seconds:
                        return
        except TimeoutError:
            pass

    async def _take(self, *, cards: bool) -> Telemetry:
        gpu: tuple[GpuInfo, ...] = ()
        if cards:
            gpu = await self.gpus()
        elif self._aside.used:
            # Closed rather than left alone: an open driver keeps the card from sleeping, too.
            self._resting = True
            await self._cards()
        work, now = self._work(), self._clock()
        machine = self._machine.read(now, work.pids)
        sample = Telemetry(
            time=round(self._wall(), 3),
            gpu=gpu,
            cpu=machine.cpu,
            memory_total=machine.memory_total,
            memory_available=machine.memory_available,
            tokens_per_s=work.tokens_per_s,
            workers=machine.workers,
            daemon=machine.daemon,
            turns=work.turns,
            waiting=work.waiting,
            model=work.model,
            plan=work.plan,
        )
        self._history.add(now, dict(_row(sample)))
        if cards:
            self._last = (now, sample)
        return sample

    async def _cards(self) -> tuple[GpuInfo, ...] | None:
        """Ask in the thread. A driver that did not answer last time is not waited for again."""
        began = self._clock()
        cards: tuple[GpuInfo, ...] | None
        try:
            known_late = self._late_since is not None and self._aside.behind
            cards, trouble = await self._aside(0.0 if known_late else self._cards_limit_s)
            self._late_since = None
        except TimeoutError:
            self._late_since = began if self._late_since is None else self._late_since
            late = self._clock() - self._late_since >= self._cards_patience_s
            cards, trouble = None, faults.GPU_SLOW.fault() if late else self._trouble
        if (trouble and trouble.code) != (self._trouble and self._trouble.code):
            recent = trouble is not None and self._clock() - self._said.get(trouble.code, float("-inf")) < _SAY_AGAIN_S
            self._unsaid = None if recent else trouble
        self._trouble = trouble
        return cards

    def _ask(self) -> tuple[tuple[GpuInfo, ...], Fault | None]:
        """In the thread: the cards and what is wrong with them."""
        if self._resting:
            self._nvml.close()
            return (), self._nvml.trouble
        return self._nvml.sample(), self._nvml.trouble


def _row(sample: Telemetry) -> Iterator[tuple[str, float]]:
    """The figures of a sample that are known, by the name of their series."""
    figures: dict[str, float | None] = {
        "cpu": sample.cpu,
        "memory_available": sample.memory_available,
        "tokens_per_s": sample.tokens_per_s,
        "waiting": sample.waiting,
    }
    for card in sample.gpu:
        figures.update({f"gpu.{card.index}.{name}": getattr(card, name) for name in _CARD_SERIES})
    processes: dict[str, ProcessShare | None] = {f"worker.{job}": share for job, share in sample.workers.items()}
    for name, share in {**processes, "daemon": sample.daemon}.items():
        if share is not None:
            figures.update({f"{name}.cpu": share.cpu, f"{name}.rss": share.rss})
    for name, value in figures.items():
        if value is not None:
            yield name, float(value)
