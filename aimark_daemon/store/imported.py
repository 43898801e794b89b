"""Imported conversations in the database. `db` is in a transaction to write."""

from __future__ import annotations

import sqlite3

import msgspec

from aimark_daemon.store import sessions
from aimark_daemon.store.text import automatic_title
from aimark_daemon.store.transfer import MovedSession, timestamp


def add(db: sqlite3.Connection, session: MovedSession, now: str) -> int:
    """Add a conversation under a new id; its key. Times that the import does not tell are `now`."""
    first = next((message.content for message in session.messages if message.role == "user"), "")
    created = timestamp(session.created) if session.created else now
    updated = timestamp(session.updated) if session.updated else now
    key = sessions.create(db, session.title or automatic_title(first), created, updated)
    for message in session.messages:
        row = db.execute(
            "INSERT INTO message (session, role, content, created, state, fault) VALUES (?, ?, ?, ?, ?, ?)",
            (
                key,
                message.role,
                message.content,
                timestamp(message.created) if message.created else now,
                "interrupted" if message.state == "streaming" else message.state,
                None if message.fault is None else msgspec.json.encode(message.fault).decode(),
            ),
        ).lastrowid
        sessions.index(db, 2 * sessions.row_of(row), message.content)
    return key
