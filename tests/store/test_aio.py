"""The store in the event loop."""

import asyncio
import inspect
import json
import threading
from datetime import UTC, datetime

from aimark_daemon.store import AsyncStore, Store
from aimark_daemon.store.text import terms
from tests.store.helpers import fault_of


def test_it_has_every_method_of_the_store_with_the_same_parameters():
    for name, method in inspect.getmembers(Store, inspect.isfunction):
        if not name.startswith("_"):
            ours = inspect.signature(getattr(AsyncStore, name))
            assert ours == inspect.signature(method), name
            assert inspect.iscoroutinefunction(getattr(AsyncStore, name))


def test_a_conversation_from_begin_to_end(tmp_path):
    async def talk():
        store, notice = await AsyncStore.open(tmp_path / "sessions.db")
        assert notice is None
        session = await store.create_session()
        turn = await store.begin_turn(session.id, "서울 날씨는?")
        await store.checkpoint(turn, "맑")
        await store.end_turn(turn, "complete", "맑습니다.")
        assert [message.content for message in await store.history(session.id, 5)] == ["서울 날씨는?", "맑습니다."]
        assert len(await store.messages(session.id)) == 2
        assert (await store.rename_session(session.id, "날씨")).title == "날씨"
        assert [hit.message for hit in await store.search("날씨")].count(None) == 1
        (copy,) = await store.import_text(await store.export())
        await store.delete_session(copy.id)
        assert (await store.get_session(copy.id)).deleted
        await store.restore_session(copy.id)
        await store.delete_session(copy.id)
        assert await store.purge(datetime(9000, 1, 1, tzinfo=UTC)) == 1
        assert [listed.id for listed in await store.list_sessions()] == [session.id]
        assert await store.count_sessions() == 1
        assert await store.mark_interrupted() == 0
        assert (await store.backup()).is_file()
        await store.close()
        await store.close()

    asyncio.run(talk())


def test_calls_made_at_once_are_carried_out_in_their_order(tmp_path):
    async def race():
        store, _ = await AsyncStore.open(tmp_path / "sessions.db")
        session = (await store.create_session("처음")).id
        renamed = await asyncio.gather(*(store.rename_session(session, f"{number}번째") for number in range(50)))
        assert [info.title for info in renamed] == [f"{number}번째" for number in range(50)]
        assert (await store.get_session(session)).title == "49번째"
        await store.close()

    asyncio.run(race())


def moved(*texts):
    sessions = [{"title": "옮긴 대화", "messages": [{"role": "user", "content": text}]} for text in texts]
    return json.dumps({"version": 1, "sessions": sessions}, ensure_ascii=False)


def test_a_long_import_holds_nobody_up_and_is_not_seen_before_all_of_it_is_there(tmp_path, monkeypatch):
    began, go = threading.Event(), threading.Event()

    def slow(text):
        if text == "멈춤":
            began.set()
            assert go.wait(20)
        return terms(text)

    async def imports():
        store, _ = await AsyncStore.open(tmp_path / "sessions.db")
        session = (await store.create_session("여기")).id
        importing = asyncio.create_task(store.import_text(moved("바다 " * 40_000, "멈춤", "끝")))
        await asyncio.to_thread(began.wait, 20)
        async with asyncio.timeout(10):
            turn = await store.begin_turn(session, "질문")
            await store.end_turn(turn, "complete", "대답")
            assert [listed.id for listed in await store.list_sessions()] == [session]
            assert await store.count_sessions() == 1
            assert await store.search("바다") == []
            assert await store.purge(datetime(9000, 1, 1, tzinfo=UTC)) == 0
            assert "바다" not in await store.export()
        assert not importing.done()
        importing.cancel()
        go.set()
        await store.close()
        store, _ = await AsyncStore.open(tmp_path / "sessions.db")
        assert await store.count_sessions() == 4, "neither cancelling nor closing cuts an import off"
        assert len(await store.search("바다")) == 1
        await store.close()

    monkeypatch.setattr("aimark_daemon.store.sessions.terms", slow)
    try:
        asyncio.run(imports())
    finally:
        go.set()


def test_cancelling_the_caller_does_not_undo_its_call(tmp_path):
    async def cancelled():
        store, _ = await AsyncStore.open(tmp_path / "sessions.db")
        session = (await store.create_session("처음")).id
        gate = threading.Event()
        store._thread.submit(gate.wait)
        call = asyncio.create_task(store.rename_session(session, "나중"))
        await asyncio.sleep(0)
        call.cancel()
        gate.set()
        assert (await store.get_session(session)).title == "나중"
        assert call.cancelled()
        await store.close()

    asyncio.run(cancelled())


def test_faults_reach_the_caller(tmp_path):
    async def unknown():
        store, _ = await AsyncStore.open(tmp_path / "sessions.db")
        try:
            await store.rename_session("없음", "이름")
        finally:
            await store.close()

    assert fault_of(asyncio.run, unknown()).code == "session_unknown"


def test_a_damaged_file_is_told_beside_the_store(tmp_path):
    (tmp_path / "sessions.db").write_bytes(b"not a database" * 1000)

    async def opened():
        store, notice = await AsyncStore.open(tmp_path / "sessions.db")
        await store.create_session("다시 시작")
        await store.close()
        return notice

    assert asyncio.run(opened()).code == "database_restarted"


def test_a_file_that_cannot_be_opened_is_a_fault_and_leaves_no_thread(tmp_path):
    (tmp_path / "sessions.db").mkdir()
    assert fault_of(asyncio.run, AsyncStore.open(tmp_path / "sessions.db")).code == "database_unwritable"
    for thread in threading.enumerate():
        if thread.name.startswith("store"):
            thread.join(10)
            assert not thread.is_alive()
