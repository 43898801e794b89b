"""Children that the kernel ends for want of memory: told from those that somebody killed, by its count."""

import asyncio
import os
import signal
import sys

import msgspec
import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.workers import exits, life
from aimark_daemon.workers.crashes import CrashRemedy, OffCard
from aimark_daemon.workers.exits import Asked, ExitKind
from aimark_daemon.workers.life import Ending
from aimark_daemon.workers.oom import oom_kills
from tests.gpu.test_loader import MIB, Driver, answer, loaded, rungs
from tests.workers.labs import spec


def machine(folder, *, group=None, vmstat=None, events=None):
    files = {"proc/self/cgroup": group, "proc/vmstat": vmstat, "sys/fs/cgroup/사용자.slice/memory.events": events}
    for name, text in files.items():
        if text is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_count_is_that_of_the_own_control_group_else_that_of_the_machine(tmp_path):
    assert oom_kills(machine(tmp_path)) is None
    assert oom_kills(machine(tmp_path, vmstat="nr_free_pages 12\noom_kill 7\nzswpin 0\n")) == 7
    assert oom_kills(machine(tmp_path, group="9:memory:/x\n0::/\n")) == 7
    machine(tmp_path, group="0::/사용자.slice\n", events="low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert oom_kills(tmp_path) == 2


@pytest.mark.parametrize(
    ("code", "asked", "starved", "kind"),
    [
        (-9, Asked.NOTHING, True, ExitKind.OUT_OF_MEMORY),
        (-9, Asked.NOTHING, False, ExitKind.KILLED),
        (-15, Asked.NOTHING, True, ExitKind.KILLED),
        (-11, Asked.NOTHING, True, ExitKind.CRASHED),
        (-9, Asked.STOP, True, ExitKind.FINISHED),
        (-9, Asked.HUNG, True, ExitKind.HUNG),
    ],
)
def test_only_a_kill_that_nobody_here_asked_for_can_be_the_kernels(code, asked, starved, kind):
    assert exits.classify("llm", code, "", asked, starved=starved).kind is kind


@pytest.mark.skipif(sys.platform == "win32", reason="kills the POSIX way")
async def test_a_model_that_the_kernel_ended_is_loaded_leaner(tmp_path, monkeypatch):
    counts = iter(range(100))
    monkeypatch.setattr(life, "oom_kills", lambda: next(counts))
    async with loaded(tmp_path, Driver(), trouble="load", free=100_000 * MIB) as (roster, _, told):
        worker = await roster.get("llm")
        await answer(roster)
        os.kill(worker.status.pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while len(rungs(told)) < 2:
                await asyncio.sleep(0)
        await answer(roster)
        before, after = rungs(told)
        assert after != before
        assert next(info.fault.code for info in told if info.fault is not None) == "worker_out_of_memory"


@pytest.mark.skipif(sys.platform == "win32", reason="kills the POSIX way")
async def test_a_kill_while_the_kernel_ended_nobody_changes_no_plan(tmp_path, monkeypatch):
    monkeypatch.setattr(life, "oom_kills", lambda: 4)
    async with loaded(tmp_path, Driver(), trouble="kill") as (roster, _, told):
        with pytest.raises(AimarkError, match="worker_killed"):
            await answer(roster)
        assert len(rungs(told)) == 1


async def test_hearing_that_the_kernel_ended_is_not_moved_to_main_memory():
    verdict = exits.classify("stt", -9, "", starved=True)
    remedy = OffCard(CrashRemedy(lambda: 0.0))
    hearing = msgspec.structs.replace(spec(), makes_room=True)
    assert await remedy(hearing, Ending(verdict.fault, heals=True, ready_s=1.0, verdict=verdict)) is None
