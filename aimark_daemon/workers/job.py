"""Windows job object: children that end with the daemon, however the daemon ends. Elsewhere it does nothing.

Source: Win32 `JOBOBJECT_EXTENDED_LIMIT_INFORMATION`, `JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE`.
"""

from __future__ import annotations

import ctypes
import logging
import sys

log = logging.getLogger("aimark.worker")

if sys.platform == "win32":
    from ctypes import wintypes

    _EXTENDED_LIMIT = 9
    _KILL_ON_JOB_CLOSE = 0x2000
    _SET_QUOTA_AND_TERMINATE = 0x0100 | 0x0001

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.CreateJobObjectW.restype = wintypes.HANDLE
    _kernel.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
    _kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
    _kernel.OpenProcess.restype = wintypes.HANDLE
    _kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    _kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
    _kernel.CloseHandle.argtypes = (wintypes.HANDLE,)

    def _create() -> int | None:
        job: int | None = _kernel.CreateJobObjectW(None, None)
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
        size = ctypes.sizeof(limits)
        if job and _kernel.SetInformationJobObject(job, _EXTENDED_LIMIT, ctypes.byref(limits), size):
            return job
        log.warning("no job object: error %d", ctypes.get_last_error())
        return None

    # Its handle is closed by the end of this process alone, and that ends the children.
    _job = _create()

    def adopt(pid: int) -> None:
        """Bind a child's life to this process."""
        if _job is None:
            return
        process = _kernel.OpenProcess(_SET_QUOTA_AND_TERMINATE, False, pid)
        if not process or not _kernel.AssignProcessToJobObject(_job, process):
            log.warning("child %d is outside the job object: error %d", pid, ctypes.get_last_error())
        if process:
            _kernel.CloseHandle(process)

else:

    def adopt(pid: int) -> None:
        """Bind a child's life to this process: on POSIX the child sees to it itself."""
