"""Imports larger than one message: checked as a whole, then cut into texts that each fit one."""

from __future__ import annotations

from typing import Final

from aimark_daemon.store.transfer import from_json

PART_CHARS: Final = 128 * 1024
"""A character takes six bytes at most once it is escaped within JSON, so that a part stays below 1 MiB."""


def parts(text: str) -> list[str]:
    """The import in parts that make it up when they are joined; at least one.

    Raises:
        AimarkError: `import_invalid`, `import_too_big`.
    """
    from_json(text)
    return [text[start : start + PART_CHARS] for start in range(0, len(text), PART_CHARS)] or [""]
