"""Imported conversations: written batch by batch between what others write, and hidden until all of them are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec

from aimark_daemon.errors import AimarkError
from aimark_daemon.protocol.messages import SessionInfo
from aimark_daemon.store import sessions
from aimark_daemon.store.database import Database
from aimark_daemon.store.text import automatic_title
from aimark_daemon.store.transfer import MovedMessage, MovedSession, MovedSessions, from_json, timestamp

BATCH_CHARS: Final = 1 << 16
"""So many characters are written at a time, which takes some hundredths of a second."""
PART_CHARS: Final = 256
"""What a session or a message counts beside its text."""
DISCARDED: Final = 16
"""So many sessions of an import that failed are removed at a time."""

_T = TypeVar("_T")


class Do(Protocol):
    """Carries out work where the database is used, and gives its result."""

    def __call__(self, work: Callable[[], _T], /) -> _T:
        """Do it, and wait for its end."""


@dataclass(frozen=True, slots=True)
class _Head:
    title: str
    created: str
    updated: str


@dataclass(frozen=True, slots=True)
class _Line:
    message: MovedMessage
    created: str
    terms: str


_Batch = list[_Head | _Line]


def take_in(database: Database, text: str, now: str, do: Do) -> list[SessionInfo]:
    """Add the sessions of an export under new ids, all or none of them. Times that it does not tell are `now`.

    Each of several `do` takes a short time; reading the export and finding its search terms happens in between.

    Raises:
        AimarkError: see `Store.import_text`.
    """
    moved = from_json(text)
    keys: list[int] = []
    try:
        for batch in _batches(moved, now):
            do(partial(_add, database, batch, keys))
        return do(partial(_publish, database, keys))
    except BaseException:
        with suppress(AimarkError):  # what cannot be removed now stays hidden, and goes at the next start
            while keys:
                do(partial(_discard, database, keys))
        raise


def _batches(moved: MovedSessions, now: str) -> Iterator[_Batch]:
    batch: _Batch = []
    size = 0
    for session in moved.sessions:
        for part in _parts(session, now):
            batch.append(part)
            size += PART_CHARS + (len(part.message.content) if isinstance(part, _Line) else 0)
            if size >= BATCH_CHARS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _parts(session: MovedSession, now: str) -> Iterator[_Head | _Line]:
    first = next((message.content for message in session.messages if message.role == "user"), "")
    yield _Head(
        session.title or automatic_title(first),
        timestamp(session.created) if session.created else now,
        timestamp(session.updated) if session.updated else now,
    )
    for message in session.messages:
        yield _Line(message, timestamp(message.created) if message.created else now, sessions.indexed(message.content))


def _add(database: Database, batch: _Batch, keys: list[int]) -> None:
    """Write a batch. `keys` are those of all sessions so far; the last one may go on."""
    new = keys[-1:]
    with database.writing() as db:
        for part in batch:
            if isinstance(part, _Head):
                new.append(sessions.create(db, part.title, part.created, part.updated, hidden=True))
                continue
            message = part.message
            row = db.execute(
                "INSERT INTO message (session, role, content, created, state, fault) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    new[-1],
                    message.role,
                    message.content,
                    part.created,
                    "interrupted" if message.state == "streaming" else message.state,
                    None if message.fault is None else msgspec.json.encode(message.fault).decode(),
                ),
            ).lastrowid
            sessions.add_to_index(db, 2 * sessions.row_of(row), part.terms)
    # Now that it is on disk: after an undone transaction others get the same keys.
    keys += new[len(keys[-1:]) :]


def _publish(database: Database, keys: list[int]) -> list[SessionInfo]:
    with database.writing() as db:
        db.executemany("UPDATE session SET deleted = NULL WHERE key = ?", [(key,) for key in keys])
        return [sessions.info(db, key) for key in keys]


def _discard(database: Database, keys: list[int]) -> None:
    with database.writing() as db:
        for key in keys[-DISCARDED:]:
            sessions.remove(db, key)
    del keys[-DISCARDED:]
