"""The client library against a real server with a fake dispatcher."""

import asyncio
import contextlib
import socket

import pytest

from aimark_daemon.client import connect
from aimark_daemon.errors import AimarkError
from aimark_daemon.protocol import messages as m
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from aimark_daemon.protocol.faults import BAD_MESSAGE
from aimark_daemon.server.limits import MAX_MESSAGE_BYTES
from tests.server.harness import in_loop, open_door, until


@contextlib.asynccontextmanager
async def pair(folder, **kwargs):
    """A server, and a client that it knows."""
    async with open_door(folder) as door, connect(door.port, door.token, **kwargs) as client:
        yield door, client


@contextlib.contextmanager
def fault(code):
    with pytest.raises(AimarkError) as caught:
        yield caught
    assert caught.value.fault.code == code


@in_loop
async def test_connecting_says_hello_and_brings_the_daemons_welcome(tmp_path):
    async with pair(tmp_path, name="명령줄", language="ko") as (door, client):
        assert client.welcome.status.state == "ready"
        (known,) = door.server.clients
        assert (known.name, known.language) == ("명령줄", "ko")


@in_loop
async def test_every_answer_finds_its_request_in_whatever_order_they_come(tmp_path):
    async with pair(tmp_path) as (door, client):
        held = []

        async def backwards(sender, message):
            held.append(message)
            if len(held) == 20:
                for earlier in reversed(held):
                    title = earlier.title
                    info = m.SessionInfo(id=title, title=title, created="", updated="")
                    sender.send(m.SessionReply(id=earlier.id, session=info))

        door.dispatcher.on_request = backwards
        titles = [f"세션 {number}" for number in range(20)]
        answers = await asyncio.gather(
            *(client.request(m.CreateSession(id=0, title=title), m.SessionReply) for title in titles)
        )
        assert [answer.session.title for answer in answers] == titles


@in_loop
async def test_a_refusal_is_raised_with_the_daemons_fault(tmp_path):
    async with pair(tmp_path) as (door, client):

        async def refuse(sender, message):
            raise BAD_MESSAGE(detail="제목")

        door.dispatcher.on_request = refuse
        with fault("bad_message") as caught:
            await client.request(m.GetStatus(id=0), m.StatusReply)
        assert caught.value.fault.detail == "제목"
        assert caught.value.fault.message.ko == BAD_MESSAGE.message.ko


@in_loop
async def test_an_answer_of_another_kind_is_a_fault(tmp_path):
    async with pair(tmp_path) as (_, client):
        with fault("bad_message"):
            await client.request(m.GetStatus(id=0), m.StatusReply)


@in_loop
async def test_no_answer_in_time_is_a_fault_and_the_late_answer_goes_to_the_events(tmp_path):
    async with pair(tmp_path) as (door, client):
        free = asyncio.Event()

        async def late(sender, message):
            await free.wait()
            sender.send(m.Ok(id=message.id))

        door.dispatcher.on_request = late
        with fault("daemon_slow"):
            await client.request(m.GetStatus(id=77), m.Ok, timeout_s=0.02)
        free.set()
        assert await anext(client.events()) == m.Ok(id=77)


@in_loop
async def test_a_turn_is_answered_by_its_start_and_everything_of_it_comes_as_events_in_order(tmp_path):
    async with pair(tmp_path) as (door, client):
        speech = AudioFrame(FrameKind.SPEECH, 3, 0, b"\1\2" * 100)

        async def turn(sender, message):
            sender.send(m.TurnStarted(turn=3, session="s", id=message.id, text=message.text))
            sender.send(m.Delta(turn=3, at=0, text="서울"))
            sender.send_audio(speech)
            sender.send(m.Done(turn=3, session="s", finish="stop", reply="서울"))

        door.dispatcher.on_request = turn
        started = await client.request(m.Submit(id=0, text="대한민국의 수도는?"), m.TurnStarted)
        events = client.events()
        assert [await anext(events) for _ in range(4)] == [
            started,
            m.Delta(turn=3, at=0, text="서울"),
            speech,
            m.Done(turn=3, session="s", finish="stop", reply="서울"),
        ]


@in_loop
async def test_progress_is_an_event_and_the_end_of_the_download_the_answer(tmp_path):
    async with pair(tmp_path) as (door, client):

        async def pull(sender, message):
            for done in (1, 2):
                sender.send(m.PullProgress(id=message.id, model="qwen", done=done, total=2))
            sender.send(m.Ok(id=message.id))

        door.dispatcher.on_request = pull
        await client.request(m.PullModel(id=0, model="qwen"), m.Ok)
        events = client.events()
        assert [(await anext(events)).done for _ in range(2)] == [1, 2]


@in_loop
async def test_a_download_that_goes_on_is_not_late(tmp_path):
    async with pair(tmp_path, timeout_s=1000.0) as (door, client):
        free = asyncio.Event()

        async def pull(sender, message):
            sender.send(m.PullProgress(id=message.id, model="qwen", done=1, total=8))
            await free.wait()
            sender.send(m.Ok(id=message.id))

        door.dispatcher.on_request = pull
        waiting = asyncio.create_task(client.request(m.PullModel(id=5, model="qwen"), m.Ok, timeout_s=60.0))
        await until(lambda: 5 in client._patience)
        patience = client._patience[5]
        first = patience.when()
        assert isinstance(await anext(client.events()), m.PullProgress)
        assert patience.when() > first + 900.0
        free.set()
        await waiting
        assert client._patience == {}


@in_loop
async def test_microphone_frames_arrive_unchanged(tmp_path):
    async with pair(tmp_path) as (door, client):
        listen = client.next_id()
        await client.request(m.Listen(id=listen), m.Ok)
        frames = [AudioFrame(FrameKind.MICROPHONE, listen, number, bytes([number, 0]) * 320) for number in range(9)]
        for frame in frames:
            await client.send_audio(frame)
        await client.request(m.EndListen(id=0, listen=listen), m.Ok)
        assert [call for call in door.dispatcher.calls if isinstance(call, AudioFrame)] == frames


@in_loop
async def test_a_daemon_that_stops_fails_what_waits_and_ends_the_events_with_the_fault(tmp_path):
    async with pair(tmp_path) as (door, client):
        asked = asyncio.Event()

        async def never(sender, message):
            asked.set()
            await asyncio.Event().wait()

        door.dispatcher.on_request = never
        waiting = asyncio.create_task(client.request(m.GetStatus(id=0), m.StatusReply))
        await asked.wait()
        await door.server.stop()
        with fault("daemon_lost") as caught:
            await waiting
        assert "1001" in caught.value.fault.detail
        assert caught.value.fault.exit_code == 4
        with fault("daemon_lost"):
            await anext(client.events())
        with fault("daemon_lost"):
            await client.request(m.GetStatus(id=0), m.StatusReply)
        assert client.lost is not None


@in_loop
async def test_closing_from_this_side_just_ends_the_events(tmp_path):
    async with pair(tmp_path) as (_, client):
        await client.close()
        assert [event async for event in client.events()] == []


@in_loop
async def test_a_new_connection_works_after_the_daemon_came_back(tmp_path):
    async with open_door(tmp_path) as door:
        token = door.token
        async with connect(door.port, token) as client:
            await client.request(m.GetStatus(id=0), m.Ok)
    async with open_door(tmp_path) as door, connect(door.port, token) as client:
        await client.request(m.GetStatus(id=0), m.Ok)


@in_loop
async def test_nobody_on_the_port_is_said_with_the_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with fault("daemon_unreachable") as caught:
        async with connect(port, "token"):
            pass
    assert str(port) in caught.value.fault.message.ko
    assert caught.value.fault.exit_code == 4


@in_loop
async def test_a_stranger_on_the_port_or_one_that_says_nothing_is_unreachable():
    async def hang_up(reader, writer):
        await reader.readline()
        writer.write(b"SSH-2.0-nonsense\r\n\r\n")
        writer.close()

    async def say_nothing(reader, writer):
        await reader.read()
        writer.close()

    for stranger in (hang_up, say_nothing):
        async with await asyncio.start_server(stranger, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with fault("daemon_unreachable"):
                async with connect(port, "token", timeout_s=0.2):
                    pass


@in_loop
async def test_a_wrong_token_is_not_allowed_and_never_shown(tmp_path):
    async with open_door(tmp_path) as door:
        wrong = "B" * 43
        with fault("not_allowed") as caught:
            async with connect(door.port, wrong):
                pass
        assert wrong not in str(caught.value)
        assert caught.value.fault.exit_code == 4


@in_loop
async def test_the_token_never_reaches_the_log_even_at_its_most_talkative(tmp_path, caplog):
    caplog.set_level("DEBUG")
    async with pair(tmp_path) as (door, client):
        await client.request(m.GetStatus(id=0), m.Ok)
        assert door.token not in caplog.text
    assert "listening on port" in caplog.text


@in_loop
async def test_a_proxy_in_the_environment_is_not_shown_the_token(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with pair(tmp_path) as (_, client):
        await client.request(m.GetStatus(id=0), m.Ok)


@in_loop
async def test_a_message_over_the_limit_is_refused_before_it_is_sent_counted_in_bytes(tmp_path):
    async with pair(tmp_path) as (_, client):
        with fault("message_too_big"):
            await client.request(m.ImportSessions(id=0, text="가" * (MAX_MESSAGE_BYTES // 3)), m.Ok)
        await client.request(m.ImportSessions(id=0, text="가" * (MAX_MESSAGE_BYTES // 3 - 100)), m.Ok)


@in_loop
async def test_a_daemon_of_another_version_says_so(tmp_path, monkeypatch):
    async with open_door(tmp_path) as door:
        monkeypatch.setattr("aimark_daemon.server.session.PROTOCOL_VERSION", 2)
        with fault("wrong_version"):
            async with connect(door.port, door.token):
                pass
