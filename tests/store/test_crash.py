"""Killed while writing: nothing that was acknowledged is lost."""

import subprocess
import sys
from contextlib import closing

from aimark_daemon.store import Store
from tests.store.helpers import rows, talk

WRITER = """
import sys
from pathlib import Path
from aimark_daemon.store import Store

store = Store.open(Path(sys.argv[1]))
store.mark_interrupted()
number = 0
while True:
    session = store.create_session(f"대화 {number}").id
    turn = store.begin_turn(session, f"질문 {number}")
    print("asked", session, turn, number, flush=True)
    store.checkpoint(turn, f"대답의 처음 {number}")
    print("begun", session, turn, number, flush=True)
    if number % 3 == 0:
        store.end_turn(turn, "complete", f"대답 {number}")
        print("done", session, turn, number, flush=True)
    if number % 5 == 0:
        store.rename_session(session, f"새 이름 {number}")
        print("named", session, turn, number, flush=True)
    number += 1
"""
IMPORTER = """
import json, sys, time
from pathlib import Path
from aimark_daemon.store import Store, sessions

words = sessions.terms

def terms(text):
    if text == "멈춤":
        print("half", flush=True)
        time.sleep(600)
    return words(text)

sessions.terms = terms
store = Store.open(Path(sys.argv[1]))
moved = [{"messages": [{"role": "user", "content": text}]} for text in ("바다 " * 40_000, "멈춤")]
store.import_text(json.dumps({"version": 1, "sessions": moved}))
"""
KILLS = 15


def test_an_import_that_was_killed_half_way_is_not_seen_and_leaves_nothing(tmp_path):
    path = tmp_path / "sessions.db"
    with closing(Store.open(path)) as store:
        talk(store, store.create_session("여기").id, "바다는?", "넓습니다.")
        before = rows(store)
    command = [sys.executable, "-c", IMPORTER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "half\n"
        child.kill()
    with closing(Store.open(path)) as store:
        assert rows(store) != before
        assert [info.title for info in store.list_sessions()] == ["여기"]
        assert [hit.title for hit in store.search("바다")] == ["여기"]
        store.mark_interrupted()
        assert rows(store) == before


def test_fifteen_kills_lose_no_acknowledged_row(tmp_path):
    path = tmp_path / "sessions.db"
    acknowledged = {}
    for kill in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as child:
            for _ in range(5 + 7 * kill):
                add(acknowledged, child.stdout.readline())
            child.kill()
            for line in child.stdout:  # what it had said before it died
                if line.endswith("\n"):
                    add(acknowledged, line)
        assert child.returncode != 0
    store = Store.open(path)
    with closing(store):
        store.mark_interrupted()
        assert len(acknowledged) > KILLS
        turns = set()
        for session, (turn, number, said) in acknowledged.items():
            question, answer = store.messages(session)
            assert question.content == f"질문 {number}"
            assert question.turn == answer.turn == turn
            assert answer.state in ({"complete"} if "done" in said else {"interrupted", "complete"})
            if "done" in said:
                assert answer.content == f"대답 {number}"
            elif "begun" in said:
                assert answer.content.startswith("대답")
            if "named" in said:
                assert store.get_session(session).title == f"새 이름 {number}"
            turns.add(turn)
        assert len(turns) == len(acknowledged)
        assert store.database.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert store.database.connection.execute("SELECT 1 FROM turn WHERE state = 'streaming'").fetchone() is None


def add(acknowledged, line):
    step, session, turn, number = line.split()
    acknowledged.setdefault(session, (int(turn), int(number), set()))[2].add(step)
