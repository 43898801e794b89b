"""Entry of a worker's child process: `python -m aimark_daemon.workers.child MODULE:CLASS PARENT_PID`.

stdin and stdout are the pipe. They are moved to private descriptors before any engine library is imported, so that
whatever native code prints lands in stderr. The child ends with its parent: by PR_SET_PDEATHSIG on Linux, and
everywhere when the pipe ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def seize_pipe() -> tuple[int, int]:
    """Private descriptors of the pipe (to read, to write); fd 0 is empty and fd 1 goes to stderr from now on."""
    inbound, outbound = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists on Windows only

        msvcrt.setmode(inbound, os.O_BINARY)
        msvcrt.setmode(outbound, os.O_BINARY)
    return inbound, outbound


def settle(parent: int) -> None:
    """Make the process die with its parent, leave no core dump, and leave Ctrl-C to the daemon."""
    faulthandler.enable(all_threads=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - exists on POSIX only

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Run the child until it is told to stop or its parent is gone."""
    path, parent = arguments[0], int(arguments[1])
    inbound, outbound = seize_pipe()
    settle(parent)
    from aimark_daemon.workers.serve import serve  # noqa: PLC0415 - only now may anything be imported

    serve(path, inbound, outbound)


if __name__ == "__main__":
    main(sys.argv[1:])
