"""Uploads: texts larger than one message, whose parts wait in a file without a name until they are whole."""

from __future__ import annotations

import errno
import tempfile
from contextlib import suppress
from typing import IO, Final

from aimark_daemon.server.base import ClientHandle
from aimark_daemon.store.faults import DATABASE_UNWRITABLE, DISK_FULL, IMPORT_TOO_BIG
from aimark_daemon.store.transfer import IMPORT_MIB

_FULL: Final = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_MEMORY_BYTES = 2 * 1024 * 1024
"""What is smaller never touches the disk."""


class Uploads:
    """At most one upload a client. What a client leaves unfinished is gone with it."""

    def __init__(self, limit: int = IMPORT_MIB * 2**20) -> None:
        self._limit = limit
        self._files: dict[ClientHandle, IO[bytes]] = {}

    def add(self, client: ClientHandle, text: str) -> None:
        """Keep a part.

        Raises:
            AimarkError: `import_too_big`, `database_disk_full` or `database_unwritable`; the upload is forgotten.
        """
        file = self._files.get(client)
        if file is None:
            file = self._files[client] = tempfile.SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115 - closed when it is over
        data = text.encode()
        try:
            if file.tell() + len(data) > self._limit:
                raise IMPORT_TOO_BIG(size=f"{(file.tell() + len(data)) / 2**20:.1f}", limit=self._limit // 2**20)
            file.write(data)
        except OSError as error:
            self.forget(client)
            kind = DISK_FULL if error.errno in _FULL else DATABASE_UNWRITABLE
            raise kind(path=tempfile.gettempdir(), detail=str(error)) from error
        except BaseException:
            self.forget(client)
            raise

    def whole(self, client: ClientHandle, last: str) -> str:
        """All parts and the last one, joined; the upload is over.

        Raises:
            AimarkError: as `add`.
        """
        if client not in self._files:
            return last
        self.add(client, last)
        file = self._files[client]
        file.seek(0)
        try:
            return file.read().decode()
        finally:
            self.forget(client)

    def forget(self, client: ClientHandle) -> None:
        """Drop what a client has begun to send."""
        file = self._files.pop(client, None)
        if file is not None:
            with suppress(OSError):  # a full disk refuses the rest once more
                file.close()
