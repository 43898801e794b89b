"""Branches in the database: a conversation copied up to a message, or cut off from it. `db` is in a transaction."""

from __future__ import annotations

import sqlite3

from aimark_daemon.store import sessions
from aimark_daemon.store.faults import MESSAGE_BUSY, MESSAGE_UNKNOWN


def branch(db: sqlite3.Connection, session: int, before: int, now: str) -> int:
    """A new conversation with copies of all messages before the message `before`; its key.

    Raises:
        AimarkError: `message_unknown`.
    """
    _check(db, session, before)
    (title,) = db.execute("SELECT title FROM session WHERE key = ?", (session,)).fetchone()
    said = db.execute(
        "SELECT role, content, created, state, fault FROM message WHERE session = ? AND id < ? ORDER BY id",
        (session, before),
    ).fetchall()
    copy = sessions.create(db, title if said else "", now, now)
    for role, content, created, state, fault in said:
        row = db.execute(
            "INSERT INTO message (session, role, content, created, state, fault) VALUES (?, ?, ?, ?, ?, ?)",
            (copy, role, content, created, "interrupted" if state == "streaming" else state, fault),
        ).lastrowid
        sessions.index(db, 2 * sessions.row_of(row), content)
    return copy


def cut(db: sqlite3.Connection, session: int, first: int) -> None:
    """Remove the user's message `first` and all that came after it.

    Raises:
        AimarkError: `message_unknown`, or `message_busy`: an answer among them is still being written.
    """
    _check(db, session, first, role="user")
    rows = db.execute("SELECT id, turn, state FROM message WHERE session = ? AND id >= ?", (session, first)).fetchall()
    if any(state == "streaming" for _, _, state in rows):
        raise MESSAGE_BUSY()
    db.executemany("DELETE FROM search WHERE rowid = ?", [(2 * row[0],) for row in rows])
    db.executemany("DELETE FROM message WHERE id = ?", [(row[0],) for row in rows])
    db.executemany("DELETE FROM turn WHERE id = ?", [(row[1],) for row in rows if row[1] is not None])


def _check(db: sqlite3.Connection, session: int, message: int, role: str | None = None) -> None:
    """See that the session has the message, said by `role` if that is given."""
    row = None
    if 0 < message < 2**63:
        row = db.execute("SELECT role FROM message WHERE id = ? AND session = ?", (message, session)).fetchone()
    if row is None or role not in (None, row[0]):
        raise MESSAGE_UNKNOWN(number=message)
