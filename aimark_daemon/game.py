"""Game mode: the switch by which a person keeps the graphics card free for a game, remembered over restarts."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

import msgspec

log = logging.getLogger("aimark.game")

NAME: Final = "game.json"


class _State(msgspec.Struct):
    on: bool = False


class GameSwitch:
    """The switch, kept in a small file of the state folder. A file that is missing or damaged means off."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._on = _read(self._path)

    @property
    def on(self) -> bool:
        """Whether the graphics card is to be kept free."""
        return self._on

    def set(self, on: bool) -> None:
        """Turn it on or off; that it cannot be remembered is only logged."""
        self._on = on
        ready = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            ready.write_bytes(msgspec.json.encode(_State(on)))
            ready.replace(self._path)
        except OSError as error:
            log.warning("game mode will be forgotten at the next start: %s", error)
            with contextlib.suppress(OSError):
                ready.unlink(missing_ok=True)


def _read(path: Path) -> bool:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_State).on
    except FileNotFoundError:
        return False
    except (OSError, msgspec.DecodeError, UnicodeError) as error:
        log.warning("game mode counts as off: %s", error)
        return False
