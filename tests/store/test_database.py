"""The file: migrated with a backup, refused when newer, recovered when damaged, whole when the disk is full."""

import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from aimark_daemon.store import Store
from aimark_daemon.store.database import Database, backups
from aimark_daemon.store.schema import MIGRATIONS
from tests.store.helpers import database_files, fault_of, rows, talk

HERE = Path(__file__).parent
NEXT = ("ALTER TABLE session ADD COLUMN colour TEXT", "UPDATE session SET colour = 'blue'")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def old(path):
    """A database file of schema version 1."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript((HERE / "schema_1.sql").read_text(encoding="utf-8"))
    return path


def filled(path, words=("서울", "회의")):
    store = Store.open(path)
    for word in words:
        talk(store, store.create_session(word).id, f"{word}?", f"{word}!")
    return store


def titles(store):
    return sorted(session.title for session in store.list_sessions())


def damage(path):
    """Overwrite pages in the middle, as a failing disk does."""
    data = bytearray(path.read_bytes())
    data[4096 : len(data) - 4096] = b"\x5a" * (len(data) - 8192)
    path.write_bytes(data)


def test_the_file_is_durable_and_its_owners_alone(store):
    pragmas = {
        name: store.database.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "user_version")
    }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "user_version": len(MIGRATIONS),
    }
    if sys.platform != "win32":
        talk(store, store.create_session().id, "안녕", "네")
        for file in store.database.path.parent.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
        assert store.database.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_database_of_version_1_opens_with_everything_in_it(old):
    store = Store.open(old)
    assert titles(store) == ["Imported", "서울 날씨는 어때요?", "회의 준비"]
    assert store.mark_interrupted() == 1
    meeting = store.get_session("0000000000000002")
    assert [(m.content, m.state, m.fault and m.fault.code) for m in store.messages(meeting.id)] == [
        ("Summarise the meeting", "complete", None),
        ("", "failed", "database_disk_full"),
        ("생일 선물은?", "complete", None),
        ("책이", "interrupted", None),
    ]
    for word, session in (("날씨", 1), ("생일", 2), ("회의", 2), ("there", 4)):
        assert {hit.session for hit in store.search(word)} == {f"{session:016}"}
    assert store.restore_session("0000000000000003").title == "지운 대화"
    talk(store, meeting.id, "새 질문", "새 대답")
    assert store.messages(meeting.id)[-1].turn == 4
    store.close()


def test_a_migration_comes_with_a_backup_of_the_version_before(old):
    before = old.read_bytes()
    database = Database.open(old, (*MIGRATIONS[:1], NEXT))
    assert database.version == 2
    assert {row[0] for row in database.connection.execute("SELECT colour FROM session")} == {"blue"}
    database.close()
    (backup,) = backups(old)
    assert backup.name.endswith("-v1.db")
    with closing(sqlite3.connect(backup)) as copy, closing(sqlite3.connect(":memory:")) as origin:
        origin.deserialize(before)
        assert copy.execute("SELECT * FROM session").fetchall() == origin.execute("SELECT * FROM session").fetchall()
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert list(Database.open(old, (*MIGRATIONS[:1], NEXT)).connection.execute("SELECT 1")) == [(1,)]
    assert len(backups(old)) == 1


def test_a_migration_that_fails_changes_nothing(old):
    fault = fault_of(Database.open, old, (*MIGRATIONS[:1], (*NEXT, "SELECT * FROM nowhere")))
    assert fault.code == "database_unwritable"
    database = Database.open(old, MIGRATIONS[:1])
    assert database.version == 1
    assert "colour" not in [row[1] for row in database.connection.execute("PRAGMA table_info(session)")]
    database.close()


def test_a_newer_database_is_refused_and_left_as_it_is(path):
    with closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE future (x); PRAGMA user_version = 99;")
    before = path.read_bytes()
    fault = fault_of(Store.open, path)
    assert fault.code == fault_of(Store.open_or_recover, path).code == "database_newer"
    assert "99" in fault.message.ko
    assert path.read_bytes() == before
    assert database_files(path.parent) == {"sessions.db"}


def test_three_backups_are_kept_and_each_can_take_the_places_of_the_original(path):
    store = filled(path)
    made = []
    for number in range(5):
        talk(store, store.create_session(f"{number}").id, "q", "a")
        made.append(store.backup())
    assert backups(path) == made[:1:-1]
    assert database_files(path.parent / "backups") == {file.name for file in made[2:]}
    for number, backup in enumerate(made[2:], start=2):
        copy = path.with_name(f"restored-{number}.db")
        copy.write_bytes(backup.read_bytes())
        restored = Store.open(copy)
        assert titles(restored) == sorted(["서울", "회의", *map(str, range(number + 1))])
        assert {hit.title for hit in restored.search("회의")} == {"회의"}
        restored.close()
    if sys.platform != "win32":
        assert made[-1].stat().st_mode & 0o077 == 0
    store.close()


def test_a_backup_is_made_when_the_newest_is_old_or_from_the_future(tmp_path, clock):
    path = tmp_path / "sessions.db"
    store = Store.open(path, clock)
    day = timedelta(days=1)
    first = store.backup_if_due(day)
    assert store.backup_if_due(day) is None
    clock.now += day
    second = store.backup_if_due(day)
    clock.now -= timedelta(days=3000)
    third = store.backup_if_due(day)
    assert backups(path) == [third, second, first]
    fourth = store.backup()
    assert backups(path) == [fourth, third, second]
    store.close()


def test_what_a_killed_backup_left_is_swept_by_the_next(path):
    store = Store.open(path)
    store.backup()
    folder = path.parent / "backups"
    for name in ("sessions-000002-20260101T000000Z-v1.part", "sessions-000002-20260101T000000Z-v1.part-journal"):
        (folder / name).write_bytes(b"half")
    store.backup()
    assert database_files(folder) == {file.name for file in backups(path)}
    assert len(backups(path)) == 2
    store.close()


def test_other_files_in_the_folder_of_backups_are_left_alone(path):
    store = filled(path)
    store.backup()
    own = path.parent / "backups" / "sessions-mine.db"
    own.write_bytes(b"keep me")
    for _ in range(4):
        store.backup()
    assert own.read_bytes() == b"keep me"
    assert len(backups(path)) == 3
    store.close()


@pytest.mark.parametrize("broken", [b"this is not a database at all" * 500, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_told_and_left_as_it_is(path, broken):
    path.write_bytes(broken)
    assert fault_of(Store.open, path).code == "database_broken"
    assert path.read_bytes() == broken


def test_a_damaged_database_is_kept_aside_and_its_newest_sound_backup_is_used(path):
    store = filled(path)
    good = store.backup()
    talk(store, store.create_session("나중").id, "백업 뒤의 말", "네")
    newest = store.backup()
    store.close()
    damage(path)
    damage(newest)
    damaged = path.read_bytes()
    assert fault_of(Store.open, path).code == "database_broken"
    store, notice = Store.open_or_recover(path)
    assert notice.code == "database_restored"
    assert good.name in notice.message.en
    assert titles(store) == ["서울", "회의"]
    (kept,) = path.parent.glob("sessions.db.damaged-*")
    assert str(kept) in notice.hint.ko
    assert kept.read_bytes() == damaged
    assert good.is_file()
    talk(store, store.create_session("계속").id, "말", "네")
    store.close()
    store, notice = Store.open_or_recover(path)
    assert notice is None
    assert titles(store) == ["계속", "서울", "회의"]
    store.close()


def test_without_a_backup_the_list_begins_anew(path):
    filled(path).close()
    damage(path)
    store, notice = Store.open_or_recover(path)
    assert notice.code == "database_restarted"
    assert titles(store) == []
    assert len(list(path.parent.glob("sessions.db.damaged-*"))) == 1
    store.close()


def test_a_full_disk_is_told_and_nothing_is_lost(path):
    store = filled(path)
    session = store.list_sessions()[0].id
    turn = store.begin_turn(session, "긴 이야기")
    store.checkpoint(turn, "옛날에")
    before = rows(store)
    db = store.database.connection
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    long = "아주 긴 대답 " * 20_000
    assert fault_of(store.checkpoint, turn, long).code == "database_disk_full"
    assert fault_of(store.end_turn, turn, "complete", long).code == "database_disk_full"
    assert fault_of(store.begin_turn, session, long).code == "database_disk_full"
    assert fault_of(store.import_text, store.export().replace("!", long)).code == "database_disk_full"
    assert rows(store) == before
    db.execute("PRAGMA max_page_count = 1000000")
    store.end_turn(turn, "complete", long)
    assert store.messages(session)[-1].content == long
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_write_that_the_system_refuses_is_told_and_nothing_is_lost(path):
    import resource

    store = filled(path)
    before = rows(store)
    session = store.list_sessions()[0].id
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("sessions.db-wal").stat().st_size, old[1]))
    try:
        refused = fault_of(store.begin_turn, session, "아주 긴 질문 " * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert refused.code in {"database_unwritable", "database_disk_full"}
    assert rows(store) == before
    store.close()
    store = Store.open(path)
    assert rows(store) == before
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_backup_that_does_not_fit_leaves_no_half_copy(path):
    import resource

    store = filled(path)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, old[1]))
    try:
        fault = fault_of(store.backup)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert fault.code in {"database_unwritable", "database_disk_full"}
    assert list((path.parent / "backups").iterdir()) == []
    store.close()


def test_another_writer_is_waited_for_and_then_told(path):
    store = filled(path)
    store.database.connection.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert fault_of(store.create_session, "잠깐").code == "database_busy"
        assert titles(store) == ["서울", "회의"]
    store.create_session("이제")
    store.close()


def test_a_folder_in_the_files_place_is_told(path):
    path.mkdir()
    assert fault_of(Store.open, path).code == "database_unwritable"
