"""Exit verdicts: why a child process ended, told from its exit code and its last words. Pure."""

from __future__ import annotations

import re
import signal
from enum import StrEnum
from typing import Final

import msgspec

from aimark_daemon.engines.faults import KEEPS_CRASHING
from aimark_daemon.errors import AimarkError, Fault, FaultKind, as_fault
from aimark_daemon.names import named
from aimark_daemon.workers import faults

DETAIL_LINES: Final = 12
DETAIL_CHARS: Final = 2000


class ExitKind(StrEnum):
    """Why a child ended."""

    FINISHED = "finished"
    OUT_OF_MEMORY = "out_of_memory"
    CANNOT_RUN_HERE = "cannot_run_here"
    MISSING_MODEL = "missing_model"
    CRASHED = "crashed"
    KILLED = "killed"
    HUNG = "hung"


class Asked(StrEnum):
    """What the supervisor itself had done to the child before it ended."""

    NOTHING = "nothing"
    STOP = "stop"
    """A polite stop, or the kill after it."""
    HUNG = "hung"
    """Killed by the watchdog."""


class ExitVerdict(msgspec.Struct, frozen=True):
    """Why a child ended: kind, exit code as the operating system gave it, last words, and the fault to show."""

    kind: ExitKind
    returncode: int | None
    words: str
    fault: Fault
    wanted_mib: float | None = None
    """MiB of the allocation that failed, when the last words name it."""

    @property
    def heals(self) -> bool:
        """Whether another child with the same settings may do better."""
        return self.kind not in {ExitKind.CANNOT_RUN_HERE, ExitKind.MISSING_MODEL}


_OUT_OF_MEMORY: Final = re.compile(
    r"out[ _-]?of[ _-]?(device |host )?memory"
    r"|ErrorOutOf(Device|Host)Memory"
    r"|\bcudaMalloc\w* failed"
    r"|CUBLAS_STATUS_ALLOC_FAILED"
    r"|(failed|unable|cannot|could not) to allocate"
    r"|cannot allocate memory"
    r"|(not enough|insufficient) memory"
    r"|std::bad_alloc"
    r"|\bMemoryError\b"
    r"|GGML_ASSERT\(buffer\) failed",
    re.IGNORECASE,
)
_CANNOT_RUN: Final = re.compile(
    r"\bModuleNotFoundError\b|\bImportError\b|No module named"
    r"|cannot open shared object file|DLL load failed|Library not loaded"
    r"|version [`'\"]?(GLIBC|GLIBCXX|CXXABI)_[\d.]+[`'\"]? not found"
    r"|CUDA driver version is insufficient|no kernel image is available|invalid device function"
    r"|illegal instruction",
    re.IGNORECASE,
)
_MISSING_MODEL: Final = re.compile(
    r"\bFileNotFoundError\b|failed to open GGUF file|failed to open .*: No such file"
    r"|gguf_init_from_file: failed to open|Unable to open file '?model\.bin|File doesn't exist",
    re.IGNORECASE,
)
_WANTED: Final = re.compile(r"allocating ([\d.]+) MiB on device", re.IGNORECASE)
_BUFFER_SIZE: Final = re.compile(r"(?:failed|unable) to allocate \S+ buffer of size (\d+)", re.IGNORECASE)

# Windows ends a process with the exception's code; both spellings of the sign are seen.
_ILLEGAL_INSTRUCTION: Final = 0xC000001D
_WINDOWS_NO_MEMORY: Final = frozenset({0xC0000017, 0xC000012D})
_WINDOWS_CANNOT_RUN: Final = frozenset({0xC0000135, 0xC0000139, 0xC000007B, _ILLEGAL_INSTRUCTION})
_WINDOWS_CRASH: Final = frozenset({0xC0000005, 0xC00000FD, 0xC0000374})
_SIGNALS: Final = {s.value: s.name for s in signal.Signals}
_SIGKILL: Final = 9
_SIGNALS_KILLED: Final = frozenset({1, 2, _SIGKILL, 15})
_SIGNALS_CRASH: Final = frozenset({7, 8, 10, 11})
_SIGNAL_ILLEGAL: Final = 4

_KINDS: Final[dict[ExitKind, FaultKind]] = {
    ExitKind.FINISHED: faults.CRASHED,
    ExitKind.OUT_OF_MEMORY: faults.OUT_OF_MEMORY,
    ExitKind.CANNOT_RUN_HERE: faults.CANNOT_RUN_HERE,
    ExitKind.MISSING_MODEL: faults.MODEL_MISSING,
    ExitKind.CRASHED: faults.CRASHED,
    ExitKind.KILLED: faults.KILLED,
    ExitKind.HUNG: faults.HUNG,
}


def classify(
    name: str, returncode: int | None, words: str, asked: Asked = Asked.NOTHING, *, starved: bool = False
) -> ExitVerdict:
    """The verdict on a child of the worker `name`.

    `returncode` is as `subprocess` gives it: negative for a POSIX signal, the exception code on Windows, None when
    the process could not be asked. `starved`: the kernel has ended some process for want of memory meanwhile.
    """
    kind = _kind(returncode, words, asked)
    if starved and kind is ExitKind.KILLED and returncode == -_SIGKILL:
        kind = ExitKind.OUT_OF_MEMORY
    kind_of_fault = faults.STOPPED if asked is Asked.STOP else _KINDS[kind]
    detail = "; ".join(part for part in (describe(returncode), tail(words)) if part)
    return ExitVerdict(kind, returncode, words, kind_of_fault.fault(detail, name=named(name)), wanted_mib(words))


def _kind(returncode: int | None, words: str, asked: Asked) -> ExitKind:
    if asked is Asked.HUNG:
        return ExitKind.HUNG
    if asked is Asked.STOP or returncode == 0:
        return ExitKind.FINISHED
    by_code = _kind_of_code(returncode)
    if by_code is ExitKind.KILLED and words_kind(words) is ExitKind.OUT_OF_MEMORY:
        return ExitKind.OUT_OF_MEMORY
    if by_code is not None:
        return by_code
    by_words = words_kind(words)
    if returncode is not None and returncode < 0 and by_words is not ExitKind.OUT_OF_MEMORY:
        return ExitKind.CRASHED
    return by_words or ExitKind.CRASHED


def _kind_of_code(returncode: int | None) -> ExitKind | None:
    """What the exit code says alone, or None where the last words decide (abort, an exception's exit code 1)."""
    if returncode is None:
        return None
    unsigned = returncode & 0xFFFFFFFF
    if unsigned in _WINDOWS_NO_MEMORY:
        return ExitKind.OUT_OF_MEMORY
    if unsigned in _WINDOWS_CANNOT_RUN or returncode == -_SIGNAL_ILLEGAL:
        return ExitKind.CANNOT_RUN_HERE
    if unsigned in _WINDOWS_CRASH or -returncode in _SIGNALS_CRASH:
        return ExitKind.CRASHED
    if -returncode in _SIGNALS_KILLED:
        return ExitKind.KILLED
    return None


def words_kind(words: str) -> ExitKind | None:
    """What an engine's or a library's words tell: out of memory, cannot run here, missing model, or None."""
    if _OUT_OF_MEMORY.search(words):
        return ExitKind.OUT_OF_MEMORY
    if _CANNOT_RUN.search(words):
        return ExitKind.CANNOT_RUN_HERE
    if _MISSING_MODEL.search(words):
        return ExitKind.MISSING_MODEL
    return None


def wanted_mib(words: str) -> float | None:
    """MiB of the allocation that failed, if the words name it."""
    if found := _WANTED.search(words):
        try:
            return float(found[1])
        except ValueError:
            return None
    if found := _BUFFER_SIZE.search(words):
        return int(found[1]) / (1024 * 1024)
    return None


def describe(returncode: int | None) -> str:
    """The exit code for a person: a signal's name, a Windows code in hexadecimal, or the number."""
    if returncode is None:
        return ""
    if returncode < 0 and -returncode in _SIGNALS:
        return _SIGNALS[-returncode]
    unsigned = returncode & 0xFFFFFFFF
    if unsigned >= 0xC0000000:  # noqa: PLR2004 - where NTSTATUS errors begin
        return f"exit code 0x{unsigned:08X}"
    return f"exit code {returncode}"


def tail(words: str) -> str:
    """The last lines of the words, short enough to be shown."""
    lines = [line.rstrip() for line in words.splitlines() if line.strip()]
    return "\n".join(lines[-DETAIL_LINES:])[-DETAIL_CHARS:]


def engine_fault(name: str, error: BaseException, *, loading: bool = False) -> Fault:
    """The fault of an exception that an engine raised: its own, else the one its type and words tell.

    Only while `loading` does a missing file mean a missing model, and a missing module an engine that cannot run.
    """
    if isinstance(error, AimarkError):
        return error.fault
    words = f"{type(error).__name__}: {error}"
    kind = words_kind(words)
    if kind is ExitKind.OUT_OF_MEMORY or (loading and kind is not None):
        return _KINDS[kind].fault(words, name=named(name))
    return as_fault(error)


_DEATHS: Final = frozenset(
    kind.code
    for kind in (
        faults.CRASHED,
        faults.KILLED,
        faults.HUNG,
        faults.OUT_OF_MEMORY,
        faults.PROTOCOL,
        faults.START_TIMEOUT,
        faults.SPAWN_FAILED,
        faults.STOPPED,
        faults.CALL_CANCELLED,  # of a call that its caller did not cancel: the child was asked to stop
    )
)


def is_death(fault: Fault) -> bool:
    """Whether a call failed because its child is gone or could not start, so that another child may do it."""
    return fault.code in _DEATHS


def is_final(fault: Fault | None) -> bool:
    """Whether an engine was given up because it keeps crashing: trying again is a person's decision."""
    return fault is not None and fault.code == KEEPS_CRASHING.code


def is_out_of_memory(fault: Fault) -> bool:
    """Whether a fault says that memory ran out, whoever declared it."""
    return fault.code.endswith("out_of_memory")
