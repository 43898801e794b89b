"""Hooks: where plugins are asked. One function a hook, one purpose line, one example."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from aimark_daemon.plugins.commands import Command

PROJECT = "aimark"
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """Everything a plugin may implement."""

    @hookspec
    def aimark_register_commands(self) -> Iterable[Command]:  # type: ignore[empty-body]
        """Bring slash commands.

        Example:
            @hookimpl
            def aimark_register_commands():
                return [greet]
        """
