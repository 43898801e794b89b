"""Entries: plugins as the host keeps them, and where it looks for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from aimark_daemon.errors import Fault
from aimark_daemon.plugins.sources import Found
from aimark_daemon.protocol.messages import PluginInfo


class PluginState(StrEnum):
    """Where a plugin is."""

    ACTIVE = "active"
    DISABLED = "disabled"
    FAILED = "failed"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Places:
    """Where plugins are looked for. `only` names those that may be loaded; None allows all."""

    bundled: Path | None = None
    installed: bool = False
    folder: Path | None = None
    only: frozenset[str] | None = None


@dataclass(slots=True, eq=False)
class Entry:
    """A plugin that was found, and how it is."""

    found: Found
    state: PluginState = PluginState.DISABLED
    fault: Fault | None = None
    plugin: Any = None
    prefix: str = ""
    settings: Any = None
    commands: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    stamp: tuple[int, int, int] = (0, 0, 0)

    def info(self) -> PluginInfo:
        """The plugin as people see it."""
        return PluginInfo(
            name=self.found.name,
            source=self.found.source,
            state=str(self.state),
            fault=self.fault,
            path=self.found.place,
            commands=self.commands,
            permissions=self.permissions,
        )
