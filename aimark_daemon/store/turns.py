"""Turns in the database: an utterance stored before it is answered, its answer as it comes, and what a crash leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from aimark_daemon.engines.base import ChatMessage
from aimark_daemon.errors import Fault
from aimark_daemon.protocol.messages import Timings
from aimark_daemon.store import sessions
from aimark_daemon.store.faults import TURN_NOT_OPEN
from aimark_daemon.store.text import automatic_title, storable

Ending = Literal["complete", "cancelled", "failed"]
_TURN_LIMIT: Final = 2**32
_ADD_MESSAGE: Final = "INSERT INTO message (session, turn, role, content, created, state) VALUES (?, ?, ?, ?, ?, ?)"


class TurnEnd(msgspec.Struct, frozen=True):
    """How a turn ended."""

    state: Ending
    reply: str
    timings: Timings | None = None
    fault: Fault | None = None
    tokens: int = 0


def begin(db: sqlite3.Connection, session: int, text: str, now: str) -> int:
    """Store the user's message and an answer still to come: the turn's number."""
    added = db.execute("INSERT INTO turn (session, state, started) VALUES (?, 'streaming', ?)", (session, now))
    turn = sessions.row_of(added.lastrowid)
    if turn >= _TURN_LIMIT:
        raise TURN_NOT_OPEN(turn=turn)
    text = storable(text)
    asked = db.execute(_ADD_MESSAGE, (session, turn, "user", text, now, "complete")).lastrowid
    sessions.index(db, 2 * sessions.row_of(asked), text)
    db.execute(_ADD_MESSAGE, (session, turn, "assistant", "", now, "streaming"))
    db.execute("UPDATE session SET updated = ? WHERE key = ?", (now, session))
    (title,) = db.execute("SELECT title FROM session WHERE key = ?", (session,)).fetchone()
    if not title and (title := automatic_title(text)):
        sessions.rename(db, session, title)
    return turn


def checkpoint(db: sqlite3.Connection, turn: int, reply: str) -> None:
    """Store what was answered so far.

    Raises:
        AimarkError: `turn_not_open`.
    """
    answer, _ = _open_answer(db, turn)
    db.execute("UPDATE message SET content = ? WHERE id = ?", (storable(reply), answer))


def end(db: sqlite3.Connection, turn: int, ending: TurnEnd, now: str) -> None:
    """Store the whole answer and how the turn ended.

    Raises:
        AimarkError: `turn_not_open`.
    """
    answer, session = _open_answer(db, turn)
    reply = storable(ending.reply)
    db.execute(
        "UPDATE message SET content = ?, state = ?, fault = ? WHERE id = ?",
        (reply, ending.state, _json(ending.fault), answer),
    )
    db.execute(
        "UPDATE turn SET state = ?, ended = ?, tokens = ?, timings = ? WHERE id = ?",
        (ending.state, now, ending.tokens, _json(ending.timings), turn),
    )
    db.execute("UPDATE session SET updated = ? WHERE key = ?", (now, session))
    sessions.index(db, 2 * answer, reply)


def cut(db: sqlite3.Connection, turn: int, shorten: Callable[[str], str], now: str) -> tuple[str, str]:
    """Keep of the answer of a turn that has ended what `shorten` leaves of it; the session's id, and what was kept.

    Raises:
        AimarkError: `turn_not_open`.
    """
    row = db.execute(
        """SELECT message.id, message.content, session.key, session.id FROM message
        JOIN session ON session.key = message.session
        WHERE message.turn = ? AND message.role = 'assistant' AND message.state != 'streaming'""",
        (turn,),
    ).fetchone()
    if row is None:
        raise TURN_NOT_OPEN(turn=turn)
    answer, content, session, identity = row
    reply = storable(shorten(content))
    db.execute("UPDATE message SET content = ?, state = 'cancelled' WHERE id = ?", (reply, answer))
    db.execute("UPDATE turn SET state = 'cancelled' WHERE id = ?", (turn,))
    db.execute("UPDATE session SET updated = ? WHERE key = ?", (now, session))
    sessions.index(db, 2 * answer, reply)
    return identity, reply


def mark_interrupted(db: sqlite3.Connection, now: str) -> int:
    """Turns that nobody will end become `interrupted`, their text kept; how many they were."""
    turns = [row[0] for row in db.execute("SELECT id FROM turn WHERE state = 'streaming'")]
    for turn in turns:
        answer, _ = _open_answer(db, turn)
        db.execute("UPDATE message SET state = 'interrupted' WHERE id = ?", (answer,))
        db.execute("UPDATE turn SET state = 'interrupted', ended = ? WHERE id = ?", (now, turn))
        (reply,) = db.execute("SELECT content FROM message WHERE id = ?", (answer,)).fetchone()
        sessions.index(db, 2 * answer, reply)
    return len(turns)


def history(db: sqlite3.Connection, session: int, turns: int) -> list[ChatMessage]:
    """The last `turns` questions that got an answer, each with it, oldest first.

    Only what was said counts, however the turn ended or whether it is still being spoken; questions without an answer,
    answers without a question and system messages are left out.
    """
    newest_first: list[ChatMessage] = []
    said: list[str] = []
    rows = db.execute("SELECT role, content FROM message WHERE session = ? ORDER BY id DESC", (session,))
    for role, content in rows:
        if len(newest_first) >= 2 * turns:
            break
        if role == "assistant" and content.strip():
            said.append(content)
        elif role == "user":
            if said and content.strip():
                reply = "\n\n".join(reversed(said))
                newest_first += [ChatMessage("assistant", reply), ChatMessage("user", content)]
            said = []
    return newest_first[::-1]


def _open_answer(db: sqlite3.Connection, turn: int) -> tuple[int, int]:
    """The answer's message and the session of a turn that is streaming."""
    row = None
    if 0 < turn < _TURN_LIMIT:
        row = db.execute(
            """SELECT message.id, message.session FROM turn JOIN message ON message.turn = turn.id
            WHERE turn.id = ? AND turn.state = 'streaming' AND message.role = 'assistant'""",
            (turn,),
        ).fetchone()
    if row is None:
        raise TURN_NOT_OPEN(turn=turn)
    return int(row[0]), int(row[1])


def _json(value: msgspec.Struct | None) -> str | None:
    return None if value is None else storable(msgspec.json.encode(value).decode())
