"""The model store against mirrors that fail in every way."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
import unicodedata
from pathlib import Path

import pytest
from filelock import FileLock
from msgspec.structs import replace

from aimark_daemon.errors import AimarkError
from aimark_daemon.models.entries import ModelFile
from aimark_daemon.models.faults import (
    DISK_FULL,
    MIRROR_FAILED,
    MODEL_DIGEST,
    MODEL_FILE_INVALID,
    MODEL_MISSING,
    MODEL_UNKNOWN,
    PULL_CANCELLED,
    STORE_UNWRITABLE,
)
from aimark_daemon.models.store import ModelStore
from tests.models.fakes import CONFIG, CONTENT, WEIGHTS, FakeMirror, entry, hub, sha, store

ROOT = Path(__file__).resolve().parents[2]


def fault_of(error: pytest.ExceptionInfo[AimarkError]) -> str:
    return error.value.fault.code


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_pulled_model_is_where_path_says_and_its_bytes_are_right(tmp_path):
    models = store(tmp_path)
    path = models.pull("tiny")
    assert path == models.path("tiny") == tmp_path / "models" / "tiny" / "tiny.gguf"
    assert path.read_bytes() == WEIGHTS
    assert (path.parent / "config.json").read_bytes() == CONFIG
    models.verify("tiny")


@pytest.mark.parametrize(("kind", "name"), [("llm", "tiny.gguf"), ("stt", ""), ("tts", "voice.onnx")])
def test_each_kind_of_engine_is_given_what_it_loads(tmp_path, kind, name):
    content = {"voice.onnx": b"o", "voice.onnx.json": b"{}"} if kind == "tts" else CONTENT
    made = entry(kind=kind)
    if kind == "tts":
        made = replace(made, files=tuple(ModelFile(n, len(d), sha(d)) for n, d in content.items()))
    models = store(tmp_path, made, mirrors=FakeMirror(content))
    assert models.pull("tiny") == tmp_path / "models" / "tiny" / name


def test_the_list_tells_what_is_installed(tmp_path):
    models = store(tmp_path, entry(starter=True), entry(model="other"))
    assert models.starter_missing() == ["tiny"]
    models.pull("tiny")
    assert {info.id: info.installed for info in models.list()} == {"tiny": True, "other": False}
    assert models.starter_missing() == []
    (info, _) = models.list()
    assert (info.bytes, info.licence, info.languages, info.starter) == (
        len(WEIGHTS) + len(CONFIG),
        "MIT",
        ("en", "ko"),
        True,
    )


def test_a_model_that_left_the_catalogue_stays_listed_and_usable(tmp_path):
    store(tmp_path, entry(model="old")).pull("old")
    models = store(tmp_path, entry())
    assert [info.id for info in models.list() if info.installed] == ["old"]
    assert models.path("old").read_bytes() == WEIGHTS
    models.remove("old")
    assert [info.id for info in models.list()] == ["tiny"]


def test_progress_rises_to_the_total_and_ends_there(tmp_path):
    seen: list[tuple[int, int]] = []
    store(tmp_path).pull("tiny", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    total = len(WEIGHTS) + len(CONFIG)
    assert {t for _, t in seen} == {total}
    assert seen[-1] == (total, total)
    assert len(seen) > 10


def test_pulling_again_asks_no_mirror(tmp_path):
    mirror = FakeMirror()
    models = store(tmp_path, mirrors=mirror)
    first = models.pull("tiny")
    sent = mirror.sent
    assert models.pull("tiny") == first
    assert mirror.sent == sent > 0


def test_two_models_that_share_a_file_download_it_once(tmp_path):
    mirror = FakeMirror()
    models = store(tmp_path, entry(), entry(model="twin"), mirrors=mirror)
    models.pull("tiny")
    sent = mirror.sent
    twin = models.pull("twin")
    assert mirror.sent == sent
    assert twin.samefile(models.path("tiny"))


def test_a_copy_serves_where_files_cannot_be_linked(tmp_path, monkeypatch):
    mirror = FakeMirror()
    models = store(tmp_path, entry(), entry(model="twin"), mirrors=mirror)
    models.pull("tiny")

    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    sent = mirror.sent
    twin = models.pull("twin")
    assert mirror.sent == sent
    assert twin.read_bytes() == WEIGHTS
    assert not twin.samefile(models.path("tiny"))


def test_the_next_mirror_is_tried_when_one_fails(tmp_path):
    dead, alive = FakeMirror(name="dead", cut=0), FakeMirror(name="alive")
    models = store(tmp_path, entry(hub("dead"), hub("alive")), mirrors={"dead": dead, "alive": alive})
    assert models.pull("tiny").read_bytes() == WEIGHTS
    assert (dead.sent, alive.sent) == (0, len(WEIGHTS) + len(CONFIG))


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


def test_an_entry_without_digest_takes_the_one_that_the_mirror_publishes_and_records_it(tmp_path):
    models = store(tmp_path, entry(digests=False))
    path = models.pull("tiny")
    models.verify("tiny")
    path.write_bytes(bytes(len(WEIGHTS)))
    with pytest.raises(AimarkError) as caught:
        models.verify("tiny")
    assert fault_of(caught) == MODEL_DIGEST.code


def test_verify_finds_one_changed_byte(tmp_path):
    models = store(tmp_path)
    path = models.pull("tiny")
    path.write_bytes(b"x" + WEIGHTS[1:])
    with pytest.raises(AimarkError) as caught:
        models.verify("tiny")
    assert fault_of(caught) == MODEL_DIGEST.code


@pytest.mark.parametrize("harm", [lambda p: p.unlink(), lambda p: p.write_bytes(WEIGHTS[:-1])])
def test_a_lost_or_cut_file_is_said_and_pulling_again_heals_it(tmp_path, harm):
    models = store(tmp_path, entry(starter=True))
    harm(models.pull("tiny"))
    with pytest.raises(AimarkError) as caught:
        models.path("tiny")
    assert fault_of(caught) == MODEL_FILE_INVALID.code
    assert models.starter_missing() == ["tiny"]
    models.pull("tiny")
    models.verify("tiny")


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
def test_a_disk_that_fills_up_midway_leaves_nothing_half_made(tmp_path, code):
    mirror = FakeMirror()

    def fill():
        if mirror.sent > 500_000:
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


def test_waiting_for_another_download_can_be_cancelled(tmp_path):
    (tmp_path / "locks").mkdir()
    with FileLock(tmp_path / "locks" / "tiny.lock"), pytest.raises(AimarkError) as caught:
        store(tmp_path).pull("tiny", cancelled=lambda: True)
    assert fault_of(caught) == PULL_CANCELLED.code


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_korean_folder_name_with_spaces_works_in_either_form(tmp_path, form):
    root = tmp_path / unicodedata.normalize(form, "내 모델 폴더")
    models = store(root)
    assert models.pull("tiny").read_bytes() == WEIGHTS
    models.verify("tiny")
    assert store(root).list()[0].installed


def test_removing_a_model_removes_its_bytes(tmp_path):
    models = store(tmp_path)
    models.pull("tiny")
    models.remove("tiny")
    assert files_below(tmp_path) <= {"locks/tiny.lock"}
    with pytest.raises(AimarkError) as caught:
        models.remove("tiny")
    assert fault_of(caught) == MODEL_MISSING.code


def test_removing_one_of_two_models_that_share_files_keeps_the_other_whole(tmp_path):
    models = store(tmp_path, entry(), entry(model="twin"))
    models.pull("tiny")
    models.pull("twin")
    models.remove("tiny")
    models.verify("twin")
    models.remove("twin")
    assert files_below(tmp_path) <= {"locks/tiny.lock", "locks/twin.lock"}


def test_removing_forgets_what_was_begun(tmp_path):
    models = store(tmp_path, mirrors=FakeMirror(cut=300_000))
    with pytest.raises(AimarkError):
        models.pull("tiny")
    models.remove("tiny")
    assert files_below(tmp_path) <= {"locks/tiny.lock"}


def test_a_model_that_is_not_installed_is_told_with_what_to_do(tmp_path):
    with pytest.raises(AimarkError) as caught:
        store(tmp_path).path("tiny")
    assert fault_of(caught) == MODEL_MISSING.code
    assert "aimark models pull tiny" in caught.value.fault.hint.ko


@pytest.mark.parametrize("name", ["tinny", "../tiny", "", "작은모델", "a/b", "tiny\0"])
@pytest.mark.parametrize("method", ["path", "pull", "remove", "verify"])
def test_a_name_that_is_no_model_is_told_and_touches_nothing(tmp_path, name, method):
    with pytest.raises(AimarkError) as caught:
        getattr(store(tmp_path / "store"), method)(name)
    assert fault_of(caught) == MODEL_UNKNOWN.code
    assert "tiny" in caught.value.fault.hint.en
    assert not (tmp_path / "store").exists()
