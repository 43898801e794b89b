"""Connected clients: greeting, order, bad input, slow and fast ones, and their end."""

import asyncio
import contextlib
import json
import random
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from aimark_daemon.protocol import messages as m
from aimark_daemon.protocol.audio import HEADER, AudioFrame, FrameKind, decode_frame, encode_frame
from aimark_daemon.protocol.faults import BAD_MESSAGE
from aimark_daemon.server.limits import MAX_MESSAGE_BYTES, Limits
from aimark_daemon.server.session import Lane, id_in, stream_in
from tests.server.harness import Clock, in_loop, open_door, request, until


def frame(stream=5, sequence=0, pcm=b"\0\0" * 320, kind=FrameKind.MICROPHONE):
    return encode_frame(AudioFrame(kind, stream, sequence, pcm))


async def next_message(websocket):
    return m.decode_server(await websocket.recv())


async def end_of(websocket):
    """Read to the end; how it was closed."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await websocket.recv()
    return websocket.close_code, websocket.close_reason


# Greeting -------------------------------------------------------------------------------------------------------


@in_loop
async def test_hello_sets_name_and_language_and_is_answered(tmp_path):
    async with open_door(tmp_path) as door, door.socket() as websocket:
        await websocket.send(m.encode(m.Hello(id=7, client="시험", language="ko")))
        welcome = await next_message(websocket)
        assert isinstance(welcome, m.Welcome)
        assert welcome.id == 7
        (client,) = door.server.clients
        assert (client.name, client.language, client.kind) == ("시험", "ko", "command line")
        assert door.dispatcher.calls[0] == ("connected", client.id)


@pytest.mark.parametrize(
    ("first", "number", "code"),
    [
        (m.encode(m.GetStatus(id=3)), 3, "hello_first"),
        (m.encode(m.Hello(id=3, version=99)), 3, "wrong_version"),
        ('{"type":"hello","id":4,"version":"new"}', 4, "bad_message"),
        ("{", 0, "bad_message"),
        (frame(), 0, "hello_first"),
    ],
)
@in_loop
async def test_without_a_good_hello_first_the_fault_is_told_and_the_connection_closed(tmp_path, first, number, code):
    async with open_door(tmp_path) as door, door.socket() as websocket:
        await websocket.send(first)
        refused = await next_message(websocket)
        assert isinstance(refused, m.Refused)
        assert (refused.id, refused.fault.code) == (number, code)
        assert (await end_of(websocket))[0] == 1008
        assert door.dispatcher.calls == []


@in_loop
async def test_who_says_nothing_is_closed(tmp_path):
    async with open_door(tmp_path, limits=Limits(hello_timeout_s=0.05)) as door, door.socket() as websocket:
        assert await end_of(websocket) == (1008, "no hello in time")


@in_loop
async def test_a_half_open_connection_is_dropped(tmp_path):
    async with open_door(tmp_path, limits=Limits(open_timeout_s=0.05)) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(b"GET /socket HTTP/1.1\r\nHost:")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


# Requests -------------------------------------------------------------------------------------------------------


@in_loop
async def test_a_slow_request_holds_up_no_other(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        free = asyncio.Event()

        async def slow(client, message):
            if isinstance(message, m.GetStatus):
                await free.wait()
            if isinstance(message, m.Cancel):
                free.set()
            await door.dispatcher.answer(client, message)

        door.dispatcher.on_request = slow
        await websocket.send(m.encode(m.GetStatus(id=2)))
        await websocket.send(m.encode(m.Cancel(id=3, turn=1)))
        assert [(await next_message(websocket)).id for _ in range(2)] == [3, 2]


@in_loop
async def test_listening_its_frames_and_its_end_keep_their_order_even_if_each_takes_its_time(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        finished = []

        async def take(client, message):
            for _ in range(random.Random(len(finished)).randrange(5)):
                await asyncio.sleep(0)
            finished.append(message if isinstance(message, AudioFrame) else type(message))
            if isinstance(message, m.EndListen):
                client.send(m.Ok(id=message.id))

        door.dispatcher.on_request = take
        door.dispatcher.audio = take
        await websocket.send(m.encode(m.Listen(id=5)))
        frames = [frame(sequence=number) for number in range(50)]
        for data in frames:
            await websocket.send(data)
        await websocket.send(m.encode(m.EndListen(id=6, listen=5)))
        assert (await next_message(websocket)).id == 6
        assert finished == [m.Listen, *map(decode_frame, frames), m.EndListen]


@in_loop
async def test_a_listen_that_has_to_wait_is_known_to_the_cancel_that_overtakes_it(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        free = asyncio.Event()

        async def stuck(client, audio):
            await free.wait()

        door.dispatcher.audio = stuck
        await websocket.send(frame(sequence=0))
        await websocket.send(m.encode(m.Listen(id=6)))
        await websocket.send(m.encode(m.Cancel(id=9, listen=6)))
        assert (await next_message(websocket)).id == 9
        free.set()
        assert (await next_message(websocket)).id == 6
        seen = [
            call for call in door.dispatcher.calls if "coming" in str(call) or isinstance(call, m.Cancel | m.Listen)
        ]
        assert seen[0][0] == "coming"
        assert seen[0][2] == 6
        assert [type(call) for call in seen[1:]] == [m.Cancel, m.Listen]


@in_loop
async def test_cancel_overtakes_frames_that_the_assistant_does_not_take(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        free = asyncio.Event()

        async def stuck(client, audio):
            await free.wait()

        door.dispatcher.audio = stuck
        for number in range(20):
            await websocket.send(frame(sequence=number))
        await websocket.send(m.encode(m.Cancel(id=9, listen=5)))
        assert (await next_message(websocket)).id == 9
        free.set()


@in_loop
async def test_a_failing_dispatcher_is_an_answer_and_the_connection_stays(tmp_path, caplog):
    async with open_door(tmp_path) as door, door.greeted() as websocket:

        async def fail(client, message):
            if isinstance(message, m.GetStatus):
                raise KeyError("사라짐")
            raise BAD_MESSAGE(detail="my own words")

        door.dispatcher.on_request = fail
        door.dispatcher.audio = fail
        await websocket.send(m.encode(m.GetStatus(id=2)))
        refused = await next_message(websocket)
        assert (refused.id, refused.fault.code) == (2, "internal")
        assert "사라짐" in refused.fault.detail
        await websocket.send(m.encode(m.ListModels(id=3)))
        refused = await next_message(websocket)
        assert (refused.id, refused.fault.code, refused.fault.detail) == (3, "bad_message", "my own words")
        await websocket.send(frame(stream=11))
        assert (await next_message(websocket)).id == 11
        assert "사라짐" in caplog.text


@in_loop
async def test_more_unanswered_requests_than_allowed_are_refused(tmp_path):
    async with open_door(tmp_path, limits=Limits(requests_in_flight=3)) as door, door.greeted() as websocket:
        free = asyncio.Event()

        async def wait(client, message):
            await free.wait()
            client.send(m.Ok(id=message.id))

        door.dispatcher.on_request = wait
        for number in range(2, 6):
            await websocket.send(m.encode(m.GetStatus(id=number)))
        refused = await next_message(websocket)
        assert (refused.id, refused.fault.code) == (5, "too_many_requests")
        free.set()
        assert [(await next_message(websocket)).id for _ in range(3)] == [2, 3, 4]
        await websocket.send(m.encode(m.GetStatus(id=6)))
        assert (await next_message(websocket)).id == 6


@in_loop
async def test_a_request_goes_on_when_its_client_leaves(tmp_path):
    async with open_door(tmp_path) as door:
        began, free, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def rename(client, message):
            began.set()
            await free.wait()
            client.send(m.Ok(id=message.id))
            ended.set()

        async with door.greeted() as websocket:
            door.dispatcher.on_request = rename
            await websocket.send(m.encode(m.RenameSession(id=2, session="s", title="제목")))
            await began.wait()
            websocket.transport.abort()
            await door.dispatcher.gone.wait()
        free.set()
        await ended.wait()
        assert door.dispatcher.calls[-1][0] == "disconnected"
        assert (await request(door.port, "/health")).status == 200


# Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "number", "code"),
    [
        ("", 0, "bad_message"),
        ("null", 0, "bad_message"),
        ('{"type":"dance","id":12}', 12, "bad_message"),
        ('{"type":"submit","id":13}', 13, "bad_message"),
        ('{"type":"submit","id":14,"text":5}', 14, "bad_message"),
        ('{"type":"submit","id":"a","text":"가"}', 0, "bad_message"),
        ('{"type":"submit","id":1e400,"text":"가"}', 0, "bad_message"),
        ("[" * 100_000, 0, "bad_message"),
        (b"", 0, "bad_frame"),
        (b"\x01\x01\0\0\x07\0\0\0\0\0\0\0\x01", 7, "bad_frame"),
        (b"\x09" + b"\0" * 11, 0, "bad_frame"),
        (frame(stream=8, kind=FrameKind.SPEECH), 8, "bad_frame"),
        (frame(stream=9, pcm=b"\0" * 262_146), 9, "bad_frame"),
    ],
)
@in_loop
async def test_bad_input_is_refused_with_its_id_and_the_connection_stays(tmp_path, data, number, code):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        await websocket.send(data)
        refused = await next_message(websocket)
        assert isinstance(refused, m.Refused)
        assert (refused.id, refused.fault.code) == (number, code)
        assert refused.fault.message.ko
        await websocket.send(m.encode(m.GetStatus(id=99)))
        assert (await next_message(websocket)).id == 99


@in_loop
async def test_a_message_of_a_mebibyte_passes_and_one_byte_more_closes_with_1009(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        empty = m.encode(m.ImportSessions(id=2, text=""))
        await websocket.send(m.encode(m.ImportSessions(id=2, text="a" * (MAX_MESSAGE_BYTES - len(empty)))))
        assert (await next_message(websocket)).id == 2
        with contextlib.suppress(ConnectionClosed):
            await websocket.send("a" * (MAX_MESSAGE_BYTES + 1))
        assert (await end_of(websocket))[0] == 1009
        await door.dispatcher.gone.wait()
        async with door.greeted():
            pass


@in_loop
async def test_broken_utf8_closes_with_1007_and_the_daemon_goes_on(tmp_path):
    async with open_door(tmp_path) as door:
        async with door.greeted() as websocket:
            await websocket.send("안녕".encode()[:-1], text=True)
            assert (await end_of(websocket))[0] == 1007
        async with door.greeted():
            pass


@in_loop
async def test_five_thousand_junk_messages_leave_a_working_connection(tmp_path):
    chance = random.Random(20261124)
    good = [m.encode(m.GetStatus(id=0)).encode(), frame(), m.encode(m.Subscribe(id=1, topics=("turns",))).encode()]
    unpaced = Limits(messages_burst=1e9, bytes_burst=1e12, outbound_bytes=1 << 30)
    async with open_door(tmp_path, limits=unpaced) as door, door.greeted() as websocket:

        async def read_until(number):
            while True:
                data = await websocket.recv()
                if isinstance(data, str) and getattr(m.decode_server(data), "id", None) == number:
                    return

        reading = asyncio.create_task(read_until(123_456))
        for _ in range(5000):
            data = bytearray(chance.choice(good))
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(128)
            data = bytes(data[: chance.randrange(len(data) + 1)])
            await websocket.send(data, text=data.isascii() and chance.random() < 0.7)
        await websocket.send(m.encode(m.GetStatus(id=123_456)))
        await reading


@given(st.text() | st.binary())
def test_an_id_can_be_looked_for_in_anything(data):
    assert isinstance(id_in(data), int)


@given(st.integers(-(2**53), 2**53), st.text(max_size=5))
def test_the_id_of_a_message_that_is_wrong_otherwise_is_found(number, other):
    assert id_in(json.dumps({"type": other, "id": number, "text": []})) == number


@given(st.binary(max_size=40))
def test_a_stream_can_be_looked_for_in_any_frame(data):
    assert stream_in(data) == (HEADER.unpack_from(data)[3] if len(data) >= HEADER.size else 0)


# Pace -----------------------------------------------------------------------------------------------------------


@in_loop
async def test_a_flood_is_slowed_down_and_others_are_not(tmp_path):
    clock = Clock()
    limits = Limits(messages_per_s=1e-6, messages_burst=10, close_timeout_s=0.1)
    async with open_door(tmp_path, limits=limits, clock=clock) as door, door.greeted() as flooder:
        for number in range(2, 200):
            await flooder.send(m.encode(m.GetStatus(id=number)))
        for number in range(2, 12):
            assert (await next_message(flooder)).id == number
        async with door.greeted() as other:
            await other.send(m.encode(m.GetStatus(id=2)))
            assert (await next_message(other)).id == 2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await flooder.recv()
        flooder.transport.abort()


@in_loop
async def test_a_client_that_does_not_read_is_closed_and_others_get_everything(tmp_path):
    limits = Limits(outbound_bytes=1 << 20, close_timeout_s=0.2)
    async with open_door(tmp_path, limits=limits) as door, door.greeted() as good:
        stuck_socket = socket.create_connection(("127.0.0.1", door.port))
        async with door.greeted(sock=stuck_socket, max_queue=1) as stuck:
            stuck.transport.pause_reading()
            slow = door.server.clients[1]
            text = "가" * 20_000
            sent = 0
            while not slow.closed:
                for client in door.server.clients:
                    client.send(m.Delta(turn=1, at=sent, text=text))
                sent += 1
                assert sent < 5000
                assert (await next_message(good)).at == sent - 1
            await until(lambda: slow not in door.server.clients)
            assert len(door.server.clients) == 1
            stuck.transport.resume_reading()
        await good.send(m.encode(m.GetStatus(id=2)))
        assert (await next_message(good)).id == 2


@in_loop
async def test_one_large_answer_is_not_a_slow_client(tmp_path):
    limits = Limits(outbound_bytes=1 << 20)
    async with open_door(tmp_path, limits=limits) as door, door.greeted(max_size=None) as websocket:

        async def export(client, message):
            client.send(m.ExportReply(id=message.id, format="json", text="가" * 5_000_000))
            client.send(m.Ok(id=message.id + 1))

        door.dispatcher.on_request = export
        await websocket.send(m.encode(m.ExportSessions(id=2)))
        assert len((await next_message(websocket)).text) == 5_000_000
        assert (await next_message(websocket)).id == 3


@in_loop
async def test_a_full_lane_waits_and_lets_one_oversized_call_through():
    lane, done = Lane(10), []

    def call(name):
        async def run():
            done.append(name)

        return run

    await lane.put(50, call("oversized"))
    waiting = asyncio.create_task(lane.put(1, call("next")))
    await asyncio.sleep(0)
    assert not waiting.done()
    working = asyncio.create_task(lane.run())
    await waiting
    await lane.put(0, call("last"))
    await until(lambda: len(done) == 3)
    working.cancel()
    assert done == ["oversized", "next", "last"]


# Who is connected -----------------------------------------------------------------------------------------------


@in_loop
async def test_what_a_client_subscribes_to_is_known_when_it_is_answered(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as one:
        await one.send(m.encode(m.Subscribe(id=2, topics=("telemetry", "turns"))))
        assert (await next_message(one)).id == 2
        assert [client.topics for client in door.server.clients] == [{"telemetry", "turns"}]


@in_loop
async def test_the_seventeenth_connection_is_refused_until_one_leaves(tmp_path):
    async with open_door(tmp_path) as door, contextlib.AsyncExitStack() as stack:
        for _ in range(15):
            await stack.enter_async_context(door.greeted())
        async with door.greeted() as last:
            with pytest.raises(InvalidStatus) as caught:
                await door.socket()
            assert caught.value.response.status_code == 503
            assert (await request(door.port, "/health")).status == 200
            number = door.server.clients[-1].id
            last.transport.abort()
            await until(lambda: all(client.id != number for client in door.server.clients))
        async with door.greeted():
            pass


@in_loop
async def test_more_open_sockets_than_allowed_are_dropped_at_once(tmp_path):
    async with open_door(tmp_path, limits=Limits(sockets=3)) as door:
        held = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(3)]
        await until(lambda: len(door.server._sockets) == 3)
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        for one in (writer, *(pair[1] for pair in held)):
            one.close()
        await until(lambda: not door.server._sockets)
        assert (await request(door.port, "/health")).status == 200


@in_loop
async def test_a_rotated_token_closes_live_sockets_and_the_old_token_opens_none(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        old = door.socket()
        door.server.rotate_token()
        assert await end_of(websocket) == (1008, "the token was replaced")
        with pytest.raises(InvalidStatus) as caught:
            await old
        assert caught.value.response.status_code == 401
        async with door.greeted():
            pass


@in_loop
async def test_a_stop_tells_clients_and_ends_requests(tmp_path):
    async with open_door(tmp_path) as door, door.greeted() as websocket:
        ended = []

        async def forever(client, message):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(message.id)

        door.dispatcher.on_request = forever
        await websocket.send(m.encode(m.GetStatus(id=2)))
        await until(lambda: len(door.dispatcher.calls) == 3)
        reading = asyncio.create_task(end_of(websocket))
        await door.server.stop()
        assert await reading == (1001, "the daemon stops")
        assert ended == [2]
        with pytest.raises(OSError, match=r"."):
            await request(door.port, "/health")


@in_loop
async def test_a_stop_does_not_wait_for_a_client_that_does_not_read(tmp_path):
    limits = Limits(close_timeout_s=0.1, stop_timeout_s=0.5)
    async with open_door(tmp_path, limits=limits) as door, door.greeted(max_queue=1) as stuck:
        stuck.transport.pause_reading()
        for _ in range(40):
            door.server.clients[0].send(m.Delta(turn=1, at=0, text="a" * 100_000))
        await door.server.stop()
        assert door.server.clients == ()
        assert door.dispatcher.calls[-1][0] == "disconnected"
        stuck.transport.abort()
