"""The model store in trouble: mirrors that fail, full disks, crashes, several processes at once."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from filelock import FileLock

from aimark_daemon.errors import AimarkError
from aimark_daemon.models.faults import (
    DISK_FULL,
    MIRROR_FAILED,
    MODEL_DIGEST,
    PULL_CANCELLED,
    STORE_UNWRITABLE,
)
from aimark_daemon.models.store import ModelStore
from tests.models.fakes import CONFIG, CONTENT, WEIGHTS, FakeMirror, entry, hub, store

ROOT = Path(__file__).resolve().parents[2]


def fault_of(error: pytest.ExceptionInfo[AimarkError]) -> str:
    return error.value.fault.code


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_next_mirror_is_tried_when_one_fails_and_that_alarms_nobody(tmp_path, caplog):
    caplog.set_level("INFO")
    dead, alive = FakeMirror(name="dead", cut=0), FakeMirror(name="alive")
    models = store(tmp_path, entry(hub("dead"), hub("alive")), mirrors={"dead": dead, "alive": alive})
    assert models.pull("tiny").read_bytes() == WEIGHTS
    assert (dead.sent, alive.sent) == (0, len(WEIGHTS) + len(CONFIG))
    (told,) = [record for record in caplog.records if record.name == "aimark_daemon.models.store"]
    assert told.levelname == "INFO"
    assert told.getMessage() == "tiny is not available from dead (the line went dead); the next source is tried"


def test_when_every_mirror_fails_each_reason_is_told_in_both_languages(tmp_path):
    mirrors = {name: FakeMirror(name=name, cut=0) for name in ("first", "second")}
    models = store(tmp_path, entry(hub("first"), hub("second")), mirrors=mirrors)
    with pytest.raises(AimarkError) as caught:
        models.pull("tiny")
    assert MIRROR_FAILED.caught_in(caught.value)
    fault = caught.value.fault
    for text in (fault.message.en, fault.message.ko):
        assert "first (the line went dead)" in text
        assert "second (the line went dead)" in text
    assert fault.detail.splitlines() == ["first: the line went dead", "second: the line went dead"]


def test_a_mirror_that_dies_midway_resumes_where_it_stopped(tmp_path):
    with pytest.raises(AimarkError) as caught:
        store(tmp_path, mirrors=FakeMirror(cut=300_000)).pull("tiny")
    assert fault_of(caught) == MIRROR_FAILED.code
    assert not (tmp_path / "models" / "tiny").exists()
    again = FakeMirror()
    assert store(tmp_path, mirrors=again).pull("tiny").read_bytes() == WEIGHTS
    assert 0 < again.sent <= len(WEIGHTS) + len(CONFIG) - 300_000
    assert files_below(tmp_path / "partial") == set()


def test_a_wrong_digest_is_refused_said_and_deleted(tmp_path):
    evil = FakeMirror({**CONTENT, "tiny.gguf": bytes(len(WEIGHTS))})
    models = store(tmp_path, mirrors=evil)
    with pytest.raises(AimarkError) as caught:
        models.pull("tiny")
    assert MODEL_DIGEST.caught_in(caught.value)
    assert "tiny.gguf" in caught.value.fault.message.ko
    assert models.list()[0].installed is False
    assert files_below(tmp_path) <= {"locks/tiny.lock"}


def test_a_wrong_digest_from_one_mirror_does_not_spoil_the_next(tmp_path):
    evil, good = FakeMirror({**CONTENT, "tiny.gguf": bytes(len(WEIGHTS))}, name="evil"), FakeMirror(name="good")
    models = store(tmp_path, entry(hub("evil"), hub("good")), mirrors={"evil": evil, "good": good})
    assert models.pull("tiny").read_bytes() == WEIGHTS


def test_cancelling_keeps_what_came_and_the_next_pull_goes_on(tmp_path):
    mirror = FakeMirror()
    models = store(tmp_path, mirrors=mirror)
    with pytest.raises(AimarkError) as caught:
        models.pull("tiny", cancelled=lambda: mirror.sent >= 200_000)
    assert fault_of(caught) == PULL_CANCELLED.code
    assert models.list()[0].installed is False
    again = FakeMirror()
    assert store(tmp_path, mirrors=again).pull("tiny").read_bytes() == WEIGHTS
    assert again.sent <= len(WEIGHTS) + len(CONFIG) - 200_000


def test_a_disk_that_is_too_small_is_refused_before_the_first_byte(tmp_path):
    mirror = FakeMirror()
    models = ModelStore(tmp_path, {"tiny": entry()}, lambda _: mirror, free=lambda _: 1_000_000)
    with pytest.raises(AimarkError) as caught:
        models.pull("tiny")
    assert fault_of(caught) == DISK_FULL.code
    assert mirror.sent == 0
    assert "65 MB" in caught.value.fault.hint.en


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("after", [500_000, len(WEIGHTS)], ids=["in the first file", "in the second file"])
def test_a_disk_that_fills_up_midway_leaves_nothing_half_made(tmp_path, code, after):
    mirror = FakeMirror()

    def fill():
        if mirror.sent > after:
            raise OSError(code, os.strerror(code))

    mirror.on_chunk = fill
    models = store(tmp_path, mirrors=mirror)
    with pytest.raises(AimarkError) as caught:
        models.pull("tiny")
    assert fault_of(caught) == DISK_FULL.code
    assert files_below(tmp_path) <= {"locks/tiny.lock"}


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX's")
def test_a_real_write_error_of_the_system_is_told_as_a_full_disk(tmp_path):
    code = f"""
        import resource, signal
        from pathlib import Path
        from tests.models.fakes import store
        from aimark_daemon.errors import AimarkError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        try:
            store(Path({str(tmp_path)!r})).pull("tiny")
        except AimarkError as error:
            print(error.fault.code)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == DISK_FULL.code
    assert files_below(tmp_path) <= {"locks/tiny.lock"}


def test_a_store_that_cannot_be_written_is_told(tmp_path):
    mirror = FakeMirror()

    def forbid():
        raise PermissionError(errno.EACCES, "denied")

    mirror.on_chunk = forbid
    with pytest.raises(AimarkError) as caught:
        store(tmp_path, mirrors=mirror).pull("tiny")
    assert fault_of(caught) == STORE_UNWRITABLE.code


def test_two_processes_pulling_at_once_download_once_and_both_succeed(tmp_path):
    code = f"""
        from pathlib import Path
        from tests.models.fakes import FakeMirror, store
        mirror = FakeMirror()
        print("started", flush=True)
        input()
        path = store(Path({str(tmp_path)!r}), mirrors=mirror).pull("tiny")
        print(mirror.sent, path.stat().st_size)
    """
    children = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "started\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    outputs = [child.communicate()[0].split() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sorted(int(sent) for sent, _ in outputs) == [0, len(WEIGHTS) + len(CONFIG)]
    assert {size for _, size in outputs} == {str(len(WEIGHTS))}
    store(tmp_path).verify("tiny")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_process_killed_midway_leaves_nothing_that_harms_the_next(tmp_path):
    code = f"""
        import os, signal
        from pathlib import Path
        from tests.models.fakes import FakeMirror, store
        mirror = FakeMirror()
        mirror.on_chunk = lambda: mirror.sent > 600_000 and os.kill(os.getpid(), signal.SIGKILL)
        store(Path({str(tmp_path)!r}), mirrors=mirror).pull("tiny")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=False)
    assert done.returncode == -9
    again = FakeMirror()
    models = store(tmp_path, mirrors=again)
    assert models.list()[0].installed is False
    models.pull("tiny")
    models.verify("tiny")
    assert again.sent < len(WEIGHTS) + len(CONFIG)


def test_what_a_killed_removal_left_is_swept_by_the_next(tmp_path):
    models = store(tmp_path)
    models.pull("tiny")
    left = tmp_path / "partial" / ".removed-other-1"
    left.mkdir(parents=True)
    (left / "big.gguf").write_bytes(WEIGHTS)
    models.remove("tiny")
    assert files_below(tmp_path) <= {"locks/tiny.lock"}


def test_removing_what_was_begun_leaves_nothing(tmp_path):
    models = store(tmp_path, mirrors=FakeMirror(cut=len(WEIGHTS)))
    with pytest.raises(AimarkError):
        models.pull("tiny")
    assert files_below(tmp_path) > {"locks/tiny.lock"}
    models.remove("tiny")
    assert files_below(tmp_path) <= {"locks/tiny.lock"}


def test_waiting_for_another_download_can_be_cancelled(tmp_path):
    (tmp_path / "locks").mkdir()
    with FileLock(tmp_path / "locks" / "tiny.lock"), pytest.raises(AimarkError) as caught:
        store(tmp_path).pull("tiny", cancelled=lambda: True)
    assert fault_of(caught) == PULL_CANCELLED.code
