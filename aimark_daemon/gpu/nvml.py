"""NVML: the driver's library, opened, read, and opened again after the driver was gone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import psutil
import pynvml

from aimark_daemon.errors import Fault, FaultKind
from aimark_daemon.gpu import faults
from aimark_daemon.gpu.card import Card, CardLostError, told, words
from aimark_daemon.gpu.rates import Retry
from aimark_daemon.protocol.messages import GpuInfo

log = logging.getLogger("aimark.gpu")

_KINDS: Final[dict[int | None, FaultKind]] = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: faults.GPU_DRIVER_MISSING,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: faults.GPU_DRIVER_NOT_LOADED,
    pynvml.NVML_ERROR_UNINITIALIZED: faults.GPU_DRIVER_NOT_LOADED,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: faults.GPU_DRIVER_MISMATCH,
    pynvml.NVML_ERROR_NO_PERMISSION: faults.GPU_NOT_ALLOWED,
    pynvml.NVML_ERROR_OPERATING_SYSTEM: faults.GPU_NOT_ALLOWED,
    pynvml.NVML_ERROR_NOT_FOUND: faults.GPU_NONE,
    pynvml.NVML_ERROR_GPU_NOT_FOUND: faults.GPU_NONE,
}


def no_workers() -> Mapping[int, str]:
    """Nobody's own processes."""
    return {}


class Nvml:
    """Reads the cards. Calls may take long when the driver is in trouble; they belong to one thread at a time.

    After an error it is opened again, at most every second at first and every minute in the end. `workers` gives the
    daemon's own processes, pid to job.
    """

    def __init__(
        self, workers: Callable[[], Mapping[int, str]] = no_workers, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._open = False
        self._cards: list[Card] = []
        self._retry = Retry()
        self._names: dict[int, str] = {}
        self._trouble: Fault | None = None

    @property
    def trouble(self) -> Fault | None:
        """Why cards, or figures of theirs, are missing from the last sample; None when none are."""
        return self._trouble

    def sample(self) -> tuple[GpuInfo, ...]:
        """Each card now; none without a driver. A lost card is left out while the others go on."""
        now = self._clock()
        try:
            return self._sample(now)
        except (pynvml.NVMLError, CardLostError) as error:
            self._close()
            self._retry.failed(now)
            kind = _KINDS.get(getattr(error, "value", None), faults.GPU_UNREADABLE)
            self._set(kind.fault(detail=str(error)))
            return ()

    def close(self) -> None:
        """Let go of the driver; the next sample opens it again."""
        self._close()

    def _sample(self, now: float) -> tuple[GpuInfo, ...]:
        lost_before = self._trouble is not None and self._trouble.code == faults.GPU_LOST.code
        if self._open and lost_before and self._retry.due(now):
            self._close()
        # Also the question that only a driver in good health answers.
        if self._open and pynvml.nvmlDeviceGetCount() != len(self._cards):
            self._close()
        if not self._open:
            if not self._retry.due(now):
                return ()
            self._begin()
            if not self._cards:
                self._close()
                self._retry.failed(now)
                self._set(faults.GPU_NONE.fault())
                return ()
        workers = self._workers()
        cards: list[GpuInfo] = []
        lost: Fault | None = None
        for card in self._cards:
            try:
                cards.append(card.read(workers, self._name))
            except CardLostError as error:
                lost = faults.GPU_LOST.fault(detail=str(error), card=f"{card.index} {card.name}".strip())
        self._tidy(cards)
        if lost is not None:
            if self._retry.due(now):
                self._retry.failed(now)
            self._set(lost)
        else:
            self._retry.worked(now)
            self._set(_divided(cards))
        return tuple(cards)

    def _begin(self) -> None:
        pynvml.nvmlInit()
        self._open = True
        names = {card.index: card.name for card in self._cards}
        count = pynvml.nvmlDeviceGetCount()
        driver = words(told(pynvml.nvmlSystemGetDriverVersion)) if count else ""
        self._cards = [Card(index, driver) for index in range(count)]
        for card in self._cards:
            # A lost card does not tell its name; the one from before says which it is.
            card.name = names.get(card.index, "")

    def _close(self) -> None:
        if self._open:
            self._open = False
            try:
                pynvml.nvmlShutdown()
            except pynvml.NVMLError as error:
                log.debug("NVML did not close: %s", error)

    def _set(self, trouble: Fault | None) -> None:
        if (trouble and trouble.code) != (self._trouble and self._trouble.code):
            if trouble is None:
                log.info("the graphics cards answer")
            else:
                log.info("graphics card: %s %s", trouble.message.en, trouble.detail)
        self._trouble = trouble

    def _name(self, pid: int) -> str:
        """The program's name; asked once while it uses a card."""
        if pid not in self._names:
            try:
                self._names[pid] = psutil.Process(pid).name()
            except (psutil.Error, OSError, ValueError):
                self._names[pid] = ""
        return self._names[pid]

    def _tidy(self, cards: list[GpuInfo]) -> None:
        here: set[Any] = {process.pid for card in cards for process in card.processes or ()}
        for pid in self._names.keys() - here:
            del self._names[pid]


def free_vram(cards: tuple[GpuInfo, ...]) -> int | None:
    """The most memory that one program can get on one card, in bytes; None without a card.

    Of a divided card a program gets one part. A card that does not tell its memory has 0.
    """
    if not cards:
        return None
    parts = [part for card in cards for part in ((card,) if card.mig is None else card.mig)]
    return max((part.vram_free or 0 for part in parts), default=0)


def _divided(cards: list[GpuInfo]) -> Fault | None:
    for card in cards:
        if card.mig is not None:
            return faults.GPU_DIVIDED.fault(card=f"{card.index} {card.name}".strip(), parts=len(card.mig))
    return None
