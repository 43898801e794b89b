"""Database file: opening, checking, migrating, backing up and recovering it; SQLite's errors as faults."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.paths import create_folder
from aimark_daemon.store.faults import (
    DATABASE_BROKEN,
    DATABASE_BUSY,
    DATABASE_NEWER,
    DATABASE_RESTARTED,
    DATABASE_RESTORED,
    DATABASE_UNWRITABLE,
    DISK_FULL,
)
from aimark_daemon.store.schema import MIGRATIONS, Migration

BACKUPS_KEPT: Final = 3
_BUSY_S: Final = 5.0
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_BACKUP: Final = re.compile(r"-(\d{6,})-(\d{8}T\d{6}Z)-v\d+\.db$")
_PRIMARY_CODE: Final = 0xFF  # the low byte of an extended result code


class Database:
    """One connection: `writing` and `reading` give it out. Used from one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> Database:
        """Open, check and bring to the newest schema; a missing file is created, its owner's alone.

        Raises:
            AimarkError: `database_newer` (the file is untouched), `database_broken`, `database_busy`, `disk_full`,
                `database_unwritable`, `folder_unusable`.
        """
        create_folder(path.parent)
        with told(path):
            with suppress(OSError):  # what is wrong is told by connecting
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            database = cls(connection, path)
            try:
                database._prepare(migrations)
            except BaseException:
                connection.close()
                raise
        return database

    @property
    def version(self) -> int:
        """Version of the schema; 0 for an empty file."""
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection, folding the write-ahead log into the file."""
        self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection to read with."""
        with told(self.path):
            yield self.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction: on disk when the block ends, undone when it raises."""
        with told(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # SQLite undoes some failures itself
                    self.connection.execute("ROLLBACK")
                raise

    def backup(self, now: datetime | None = None, keep: int = BACKUPS_KEPT) -> Path:
        """Copy the whole database into the folder `backups` beside it; the newest `keep` copies stay.

        What a backup that was cut off left behind goes.

        `now` (UTC) becomes part of the name.

        Raises:
            AimarkError: `disk_full`, `database_unwritable`; no half copy is left.
        """
        folder = self.path.parent / "backups"
        create_folder(folder)
        stamp = (now or datetime.now(UTC)).strftime(_STAMP)
        newest = next(iter(backups(self.path)), None)
        number = 1 + (_numbered(newest)[0] if newest else 0)  # counted, because clocks go wrong
        target = folder / f"{self.path.stem}-{number:06}-{stamp}-v{self.version}.db"
        part = target.with_suffix(".part")
        try:
            with told(target):
                os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
                with closing(sqlite3.connect(part)) as copy:
                    self.connection.backup(copy)
                part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        for old in (*backups(self.path)[keep:], *folder.glob(f"{self.path.stem}-*.part*")):
            with suppress(OSError):
                old.unlink()
        return target

    def _prepare(self, migrations: Sequence[Migration]) -> None:
        # Everything up to the journal mode only reads, so that a newer or damaged file stays as it is.
        if self.version > len(migrations):
            raise DATABASE_NEWER(path=self.path, found=self.version, known=len(migrations))
        verdict = self.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise DATABASE_BROKEN(path=self.path, detail=str(verdict))
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute("PRAGMA foreign_keys = ON")
        if 0 < self.version < len(migrations):
            self.backup()
        while (version := self.version) < len(migrations):
            with self.writing() as connection:
                for statement in migrations[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")


def backups(path: Path) -> list[Path]:
    """The backups of the database at `path`, newest first."""
    found = (path.parent / "backups").glob(f"{path.stem}-*.db")
    return sorted((file for file in found if _BACKUP.search(file.name)), key=_numbered, reverse=True)


def backup_time(backup: Path) -> datetime:
    """When this backup was made, by its name."""
    return _numbered(backup)[1]


def _numbered(backup: Path) -> tuple[int, datetime]:
    match = _BACKUP.search(backup.name)
    assert match is not None
    return int(match[1]), datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)


def recover(path: Path) -> Fault:
    """Keep the damaged database at `path` aside and put the newest sound backup in its place, if there is one.

    Returns:
        What people should know: `database_restored` or `database_restarted`.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    with told(path):
        # The log goes first: without its log a database is merely older, a log beside another database is poison.
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).replace(kept.with_name(kept.name + suffix))
        for backup in backups(path):
            if not _is_sound(backup):
                continue
            part = path.with_name(path.name + ".part")
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
            part.replace(path)
            return DATABASE_RESTORED.fault(backup=backup.name, kept=kept)
    return DATABASE_RESTARTED.fault(kept=kept)


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors in this block become faults that name `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(error, path) from error
    except OSError as error:
        raise DATABASE_UNWRITABLE(path=path, detail=error.strerror or str(error)) from error


def _fault(error: sqlite3.Error, path: Path) -> AimarkError:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    detail = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DATABASE_BROKEN(path=path, detail=detail)
    if code == sqlite3.SQLITE_FULL:
        return DISK_FULL(path=path, detail=detail)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DATABASE_BUSY(path=path, detail=detail)
    return DATABASE_UNWRITABLE(path=path, detail=detail)
