"""Schema of the database: one migration for each version, never changed once released.

Times are UTC, RFC 3339 with milliseconds, so that their text sorts by time. Row `2 * key + 1` of the full-text index
is the title of session `key`, row `2 * id` is message `id`. `fault` and `timings` hold JSON.
"""

from __future__ import annotations

from typing import Final

Migration = tuple[str, ...]

_VERSION_1: Final[Migration] = (
    """CREATE TABLE session (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created TEXT NOT NULL,
        updated TEXT NOT NULL,
        deleted TEXT
    )""",
    "CREATE INDEX session_listed ON session(updated) WHERE deleted IS NULL",
    "CREATE INDEX session_deleted ON session(deleted) WHERE deleted IS NOT NULL",
    """CREATE TABLE turn (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL REFERENCES session(key) ON DELETE CASCADE,
        state TEXT NOT NULL CHECK (state IN ('streaming', 'complete', 'cancelled', 'failed', 'interrupted')),
        started TEXT NOT NULL,
        ended TEXT,
        tokens INTEGER NOT NULL DEFAULT 0,
        timings TEXT
    )""",
    "CREATE INDEX turn_of_session ON turn(session)",
    "CREATE INDEX turn_open ON turn(state) WHERE state = 'streaming'",
    """CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL REFERENCES session(key) ON DELETE CASCADE,
        turn INTEGER REFERENCES turn(id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
        content TEXT NOT NULL,
        created TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('streaming', 'complete', 'cancelled', 'failed', 'interrupted')),
        fault TEXT
    )""",
    "CREATE INDEX message_of_session ON message(session)",
    "CREATE INDEX message_of_turn ON message(turn) WHERE turn IS NOT NULL",
    """CREATE VIRTUAL TABLE search USING fts5(terms, tokenize = "ascii tokenchars '_'")""",
)

_VERSION_2: Final[Migration] = (
    "ALTER TABLE session ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX session_listed",
    "CREATE INDEX session_listed ON session(pinned, updated) WHERE deleted IS NULL",
)

MIGRATIONS: Final[tuple[Migration, ...]] = (_VERSION_1, _VERSION_2)
