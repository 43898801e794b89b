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
        self._started = loaded.config
        self._waiting: tuple[str, ...] = ()
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
            changed = self._take(loaded)
        return (await self._put_in_force(changed)).restart

    async def watch(self) -> None:
        """Take up what is edited in the file, until cancelled. A broken file is told and the old values stay."""
        looked = self._seen
        while True:
            await asyncio.sleep(LOOK_S)
            async with self._lock:
                before, looked = looked, await asyncio.to_thread(_stamp, self._loaded.path)
                # An editor may be half-way: the file counts once two looks in a row agree.
                if looked == self._seen or looked != before:
                    continue
                self._seen = looked
                changed = await self._read()
            if changed is not None:
                await self._put_in_force(changed)

    async def _read(self) -> Changes | None:
        """Read the edited file; None if it is broken, which is told."""
        try:
            loaded = await asyncio.to_thread(load_config, self._loaded.path)
        except AimarkError as error:
            self._tell(error.fault)
            return None
        for kind in OF_THE_FILE:
            self._forget(kind.code)
        for warning in loaded.warnings:
            self._tell(warning)
        return self._take(loaded)

    def _take(self, loaded: Loaded) -> Changes:
        before, self._loaded = self._loaded, loaded
        return changes(before.config, loaded.config)

    async def _put_in_force(self, changed: Changes) -> Changes:
        """Outside the lock: an engine that is loaded again must not hold up the next change."""
        if changed.live or changed.reload or changed.restart:
            log.info("changed: %s", ", ".join((*changed.live, *changed.reload, *changed.restart)))
            await self._apply(changed)
        waiting = changes(self._started, self.config).restart
        if waiting != self._waiting:
            self._waiting = waiting
            self._forget(faults.RESTART_NEEDED.code)
            if waiting:
                self._tell(faults.RESTART_NEEDED.fault(keys=", ".join(waiting)))
        return changed


def _stamp(path: Path) -> tuple[int, int, int]:
    """What differs when the file was edited or replaced; zeros when it is not there."""
    try:
        facts = path.stat()
    except OSError:
        return (0, 0, 0)
    return (facts.st_mtime_ns, facts.st_size, facts.st_ino)
