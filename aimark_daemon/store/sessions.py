"""Sessions in the database: rows made, listed, renamed, deleted and searched. `db` is in a transaction to write."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any, Final

import msgspec

from aimark_daemon.errors import Fault
from aimark_daemon.protocol.messages import MessageInfo, SearchHit, SessionInfo
from aimark_daemon.store.faults import SESSION_UNKNOWN
from aimark_daemon.store.text import excerpt, match_expression, storable, terms

_SESSION: Final = """SELECT id, title, created, updated,
    (SELECT count(*) FROM message WHERE message.session = session.key), deleted IS NOT NULL, pinned FROM session"""
_MOST: Final = 2**31 - 1
_HIDDEN: Final = "9999-12-31T23:59:59.999Z"
"""When sessions of an import that is not complete were deleted: no purge takes them, and nobody knows their ids."""


def new_identity() -> str:
    """A random id for a session."""
    return secrets.token_hex(8)


def create(
    db: sqlite3.Connection, title: str, created: str, updated: str, identity: str | None = None, *, hidden: bool = False
) -> int:
    """A new session's row, under `identity` or a new random id; its key. A `hidden` one belongs to an import."""
    cursor = db.execute(
        "INSERT INTO session (id, title, created, updated, deleted) VALUES (?, ?, ?, ?, ?)",
        (identity or new_identity(), title, created, updated, _HIDDEN if hidden else None),
    )
    key = row_of(cursor.lastrowid)
    index(db, 2 * key + 1, title)
    return key


def row_of(lastrowid: int | None) -> int:
    """The row that an INSERT made; sqlite3 types it as if there might be none."""
    assert lastrowid is not None
    return lastrowid


def key_of(db: sqlite3.Connection, identity: str, *, deleted: bool = False) -> int:
    """The key of a session; of a deleted one only if `deleted`.

    Raises:
        AimarkError: `session_unknown`.
    """
    row = db.execute("SELECT key, deleted FROM session WHERE id = ?", (storable(identity),)).fetchone()
    if row is None or (row[1] is not None and not deleted):
        raise SESSION_UNKNOWN(session=storable(identity)[:100])
    return int(row[0])


def info(db: sqlite3.Connection, key: int) -> SessionInfo:
    """A session as clients see it."""
    return _info(db.execute(f"{_SESSION} WHERE key = ?", (key,)).fetchone())


def listed(db: sqlite3.Connection, limit: int, offset: int) -> list[SessionInfo]:
    """Sessions that are not deleted: pinned ones, then the others, last used first."""
    query = f"{_SESSION} WHERE deleted IS NULL ORDER BY pinned DESC, updated DESC, key DESC LIMIT ? OFFSET ?"
    return [_info(row) for row in db.execute(query, (_count(limit), _count(offset)))]


def messages(db: sqlite3.Connection, key: int) -> list[MessageInfo]:
    """A session's messages in their order."""
    query = "SELECT id, role, content, created, turn, state, fault FROM message WHERE session = ? ORDER BY id"
    return [
        MessageInfo(
            id=row[0],
            role=row[1],
            content=row[2],
            created=row[3],
            turn=row[4],
            state=row[5],
            fault=None if row[6] is None else msgspec.json.decode(row[6], type=Fault),
        )
        for row in db.execute(query, (key,))
    ]


def rename(db: sqlite3.Connection, key: int, title: str) -> None:
    """Give one session another title."""
    db.execute("UPDATE session SET title = ? WHERE key = ?", (title, key))
    index(db, 2 * key + 1, title)


def purge(db: sqlite3.Connection, before: str) -> int:
    """Remove sessions that were deleted before this time for good; how many they were."""
    keys = [row[0] for row in db.execute("SELECT key FROM session WHERE deleted < ?", (before,))]
    for key in keys:
        remove(db, key)
    return len(keys)


def remove_hidden(db: sqlite3.Connection) -> None:
    """Remove what an import that a crash cut off left behind."""
    for (key,) in db.execute("SELECT key FROM session WHERE deleted = ?", (_HIDDEN,)).fetchall():
        remove(db, key)


def remove(db: sqlite3.Connection, key: int) -> None:
    """Remove a session for good."""
    rows = [2 * row[0] for row in db.execute("SELECT id FROM message WHERE session = ?", (key,))]
    db.executemany("DELETE FROM search WHERE rowid = ?", [(row,) for row in (2 * key + 1, *rows)])
    db.execute("DELETE FROM session WHERE key = ?", (key,))


def index(db: sqlite3.Connection, row: int, text: str) -> None:
    """Make `text` what the search finds in `row` of the full-text index (see `schema`)."""
    db.execute("DELETE FROM search WHERE rowid = ?", (row,))
    add_to_index(db, row, indexed(text))


def indexed(text: str) -> str:
    """A text as the full-text index takes it."""
    return " ".join(terms(text))


def add_to_index(db: sqlite3.Connection, row: int, words: str) -> None:
    """Index a new row, by its `indexed` text."""
    db.execute("INSERT INTO search (rowid, terms) VALUES (?, ?)", (row, words))


def search(db: sqlite3.Connection, query: str, limit: int) -> list[SearchHit]:
    """Titles and messages that hold every part of `query`, best first."""
    expression = match_expression(query)
    if not expression:
        return []
    rows = db.execute(
        """SELECT session.id, session.title, message.id, message.content FROM search
        LEFT JOIN message ON search.rowid % 2 = 0 AND message.id = search.rowid / 2
        JOIN session ON session.key = CASE search.rowid % 2 WHEN 1 THEN search.rowid / 2 ELSE message.session END
        WHERE search.terms MATCH ? AND session.deleted IS NULL ORDER BY search.rank LIMIT ?""",
        (expression, _count(limit)),
    )
    return [
        SearchHit(
            session=identity,
            title=title,
            message=message,
            excerpt=excerpt(title if message is None else content, query),
        )
        for identity, title, message, content in rows
    ]


def _count(number: int) -> int:
    return max(0, min(number, _MOST))


def _info(row: tuple[Any, ...]) -> SessionInfo:
    identity, title, created, updated, count, deleted, pinned = row
    return SessionInfo(
        id=identity,
        title=title,
        created=created,
        updated=updated,
        messages=count,
        deleted=bool(deleted),
        pinned=bool(pinned),
    )
