"""Dispatch: what clients ask for, answered over the real assistant and store."""

import asyncio
import contextlib
import errno
import io
import json
import os

import pytest

from aimark_daemon import AimarkError
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.messages import (
    Cancel,
    Done,
    EndListen,
    ImportSessions,
    Listen,
    Listening,
    Ok,
    Refused,
    RenameSession,
    SessionChanged,
    SessionReply,
    SessionsImported,
    SessionsReply,
    ShowSession,
    Submit,
    TurnStarted,
    Typing,
)
from aimark_daemon.server.dispatch import Dispatch
from aimark_daemon.server.uploads import Uploads
from aimark_daemon.workers.base import WorkerState
from aimark_daemon.workers.supervisor import Supervisor
from tests.assistant.stage import Ear, stage
from tests.assistant.test_turns import silence, tone


class Client(Ear):
    """A connected client; `topics` are those it subscribed to."""

    def __init__(self, *topics):
        super().__init__()
        self.topics = frozenset(topics)


@contextlib.asynccontextmanager
async def dispatching(folder, **engines):
    async with stage(folder, **engines) as it:
        it.dispatch = Dispatch(it.assistant, it.store, None, tuple)
        yield it


async def speak(it, client, stream, pcm):
    for number, start in enumerate(range(0, len(pcm), 640)):
        frame = AudioFrame(FrameKind.MICROPHONE, stream, number, pcm[start : start + 640])
        await it.dispatch.audio(client, frame)


async def test_a_spoken_question_is_answered(tmp_path):
    async with dispatching(tmp_path, stt={"texts": ["수도는?"]}, llm={"replies": {"수도": "서울입니다."}}) as it:
        client = Client()
        await it.dispatch.request(client, Listen(id=7))
        await speak(it, client, 7, silence(0.1) + tone(0.4))
        await it.dispatch.request(client, EndListen(id=8, listen=7))
        await client.until(client.endings)
        assert client.of(Listening, Ok) == [Listening(id=7), Ok(id=8)]
        assert client.of(TurnStarted)[0].id == 7
        assert client.of(Done)[0].reply == "서울입니다."


async def test_a_cancel_that_overtakes_its_listen_closes_the_stream(tmp_path):
    async with dispatching(tmp_path) as it:
        client = Client()
        it.dispatch.coming(client, 1)
        await it.dispatch.request(client, Cancel(id=2, listen=1))
        with pytest.raises(AimarkError, match="listen_cancelled"):
            await it.dispatch.request(client, Listen(id=1))
        assert not it.assistant.busy
        await it.dispatch.request(client, Listen(id=3))
        assert client.of(Listening) == [Listening(id=3)]


async def test_a_cancel_while_the_stream_is_being_opened_closes_it(tmp_path):
    async with dispatching(tmp_path) as it:
        client = Client()
        it.roster._places["stt"].settled.clear()
        it.dispatch.coming(client, 1)
        opening = asyncio.create_task(it.dispatch.request(client, Listen(id=1)))
        await asyncio.sleep(0)
        await it.dispatch.request(client, Cancel(id=2, listen=1))
        it.roster._places["stt"].settled.set()
        with pytest.raises(AimarkError, match="listen_cancelled"):
            await opening
        assert not it.assistant.busy


async def test_a_cancel_that_comes_late_spoils_no_later_stream_of_the_same_number(tmp_path):
    async with dispatching(tmp_path, stt={"texts": ["하나", "둘"]}) as it:
        client = Client()
        for number, turns in ((1, 1), (4, 2)):
            it.dispatch.coming(client, 7)
            await it.dispatch.request(client, Listen(id=7))
            await speak(it, client, 7, silence(0.1) + tone(0.4))
            await it.dispatch.request(client, EndListen(id=number, listen=7))
            await client.until(lambda turns=turns: len(client.endings()) == turns)
            await it.dispatch.request(client, Cancel(id=number + 1, listen=7))
        assert not client.of(Refused)
        assert len(client.of(Done)) == 2


async def test_of_a_client_that_left_no_stream_is_remembered(tmp_path):
    async with dispatching(tmp_path) as it:
        client = Client()
        it.dispatch.coming(client, 1)
        await it.dispatch.request(client, Cancel(id=2, listen=1))
        await it.dispatch.disconnected(client)
        assert not it.dispatch._early
        assert not it.dispatch._coming


async def test_a_stream_that_fails_is_refused_once_and_its_later_frames_are_dropped(tmp_path):
    async with dispatching(tmp_path) as it:
        client = Client()
        await it.dispatch.request(client, Listen(id=1))
        for number in (0, 2, 3, 4):
            await it.dispatch.audio(client, AudioFrame(FrameKind.MICROPHONE, 1, number, silence(0.02)))
        assert [(r.id, r.fault.code) for r in client.of(Refused)] == [(1, "frames_lost")]
        assert not it.assistant.busy


async def test_a_client_that_leaves_closes_its_streams(tmp_path):
    async with dispatching(tmp_path) as it:
        client = Client()
        await it.dispatch.connected(client)
        await it.dispatch.request(client, Listen(id=1))
        await it.dispatch.disconnected(client)
        assert not it.assistant.busy
        assert not it.dispatch.clients


async def test_a_change_of_a_session_is_told_to_those_who_follow_sessions_alone(tmp_path):
    async with dispatching(tmp_path) as it:
        asking, follower, other = Client("sessions"), Client("sessions"), Client("turns")
        for client in (asking, follower, other):
            await it.dispatch.connected(client)
        session = (await it.store.create_session("이전")).id
        await it.dispatch.request(asking, RenameSession(id=5, session=session, title="이후"))
        assert [reply.session.title for reply in asking.of(SessionReply)] == ["이후"]
        for client in (asking, follower):
            assert [event.session.title for event in client.of(SessionChanged)] == ["이후"]
        assert not other.events


async def test_who_opens_a_session_sees_all_of_an_answer_that_is_being_written(tmp_path):
    async with dispatching(tmp_path, llm={"default": "word " * 400, "delay_s": 0.003}) as it:
        client, late = Client(), Client()
        await it.dispatch.request(client, Submit(id=1, text="말해 줘", speak=False))
        await client.until(lambda: client.of(TurnStarted))
        turn = client.of(TurnStarted)[0]
        await client.until(lambda: len(client.text(turn.turn)) > 20)
        await it.dispatch.request(late, ShowSession(id=2, session=turn.session))
        shown = late.of(SessionReply)[0].messages[-1]
        assert shown.state == "streaming"
        assert shown.content
        assert client.text(turn.turn).startswith(shown.content)


async def test_who_begins_to_type_or_to_speak_wakes_a_model_that_sleeps(tmp_path):
    async with dispatching(tmp_path, worker=lambda spec, _engine: Supervisor(spec)) as it:
        client, worker = Client(), it.roster.here("llm")
        for message, reply in ((Typing(id=1), Ok(id=1)), (Listen(id=2), Listening(id=2))):
            await worker.ready()
            assert await worker.sleep()
            await it.dispatch.request(client, message)
            assert client.events[-1] == reply
            assert worker.status.state is not WorkerState.ASLEEP


def moved(*texts):
    sessions = [{"title": text, "messages": [{"role": "user", "content": text}]} for text in texts]
    return json.dumps({"version": 1, "sessions": sessions}, ensure_ascii=False)


async def test_an_import_in_parts_is_stored_with_the_last_of_them(tmp_path):
    async with dispatching(tmp_path) as it:
        client, text = Client(), moved("가나다", "라마바")
        for number in range(len(text) - 1):
            await it.dispatch.request(client, ImportSessions(id=number, text=text[number], more=True))
        assert await it.store.count_sessions() == 0
        await it.dispatch.request(client, ImportSessions(id=900, text=text[-1]))
        assert [session.title for session in client.of(SessionsReply)[0].sessions] == ["가나다", "라마바"]
        await it.dispatch.request(client, ImportSessions(id=901, text=moved("사")))
        assert await it.store.count_sessions() == 3


async def test_an_import_of_many_sessions_is_one_event_for_those_who_follow_them(tmp_path):
    async with dispatching(tmp_path) as it:
        asking, follower, other = Client("sessions"), Client("sessions"), Client("turns")
        for client in (asking, follower, other):
            await it.dispatch.connected(client)
        await it.dispatch.request(asking, ImportSessions(id=1, text=moved(*(f"대화 {n}" for n in range(300)))))
        assert len(asking.of(SessionsReply)[0].sessions) == 300
        assert len(asking.events) == 1
        assert follower.events == [SessionsImported(count=300)]
        assert other.events == []


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "database_disk_full"), (errno.EIO, "database_unwritable")])
def test_an_upload_that_the_disk_refuses_is_told_and_forgotten(monkeypatch, number, code):
    class Full(io.BytesIO):
        def write(self, _data):
            raise OSError(number, os.strerror(number))

        def close(self):
            raise OSError(number, os.strerror(number))

    uploads, client = Uploads(), Client()
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.SpooledTemporaryFile", lambda _size: Full())
        with pytest.raises(AimarkError, match=code):
            uploads.add(client, "가")
    assert uploads.whole(client, "다") == "다"


async def test_an_import_in_parts_that_is_wrong_at_its_end_changes_nothing(tmp_path):
    async with dispatching(tmp_path) as it:
        client, text = Client(), moved("가나다", "라마바")
        await it.dispatch.request(client, ImportSessions(id=1, text=text[:-3], more=True))
        with pytest.raises(AimarkError, match="import_invalid"):
            await it.dispatch.request(client, ImportSessions(id=2, text="!"))
        assert await it.store.count_sessions() == 0
        await it.dispatch.request(client, ImportSessions(id=3, text=text))
        assert await it.store.count_sessions() == 2


async def test_the_parts_of_two_clients_and_of_one_that_left_do_not_mix(tmp_path):
    async with dispatching(tmp_path) as it:
        one, two, text = Client(), Client(), moved("하나")
        for client in (one, two):
            await it.dispatch.request(client, ImportSessions(id=1, text=text[:9], more=True))
        await it.dispatch.disconnected(two)
        await it.dispatch.request(two, ImportSessions(id=2, text=text))
        await it.dispatch.request(one, ImportSessions(id=2, text=text[9:]))
        assert await it.store.count_sessions() == 2


def test_an_upload_beyond_the_limit_is_refused_and_forgotten():
    uploads, client = Uploads(limit=2**20), Client()
    uploads.add(client, "가" * (2**20 // 3))
    with pytest.raises(AimarkError, match="import_too_big"):
        uploads.add(client, "나")
    assert uploads.whole(client, "다") == "다"
