"""Imports larger than one message: checked as a whole, then packed into messages that each hold whole conversations."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from aimark_daemon.cli.faults import SESSION_TOO_BIG
from aimark_daemon.protocol.messages import ImportSessions, encode
from aimark_daemon.server.limits import MAX_MESSAGE_BYTES
from aimark_daemon.store.transfer import MovedSession, MovedSessions, from_json

_ENVELOPE = 512
"""Bytes that the message and the outer object take, generously."""


def parts(text: str) -> list[str]:
    """The import as texts that each fit one message, in the order of the file.

    Raises:
        AimarkError: `import_invalid`, `import_too_big`, `session_too_big`.
    """
    return [_text(sessions) for sessions in _packed(from_json(text).sessions)]


def _packed(sessions: tuple[MovedSession, ...]) -> Iterator[list[MovedSession]]:
    packed: list[MovedSession] = []
    used = _ENVELOPE
    for session in sessions:
        # The text lies within a JSON string again, where quotes and backslashes take more.
        size = len(encode(ImportSessions(id=0, text=msgspec.json.encode(session).decode())).encode())
        if size + _ENVELOPE > MAX_MESSAGE_BYTES:
            raise SESSION_TOO_BIG(title=session.title)
        if packed and used + size > MAX_MESSAGE_BYTES:
            yield packed
            packed, used = [], _ENVELOPE
        packed.append(session)
        used += size
    if packed:
        yield packed


def _text(sessions: list[MovedSession]) -> str:
    return msgspec.json.encode(MovedSessions(1, tuple(sessions))).decode()
