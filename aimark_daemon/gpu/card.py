"""Card: what NVML tells of one graphics card. What it does not tell, or tells as "not available", is absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pynvml

from aimark_daemon.errors import Text
from aimark_daemon.protocol.messages import GpuInfo, GpuProcess, MigInstance, ThrottleReason

ENDING: Final = frozenset(
    {
        pynvml.NVML_ERROR_UNINITIALIZED,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
    }
)
"""Errors that mean that NVML as a whole has to be opened again."""
LOST: Final = frozenset(
    {pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED, pynvml.NVML_ERROR_GPU_NOT_FOUND}
)
"""Errors that mean that one card is gone, at least until NVML is opened again."""
_NO_NUMBER: Final = frozenset({2**32 - 1, 2**64 - 1})
"""What NVML puts where it has no number: NVML_VALUE_NOT_AVAILABLE, as unsigned."""
_MIG_ON: Final = 1
_MAX_PERCENT: Final = 100

_REASONS: Final = (
    (0x002, "user_clocks", "clocks set by a program", "프로그램이 클럭을 정함"),
    (0x004, "power_cap", "power limit", "전력 제한"),
    (0x008, "hardware", "the card protects itself (heat or power)", "카드의 자체 보호(온도 또는 전력)"),
    (0x010, "sync_boost", "in step with another card", "다른 카드와 속도를 맞춤"),
    (0x020, "heat", "too hot", "온도가 높음"),
    (0x040, "heat_hardware", "much too hot", "온도가 매우 높음"),
    (0x080, "power_brake", "the power supply asks for less", "전원 공급 장치의 요청"),
    (0x100, "display_clocks", "clocks held for the display", "화면 출력을 위한 클럭"),
    (0x200, "board_limit", "limit of the board", "보드의 한계"),
    (0x400, "reliability", "limit of the voltage", "전압의 한계"),
)
"""Bits of the clocks event reasons (NVML API, nvmlClocksEventReasons). Bit 0, an idle card, slows nothing down."""


class CardLostError(Exception):
    """The card no longer answers; the driver's words."""


class Card:
    """One card while NVML is open. What does not change is asked once."""

    def __init__(self, index: int, driver: str) -> None:
        self.index = index
        self._driver = driver
        self._handle: Any = None
        self.name = ""
        self._uuid = ""
        self._process_lists: tuple[Callable[..., Any], ...] = ()

    def read(self, workers: Mapping[int, str], name_of: Callable[[int], str]) -> GpuInfo:
        """The card now. `workers` are the daemon's own processes, pid to job; `name_of` names any pid.

        Raises:
            CardLostError: the card is gone.
            pynvml.NVMLError: NVML has to be opened again.
        """
        if self._handle is None:
            self._handle = _must(pynvml.nvmlDeviceGetHandleByIndex, self.index)
            self.name = words(told(pynvml.nvmlDeviceGetName, self._handle))
            self._uuid = words(told(pynvml.nvmlDeviceGetUUID, self._handle))
        handle = self._handle
        _alive(handle)
        mig = told(pynvml.nvmlDeviceGetMigMode, handle)
        rates = told(pynvml.nvmlDeviceGetUtilizationRates, handle)
        used = number(rates.gpu) if rates is not None else None
        total, taken, free = _memory(handle)
        return GpuInfo(
            index=self.index,
            name=self.name,
            uuid=self._uuid,
            driver=self._driver,
            vram_total=total,
            vram_used=taken,
            vram_free=free,
            utilisation=float(used) if used is not None and used <= _MAX_PERCENT else None,
            power_w=_thousandth(told(pynvml.nvmlDeviceGetPowerUsage, handle)),
            power_limit_w=_thousandth(told(pynvml.nvmlDeviceGetEnforcedPowerLimit, handle)),
            temperature_c=_temperature(handle),
            clock_mhz=number(told(pynvml.nvmlDeviceGetClockInfo, handle, pynvml.NVML_CLOCK_GRAPHICS)),
            memory_clock_mhz=number(told(pynvml.nvmlDeviceGetClockInfo, handle, pynvml.NVML_CLOCK_MEM)),
            throttle=_throttle(handle),
            processes=_processes(handle, workers, name_of),
            mig=tuple(_instances(handle)) if mig is not None and mig[0] == _MIG_ON else None,
        )


def told(ask: Callable[..., Any], *arguments: object) -> Any:
    """The driver's answer, or None where it has none.

    Raises:
        CardLostError: the card is gone.
        pynvml.NVMLError: NVML has to be opened again.
    """
    try:
        return _must(ask, *arguments)
    except pynvml.NVMLError as error:
        if error.value in ENDING:
            raise
        return None


def number(value: int | None) -> int | None:
    """A number of NVML, or None for its mark of no number."""
    return None if value is None or value in _NO_NUMBER else int(value)


def words(value: str | bytes | None) -> str:
    """A text of NVML; some versions of the binding give bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def reasons(bits: int) -> tuple[ThrottleReason, ...]:
    """Why the clocks are low, by the bits of NVML; unknown bits are left out."""
    return tuple(ThrottleReason(code, Text(en, ko)) for bit, code, en, ko in _REASONS if bits & bit)


def _must(ask: Callable[..., Any], *arguments: object) -> Any:
    try:
        return ask(*arguments)
    except UnicodeDecodeError:
        return None
    except pynvml.NVMLError as error:
        if error.value in LOST:
            raise CardLostError(str(error)) from error
        raise


def _alive(handle: Any) -> None:
    """Notice a card that hangs: then its calls all end with the one error that says nothing."""
    for ask in (pynvml.nvmlDeviceGetMemoryInfo, pynvml.nvmlDeviceGetUtilizationRates):
        try:
            _must(ask, handle)
        except pynvml.NVMLError as error:
            if error.value != pynvml.NVML_ERROR_UNKNOWN:
                return
            words_of_it = str(error)
        else:
            return
    raise CardLostError(words_of_it)


def _thousandth(value: int | None) -> float | None:
    known = number(value)
    return None if known is None else known / 1000


def _memory(handle: Any) -> tuple[int | None, int | None, int | None]:
    """Total, used and free bytes. Cards that share the machine's memory tell a total of 0, or nothing at all."""
    memory = told(pynvml.nvmlDeviceGetMemoryInfo, handle)
    if memory is None or not number(memory.total):
        return None, None, None
    return number(memory.total), number(memory.used), number(memory.free)


def _temperature(handle: Any) -> float | None:
    # Newer drivers have another call for it, and are to drop this one.
    for ask in (pynvml.nvmlDeviceGetTemperature, getattr(pynvml, "nvmlDeviceGetTemperatureV", None)):
        value = number(told(ask, handle, pynvml.NVML_TEMPERATURE_GPU)) if ask is not None else None
        if value is not None:
            return float(value)
    return None


def _throttle(handle: Any) -> tuple[ThrottleReason, ...] | None:
    # Drivers before 535 know it under its old name only.
    for ask in (pynvml.nvmlDeviceGetCurrentClocksThrottleReasons, pynvml.nvmlDeviceGetCurrentClocksEventReasons):
        bits = told(ask, handle)
        if bits is not None and bits != 2**64 - 1:
            return reasons(bits)
    return None


def _processes(handle: Any, workers: Mapping[int, str], name_of: Callable[[int], str]) -> tuple[GpuProcess, ...] | None:
    """Who uses the card, most memory first; None where the driver does not list them."""
    lists = [
        told(pynvml.nvmlDeviceGetComputeRunningProcesses_v3, handle),
        told(pynvml.nvmlDeviceGetGraphicsRunningProcesses_v3, handle),
    ]
    if all(processes is None for processes in lists):
        return None
    # A program that both computes and draws is in both lists with the same memory; one that works in two parts of a
    # divided card is in one list twice.
    parts: dict[tuple[int, int | None], int | None] = {}
    for process in (process for processes in lists for process in processes or ()):
        key = (int(process.pid), number(process.gpuInstanceId))
        parts[key] = _most(parts.get(key), number(process.usedGpuMemory))
    memory: dict[int, int | None] = {}
    for (pid, _), vram in parts.items():
        before = memory.get(pid)
        memory[pid] = before if vram is None else vram + (before or 0)
    ordered = sorted(memory.items(), key=lambda item: (-(item[1] or 0), item[0]))
    return tuple(GpuProcess(pid, name_of(pid), vram, workers.get(pid, "")) for pid, vram in ordered)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _instances(handle: Any) -> Iterator[MigInstance]:
    """The parts of a divided card; numbers between them may be unused."""
    for index in range(told(pynvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        try:
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
        except pynvml.NVMLError as error:
            if error.value in ENDING:
                raise
            continue
        name, uuid = told(pynvml.nvmlDeviceGetName, part), told(pynvml.nvmlDeviceGetUUID, part)
        total, used, free = _memory(part)
        yield MigInstance(index, words(name), words(uuid), total, used, free)
