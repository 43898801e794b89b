"""Store: the conversations on disk. Synchronous; the daemon uses it through `AsyncStore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aimark_daemon.engines.base import ChatMessage
from aimark_daemon.errors import Fault
from aimark_daemon.protocol.messages import ExportFormat, MessageInfo, SearchHit, SessionInfo, Timings
from aimark_daemon.store import branches, imported, sessions, transfer, turns
from aimark_daemon.store.database import Database, backup_time, backups, recover
from aimark_daemon.store.faults import DATABASE_BROKEN
from aimark_daemon.store.text import clean_title, tidy
from aimark_daemon.store.transfer import timestamp
from aimark_daemon.store.turns import Ending


class Store:
    """The conversations. Used from one thread at a time; every change is on disk when its method returns.

    All methods raise AimarkError: `session_unknown` for a session that is not there or deleted, and `disk_full`,
    `database_unwritable`, `database_busy` or `database_broken` when the file fails; then nothing was changed.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] | None = None) -> None:
        self.database = database
        self._clock = clock or (lambda: datetime.now(UTC))

    @classmethod
    def open(cls, path: Path, clock: Callable[[], datetime] | None = None) -> Store:
        """Open the database, creating or migrating it (a backup comes first). `clock` tells the time of day."""
        return cls(Database.open(path), clock)

    @classmethod
    def open_or_recover(cls, path: Path, clock: Callable[[], datetime] | None = None) -> tuple[Store, Fault | None]:
        """Like `open`; a damaged file is kept aside, the newest sound backup or an empty database takes its place.

        Returns:
            The store, and what people should know: `database_restored` or `database_restarted`.
        """
        try:
            return cls.open(path, clock), None
        except Exception as error:
            if not DATABASE_BROKEN.caught_in(error):
                raise
        notice = recover(path)
        return cls.open(path, clock), notice

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def backup(self) -> Path:
        """Copy the database into the folder `backups` beside it; the three newest copies stay."""
        return self.database.backup(self._clock())

    def backup_if_due(self, age: timedelta) -> Path | None:
        """Make a backup unless the newest one is younger than `age`; None if none was due."""
        now = self._clock()
        newest = next(iter(backups(self.database.path)), None)
        if newest is not None and timedelta(0) <= now - backup_time(newest) < age:
            return None
        return self.database.backup(now)

    # Sessions ---------------------------------------------------------------------------------------------------

    def create_session(self, title: str = "") -> SessionInfo:
        """Make an empty session. An empty title is replaced when the first message comes.

        Raises:
            AimarkError: `title_invalid`.
        """
        cleaned = clean_title(title) if tidy(title) else ""
        now = self.now
        with self.database.writing() as db:
            return sessions.info(db, sessions.create(db, cleaned, now, now))

    def list_sessions(self, limit: int = 1000, offset: int = 0) -> list[SessionInfo]:
        """Sessions that are not deleted: pinned ones, then the others, last used first."""
        with self.database.reading() as db:
            return sessions.listed(db, limit, offset)

    def count_sessions(self) -> int:
        """How many sessions are not deleted."""
        with self.database.reading() as db:
            return int(db.execute("SELECT count(*) FROM session WHERE deleted IS NULL").fetchone()[0])

    def get_session(self, session: str) -> SessionInfo:
        """One session, also a deleted one."""
        with self.database.reading() as db:
            return sessions.info(db, sessions.key_of(db, session, deleted=True))

    def messages(self, session: str) -> list[MessageInfo]:
        """A session's messages, also a deleted one's, in their order."""
        with self.database.reading() as db:
            return sessions.messages(db, sessions.key_of(db, session, deleted=True))

    def rename_session(self, session: str, title: str) -> SessionInfo:
        """Give this session, and only this one, another title: trimmed, NFC, without control characters.

        Raises:
            AimarkError: `title_invalid` unless 1 to 200 characters are left.
        """
        cleaned = clean_title(title)
        with self.database.writing() as db:
            key = sessions.key_of(db, session)
            sessions.rename(db, key, cleaned)
            return sessions.info(db, key)

    def pin_session(self, session: str, *, pinned: bool) -> SessionInfo:
        """Keep a session at the top of the list, or let it go from there."""
        with self.database.writing() as db:
            key = sessions.key_of(db, session)
            db.execute("UPDATE session SET pinned = ? WHERE key = ?", (pinned, key))
            return sessions.info(db, key)

    def branch_session(self, session: str, before: int) -> SessionInfo:
        """Make a new session of what was said before the message `before`; the old one stays as it is.

        Raises:
            AimarkError: `message_unknown`: that session has no such message.
        """
        now = self.now
        with self.database.writing() as db:
            return sessions.info(db, branches.branch(db, sessions.key_of(db, session), before, now))

    def delete_session(self, session: str) -> SessionInfo:
        """Hide a session until it is restored or purged. Deleting it again changes nothing."""
        now = self.now
        with self.database.writing() as db:
            key = sessions.key_of(db, session, deleted=True)
            db.execute("UPDATE session SET deleted = ? WHERE key = ? AND deleted IS NULL", (now, key))
            return sessions.info(db, key)

    def restore_session(self, session: str) -> SessionInfo:
        """Undo `delete_session`."""
        with self.database.writing() as db:
            key = sessions.key_of(db, session, deleted=True)
            db.execute("UPDATE session SET deleted = NULL WHERE key = ?", (key,))
            return sessions.info(db, key)

    def purge(self, before: datetime) -> int:
        """Remove sessions deleted before this time for good; how many they were."""
        with self.database.writing() as db:
            return sessions.purge(db, timestamp(before))

    def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Titles and messages that hold every part of `query`, best first.

        Hangul and Han are found anywhere, also inside a word with particles; other words from their beginning. Case
        and Unicode normalisation do not matter, and no character has a special meaning.
        """
        with self.database.reading() as db:
            return sessions.search(db, query, limit)

    # Export and import ------------------------------------------------------------------------------------------

    def export(self, ids: Sequence[str] | None = None, form: ExportFormat = "json") -> str:
        """These sessions, or all that are not deleted, as text."""
        with self.database.reading() as db:
            if ids is None:
                ids = [row[0] for row in db.execute("SELECT id FROM session WHERE deleted IS NULL ORDER BY key")]
            keys = [sessions.key_of(db, identity) for identity in ids]
            chosen = [(sessions.info(db, key), sessions.messages(db, key)) for key in keys]
        return transfer.to_json(chosen) if form == "json" else transfer.to_markdown(chosen)

    def import_text(self, text: str) -> list[SessionInfo]:
        """Add sessions from an export, all or none of them, with new ids.

        Raises:
            AimarkError: `import_invalid` naming the place, `import_too_big`.
        """
        return imported.take_in(self.database, text, self.now, lambda work: work())

    # Turns ------------------------------------------------------------------------------------------------------

    def begin_turn(self, session: str, text: str, replaces: int | None = None, *, new: bool = False) -> int:
        """Store what the user said, before it is answered. Gives the first message's words to an untitled session.

        The user's message `replaces` and all that came after it are removed first. A `new` session is made with its
        first turn, under this id of `sessions.new_identity`, or not at all.

        Returns:
            The turn's number: larger than all before, below 2**32.

        Raises:
            AimarkError: `message_unknown`, or `message_busy`: an answer after it is still being written.
        """
        now = self.now
        with self.database.writing() as db:
            key = sessions.create(db, "", now, now, session) if new else sessions.key_of(db, session)
            if replaces is not None:
                branches.cut(db, key, replaces)
            return turns.begin(db, key, text, now)

    def checkpoint(self, turn: int, reply: str) -> None:
        """Store the answer so far.

        Raises:
            AimarkError: `turn_not_open`.
        """
        with self.database.writing() as db:
            turns.checkpoint(db, turn, reply)

    def end_turn(
        self,
        turn: int,
        state: Ending,
        reply: str,
        timings: Timings | None = None,
        fault: Fault | None = None,
        tokens: int = 0,
    ) -> None:
        """Store the whole answer and how the turn ended.

        Raises:
            AimarkError: `turn_not_open`.
        """
        now = self.now
        with self.database.writing() as db:
            turns.end(db, turn, turns.TurnEnd(state, reply, timings, fault, tokens), now)

    def cut_answer(self, turn: int, shorten: Callable[[str], str]) -> tuple[str, str]:
        """Keep of the answer of a turn that has ended what `shorten` leaves of it; the session, and what was kept.

        Raises:
            AimarkError: `turn_not_open`.
        """
        now = self.now
        with self.database.writing() as db:
            return turns.cut(db, turn, shorten, now)

    def mark_interrupted(self) -> int:
        """At start-up: turns left streaming by a crash become interrupted, their text kept; how many they were.

        What it left of an import that was not complete is removed.
        """
        now = self.now
        with self.database.writing() as db:
            sessions.remove_hidden(db)
            return turns.mark_interrupted(db, now)

    def history(self, session: str, turns_shown: int) -> list[ChatMessage]:
        """The last answered turns for the model: user and assistant alternately, oldest first.

        Cancelled, interrupted and failed turns count with what was said; those without any answer are left out whole.
        """
        with self.database.reading() as db:
            return turns.history(db, sessions.key_of(db, session), turns_shown)

    @property
    def now(self) -> str:
        """The time of day as it is stored."""
        return timestamp(self._clock())
