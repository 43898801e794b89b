"""Where things are kept."""

import os
import sys
from pathlib import Path

import pytest

from aimark_daemon import paths as paths_module
from aimark_daemon.errors import AimarkError
from aimark_daemon.paths import Paths, checkout_config, create_folder, shipped_config

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")


@pytest.fixture
def system(tmp_path, monkeypatch):
    """The operating system's folders, moved below tmp_path."""
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_home_variable_moves_everything(tmp_path):
    home = tmp_path / "휴대용 마크"
    paths = Paths.of({"AIMARK_HOME": str(home)})
    assert paths.config_file == home / "config.json"
    assert paths.database.parent == paths.data
    for path in (paths.data, paths.models, paths.logs, paths.runtime, paths.plugins):
        assert path.is_relative_to(home)
        assert path != home
    assert not home.exists()


def test_a_relative_home_starts_here_and_a_tilde_is_the_users(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert Paths.of({"AIMARK_HOME": "portable"}).home == tmp_path / "portable"
    assert Paths.of({"AIMARK_HOME": "~/mark"}).home == tmp_path / "mark"


def test_an_empty_variable_is_none(system):
    assert Paths.of({"AIMARK_HOME": "", "AIMARK_CONFIG": ""}).home is None


def test_the_named_configuration_wins_with_and_without_a_home(tmp_path):
    named = str(tmp_path / "설정.json")
    assert Paths.of({"AIMARK_CONFIG": named}).config_file == Path(named)
    assert Paths.of({"AIMARK_CONFIG": named, "AIMARK_HOME": str(tmp_path)}).config_file == Path(named)


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of XDG")
def test_the_checkouts_configuration_is_used_until_the_user_has_one(system):
    assert Paths.of({}).config_file == checkout_config() == Path(__file__).parent.parent / "config.json"
    own = system / "config" / "aimark" / "config.json"
    own.parent.mkdir(parents=True)
    own.write_text("{}")
    assert Paths.of({}).config_file == own


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of XDG")
def test_an_installed_package_names_the_users_file_and_ships_its_own_default(system, monkeypatch):
    package = system / "site-packages" / "aimark_daemon"
    package.mkdir(parents=True)
    (package / "config.default.json").write_text("{}")
    monkeypatch.setattr(paths_module, "_PACKAGE", package)
    assert checkout_config() is None
    assert Paths.of({}).config_file == system / "config" / "aimark" / "config.json"
    assert shipped_config() == package / "config.default.json"


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of XDG")
def test_run_time_files_do_not_depend_on_the_log_in(system, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(system / "desk"))
    at_the_desk = Paths.of({}).runtime
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert Paths.of({}).runtime == at_the_desk
    assert at_the_desk.is_relative_to(system / "state")


def test_the_configurations_folders_start_beside_it(tmp_path):
    paths = Paths.of({"AIMARK_HOME": str(tmp_path)})
    moved = paths.moved(data="대화", models=str(tmp_path / "disk" / "models"))
    assert moved.data == tmp_path / "대화"
    assert moved.database == tmp_path / "대화" / "sessions.db"
    assert moved.models == tmp_path / "disk" / "models"
    assert moved.logs == paths.logs
    assert paths.moved() == paths


@posix
def test_created_folders_are_their_owners_alone(tmp_path):
    old = os.umask(0)
    try:
        paths = Paths.of({"AIMARK_HOME": str(tmp_path / "home")})
        paths.create()
        paths.create()
    finally:
        os.umask(old)
    for folder in (paths.home, paths.data, paths.models, paths.logs, paths.runtime, paths.plugins):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_in_a_folders_place_is_told(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(AimarkError) as caught:
        Paths.of({"AIMARK_HOME": str(tmp_path)}).create()
    assert caught.value.fault.code == "folder_unusable"
    assert str(tmp_path / "data") in caught.value.fault.message.ko


def test_a_folder_below_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AimarkError) as caught:
        create_folder(tmp_path / "file" / "below")
    assert caught.value.fault.code == "folder_unusable"
