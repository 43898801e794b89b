"""The configuration in force: changed through clients or by editing the file, and applied while the daemon runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aimark_daemon.config import faults
from aimark_daemon.config.file import Changes, Loaded, changes, load_config, set_value
from aimark_daemon.config.types import Config
from aimark_daemon.errors import AimarkError, Fault

log = logging.getLogger("aimark.config")

LOOK_S = 1.0
"""How often the file is looked at."""
OF_THE_FILE: Final = (
    faults.CONFIG_INVALID,
    faults.CONFIG_BROKEN,
    faults.CONFIG_ENCODING,
    faults.CONFIG_UNREADABLE,
    faults.CONFIG_KEY_IGNORED,
    faults.CONFIG_KEY_DOUBLED,
)
"""What was told of the file that was read before counts no more once another one has been read."""


class ConfigKeeper:
    """Holds the configuration.

    `apply` is awaited with what changed; `tell` is called with what people should know, and `forget` with the code of
    what they need not know any more.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        apply: Callable[[Changes], Awaitable[None]],
        tell: Callable[[Fault], None],
        forget: Callable[[str], None],
    ) -> None:
        self._loaded = loaded
        self._apply = apply
        self._tell = tell
        self._forget = forget
        self._seen = _stamp(loaded.path)
        self._lock = asyncio.Lock()

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._loaded.config

    async def set(self, key: str, value: object) -> tuple[str, ...]:
        """Change one value in the file and here; returns the keys that take effect at the next start.

        Raises:
            AimarkError: unknown key, wrong value, or a file that cannot be written; nothing has changed.
        """
        async with self._lock:
            loaded = await asyncio.to_thread(set_value, self._loaded, key, value)
            self._seen = await asyncio.to_thread(_stamp, loaded.path)
            return (await self._take(loaded)).restart

    async def watch(self) -> None:
        """Take up what is edited in the file, until cancelled. A broken file is told and the old values stay."""
        while True:
            await asyncio.sleep(LOOK_S)
            async with self._lock:
                stamp = await asyncio.to_thread(_stamp, self._loaded.path)
                if stamp == self._seen:
                    continue
                self._seen = stamp
                try:
                    loaded = await asyncio.to_thread(load_config, self._loaded.path)
                except AimarkError as error:
                    self._tell(error.fault)
                    continue
                for kind in OF_THE_FILE:
                    self._forget(kind.code)
                for warning in loaded.warnings:
                    self._tell(warning)
                await self._take(loaded)

    async def _take(self, loaded: Loaded) -> Changes:
        before, self._loaded = self._loaded, loaded
        changed = changes(before.config, loaded.config)
        if changed.live or changed.reload or changed.restart:
            log.info("changed: %s", ", ".join((*changed.live, *changed.reload, *changed.restart)))
            await self._apply(changed)
        return changed


def _stamp(path: Path) -> tuple[int, int, int]:
    """What differs when the file was edited or replaced; zeros when it is not there."""
    try:
        facts = path.stat()
    except OSError:
        return (0, 0, 0)
    return (facts.st_mtime_ns, facts.st_size, facts.st_ino)
