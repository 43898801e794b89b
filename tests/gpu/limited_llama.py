"""The real llama.cpp engine in an address space that has only so many bytes to `spare`."""

import resource
from pathlib import Path
from typing import Any

from aimark_daemon.engines.base import Facts
from aimark_daemon.engines.llama import LlamaEngine


class LimitedLlama(LlamaEngine):
    parallel = 1  # a limit of addresses counts the whole stack that each further thread reserves

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        import llama_cpp  # noqa: F401 - its libraries are not what is to be limited

        status = Path("/proc/self/status").read_text("ascii")
        taken = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize")) << 10
        limit = taken + settings["spare"]
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return super().load(settings, progress)
