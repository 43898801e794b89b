"""Files that appear whole or not at all: what people ask a command to write."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_whole(target: Path, data: bytes) -> None:
    """Put `data` into the file; if that fails it is as it was before. A device or pipe is simply written to.

    Raises:
        OSError: the folder is missing or cannot be written, the disk is full, or `target` is a folder.
    """
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
