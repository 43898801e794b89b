"""The kernel's own out-of-memory kills, counted: a process that it ends leaves no words, only SIGKILL. Linux alone."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

_COUNT: Final = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_UNIFIED: Final = re.compile(r"^0::/(.*)$", re.MULTILINE)


def oom_kills(root: Path | None = None) -> int | None:
    """How many processes the kernel has ended for want of memory; None where it does not tell.

    Those of the daemon's own control group, which its children share, if that is counted; else those of the machine.
    `root` is where /proc and /sys lie. Sources: the kernel's cgroup-v2 guide (`memory.events`), and `/proc/vmstat`.
    """
    if root is None:
        if sys.platform != "linux":
            return None
        root = Path("/")
    group = _UNIFIED.search(_read(root / "proc/self/cgroup"))
    counted = _COUNT.search(_read(root / "sys/fs/cgroup" / group[1] / "memory.events")) if group else None
    counted = counted or _COUNT.search(_read(root / "proc/vmstat"))
    return int(counted[1]) if counted else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
