"""Parking: keeps what a worker has evaluated while its child is replaced, in a file that lies in RAM where it can.

The bytes never come into the daemon: the old child writes the file, the new one maps it. All of it only saves time
later, so whatever goes wrong is logged and forgotten.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from aimark_daemon.engines.base import PARK, UNPARK, Parked, ParkRequest, UnparkRequest
from aimark_daemon.errors import AimarkError
from aimark_daemon.workers.handover import Caller

log = logging.getLogger("aimark.parking")

MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - the file is made with a random name, for its owner alone
"""Linux's file system in RAM."""
CAP: Final = 512 << 20
"""Most bytes that are parked."""
RAM_SHARE: Final = 4
"""At most this part of the RAM that is free."""
DISK_SHARE: Final = 2
"""At most this part of what is free on the medium: others use it too."""
PATIENCE_S: Final = 0.9
"""The longest that a child is waited for: its memory may be wanted for a game."""
WRITING_SHARE: Final = 0.75
"""The part of the patience that the engine may write for; the rest is for its answer to come."""


class Parking:
    """Parks one worker's conversations. `folder` is where the file lies on systems without files in RAM.

    Belongs to one event loop. `take` comes before a child is ended, `give` when another one is ready and before it is
    asked anything else; `clear` at the daemon's start, for what a crash left, and at its end.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory: Path = MEMORY_FOLDER,
        cap: int = CAP,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._folder = folder
        self._memory = memory
        self._cap = cap
        self._patience_s = patience_s
        owner = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
        self._prefix = f"aimark-parked-{owner}-"
        self._file: Path | None = None

    @property
    def file(self) -> Path | None:
        """Where conversations are parked now."""
        return self._file

    async def take(self, call: Caller) -> None:
        """Let a child that is going to end leave its conversations."""
        await self.park(call)

    async def give(self, call: Caller) -> None:
        """Let a child that is ready know what another one has left."""
        await self.unpark(call)

    async def park(self, call: Caller) -> Parked:
        """Let the engine write its conversations; takes no longer than the patience.

        What was parked before and not taken back is kept if there is nothing new.
        """
        made = self._make()
        if made is None:
            return Parked()
        file, cap = made
        parked = Parked()
        parking = call(PARK, ParkRequest(str(file), cap, self._patience_s * WRITING_SHARE))
        try:
            async with asyncio.timeout(self._patience_s):
                parked = await parking.result()
        except TimeoutError:
            log.warning("parking was given up after %s s", self._patience_s)
        except AimarkError as error:
            log.warning("conversations were not parked: %s", error)
        finally:
            parking.cancel()
            if parked.sessions:
                useless, self._file = self._file, file
            else:
                useless = file
            if useless is not None:
                _remove(useless)
        return parked

    async def unpark(self, call: Caller) -> Parked:
        """Let the engine know what is parked; takes no longer than the patience, and uses the file up."""
        file, self._file = self._file, None
        if file is None:
            return Parked()
        unparking = call(UNPARK, UnparkRequest(str(file)))
        try:
            async with asyncio.timeout(self._patience_s):
                return await unparking.result()
        except TimeoutError:
            log.warning("parked conversations were not taken within %s s", self._patience_s)
        except AimarkError as error:
            log.warning("parked conversations were lost: %s", error)
        finally:
            unparking.cancel()
            _remove(file)
        return Parked()

    def clear(self) -> None:
        """Delete every file of this daemon, also those that an earlier one has left."""
        self._file = None
        for folder in (self._memory, self._folder):
            with suppress(OSError):
                for file in [*folder.glob(f"{self._prefix}*")]:
                    _remove(file)

    def _make(self) -> tuple[Path, int] | None:
        """An empty file of an unforeseeable name for this user alone, and how many bytes it may take."""
        wanted = min(self._cap, psutil.virtual_memory().available // RAM_SHARE)
        rooms = [(min(wanted, _free(self._memory) // DISK_SHARE), self._memory)]
        if rooms[0][0] < wanted:
            with suppress(OSError):
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            rooms.append((min(wanted, _free(self._folder) // DISK_SHARE), self._folder))
        for room, folder in sorted(rooms, key=lambda place: -place[0]):
            try:
                descriptor, name = tempfile.mkstemp(prefix=self._prefix, dir=folder)
            except OSError as error:
                log.debug("no parking in %s: %s", folder, error)
            else:
                os.close(descriptor)
                return Path(name), room
        log.warning("there is no folder to park conversations in")
        return None


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:  # Windows: the child has it mapped; `clear` takes it away
        log.debug("%s stays for now: %s", file, error)
