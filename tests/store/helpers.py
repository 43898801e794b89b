"""What several tests of the store need."""

from pathlib import Path

import pytest

from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.store import Store

TABLES = ("session", "turn", "message", "search")


def rows(store: Store) -> dict[str, dict[int, tuple]]:
    """Every row of every table by its rowid."""
    db = store.database.connection
    return {
        table: {row[0]: row[1:] for row in db.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid")}
        for table in TABLES
    }


def fault_of(call, *args, **kwargs) -> Fault:
    with pytest.raises(AimarkError) as caught:
        call(*args, **kwargs)
    return caught.value.fault


def talk(store: Store, session: str, question: str, answer: str) -> int:
    turn = store.begin_turn(session, question)
    store.end_turn(turn, "complete", answer)
    return turn


def plans(store: Store, call, *args) -> list[str]:
    """How SQLite carries out the queries of this call."""
    db = store.database.connection
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    try:
        call(*args)
    finally:
        db.set_trace_callback(None)
    return [
        row[3]
        for statement in statements
        if statement.startswith("SELECT") and "search_" not in statement
        for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]


def database_files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}
