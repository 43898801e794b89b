"""Stages over real child processes, and what ends these."""

import contextlib
import os
import signal

from aimark_daemon.workers.patience import Backoff
from aimark_daemon.workers.supervisor import Supervisor
from tests.assistant.stage import stage


@contextlib.asynccontextmanager
async def live_stage(folder, **arguments):
    """A stage whose workers are processes, all of them loaded."""
    make = lambda spec, _engine: Supervisor(spec, Backoff((0.0,)))  # noqa: E731
    async with stage(folder, worker=make, **arguments) as it:
        for job in ("llm", "stt", "tts"):
            await it.roster.here(job).ready()
        yield it


def end(it, job, number=signal.SIGKILL):
    """End, or stop, the child that does `job` now; its process id, None if there is none just now."""
    pid = it.roster.here(job).status.pid
    if pid is not None:
        os.kill(pid, number)
    return pid
