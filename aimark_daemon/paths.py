"""Paths: where this program keeps its configuration, data, models, logs and run-time files.

`AIMARK_HOME` puts all of it under one folder (portable use, tests). Without it the operating system's own folders are
used. Run-time files (lock, port, token) lie in the state folder rather than in XDG_RUNTIME_DIR: a log-in over ssh and
one at the desk have different run-time folders, and would not find each other's daemon.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from platformdirs import PlatformDirs

from aimark_daemon.errors import Exit, fault_kind

HOME_VARIABLE: Final = "AIMARK_HOME"
CONFIG_VARIABLE: Final = "AIMARK_CONFIG"
CONFIG_NAME: Final = "config.json"
DATABASE_NAME: Final = "sessions.db"
_PACKAGE: Final = Path(__file__).resolve().parent

FOLDER_UNUSABLE = fault_kind(
    "folder_unusable",
    exit_code=Exit.CONFIG,
    message="The folder {folder} cannot be used.",
    message_ko="폴더 {folder}을(를) 사용할 수 없습니다.",
    hint="Check its permissions, or name another folder in AIMARK_HOME or in the configuration's paths.",
    hint_ko="권한을 확인하거나, AIMARK_HOME 또는 설정의 paths에서 다른 폴더를 지정해 주세요.",
)


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute paths. Nothing exists until `create` is called."""

    home: Path | None
    """The one folder of everything, if AIMARK_HOME names it."""
    config_file: Path
    """The configuration that is read, and written when a setting is changed. It need not exist."""
    data: Path
    database: Path
    models: Path
    logs: Path
    runtime: Path
    plugins: Path
    """The user's own plugins."""

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None) -> Paths:
        """The paths that `environment` (the process's own if None) asks for.

        The configuration is the first of: the file AIMARK_CONFIG names; config.json in AIMARK_HOME; without
        AIMARK_HOME the user's config.json if there is one, that of the source checkout the program runs from, and
        else the user's, not yet there.
        """
        variables = os.environ if environment is None else environment
        home = _named(variables, HOME_VARIABLE)
        config = _named(variables, CONFIG_VARIABLE)
        if home is not None:
            data = home / "data"
            return cls(
                home=home,
                config_file=config or home / CONFIG_NAME,
                data=data,
                database=data / DATABASE_NAME,
                models=home / "models",
                logs=home / "logs",
                runtime=home / "run",
                plugins=home / "plugins",
            )
        system = PlatformDirs("aimark", appauthor=False)
        data = system.user_data_path
        return cls(
            home=None,
            config_file=config or _found_config(system.user_config_path / CONFIG_NAME),
            data=data,
            database=data / DATABASE_NAME,
            models=data / "models",
            logs=system.user_log_path,
            runtime=system.user_state_path / "run",
            plugins=data / "plugins",
        )

    @property
    def token(self) -> Path:
        """The secret that lets this user's programs in; written by the daemon, mode 0600."""
        return self.runtime / "token"

    def moved(self, *, data: str | None = None, models: str | None = None) -> Paths:
        """The paths with the configuration's own folders; relative ones start at the configuration's folder."""
        changed = self
        if data is not None:
            folder = self._beside_config(data)
            changed = replace(changed, data=folder, database=folder / DATABASE_NAME)
        if models is not None:
            changed = replace(changed, models=self._beside_config(models))
        return changed

    def create(self) -> None:
        """Create the missing folders, readable by their owner alone.

        Raises:
            AimarkError: `folder_unusable`.
        """
        folders = (self.data, self.models, self.logs, self.runtime, self.plugins)
        for folder in folders if self.home is None else (self.home, *folders):
            create_folder(folder)

    def _beside_config(self, path: str) -> Path:
        return Path(os.path.abspath(self.config_file.parent / Path(path).expanduser()))  # noqa: PTH100 - links stay


def create_folder(folder: Path) -> None:
    """Create `folder` with mode 0700 (POSIX), its parents with the usual one; an existing folder stays as it is.

    Raises:
        AimarkError: `folder_unusable`: no permission, or something else has that name.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FOLDER_UNUSABLE(folder=folder, detail=error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FOLDER_UNUSABLE(folder=folder, detail="not writable")


def shipped_config() -> Path:
    """The default configuration that came with the program, in a wheel or in a source checkout."""
    in_wheel = _PACKAGE / "config.default.json"
    return in_wheel if in_wheel.is_file() else _PACKAGE.parent / CONFIG_NAME


def shipped_schema() -> Path:
    """The JSON Schema of the configuration, by which editors complete it; in a wheel or in a source checkout."""
    in_wheel = _PACKAGE / "config.schema.json"
    return in_wheel if in_wheel.is_file() else _PACKAGE.parent / "docs" / "reference" / "config.schema.json"


def checkout_config() -> Path | None:
    """config.json of the source checkout this program runs from; None for an installed package."""
    root = _PACKAGE.parent
    config = root / CONFIG_NAME
    return config if (root / "pyproject.toml").is_file() and config.is_file() else None


def _found_config(user_config: Path) -> Path:
    if user_config.is_file():
        return user_config
    return checkout_config() or user_config


def _named(variables: Mapping[str, str], name: str) -> Path | None:
    value = variables.get(name, "")
    # abspath, not resolve: a folder reached through a link keeps the name that the user gave it.
    return Path(os.path.abspath(Path(value).expanduser())) if value else None  # noqa: PTH100
