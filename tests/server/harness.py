"""A running server with a fake dispatcher, and a raw HTTP client that can say anything."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websocket_connect

from aimark_daemon import __version__
from aimark_daemon.protocol import messages as m
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.server.auth import Auth
from aimark_daemon.server.base import ClientHandle
from aimark_daemon.server.limits import Limits
from aimark_daemon.server.server import Server

STATUS = m.Status(state="ready", version=__version__, pid=1, port=1, engines={}, gpu=(), sessions=0)
TIMEOUT_S = 60.0


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in a loop of its own, for a bounded time."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(TIMEOUT_S):
                await test(*args, **kwargs)

        asyncio.run(bounded())

    return run


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds; the test's own time-out bounds it."""
    while not condition():
        await asyncio.sleep(0)


class Clock:
    """Time that stands still until it is moved, in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeDispatcher:
    """Answers from a script: `on_request` may be replaced; everything is recorded in `calls`."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.gone = asyncio.Event()
        self.on_request: Callable[[ClientHandle, m.ClientMessage], Coroutine[Any, Any, None]] = self.answer

    async def connected(self, client: ClientHandle) -> None:
        self.calls.append(("connected", client.id))

    async def request(self, client: ClientHandle, message: m.ClientMessage) -> None:
        self.calls.append(message)
        await self.on_request(client, message)

    async def answer(self, client: ClientHandle, message: m.ClientMessage) -> None:
        match message:
            case m.Hello():
                client.send(m.Welcome(id=message.id, version=m.PROTOCOL_VERSION, daemon=__version__, status=STATUS))
            case m.Submit():
                client.send(m.TurnStarted(turn=1, session="s", id=message.id, text=message.text))
            case _:
                client.send(m.Ok(id=message.id))

    def coming(self, client: ClientHandle, stream: int) -> None:
        self.calls.append(("coming", client.id, stream))

    async def audio(self, client: ClientHandle, frame: AudioFrame) -> None:
        self.calls.append(frame)

    async def disconnected(self, client: ClientHandle) -> None:
        self.calls.append(("disconnected", client.id))
        self.gone.set()


async def some_metrics() -> str:
    return "aimark_turns 0\n"


class Door:
    """A running server with what stands behind it."""

    def __init__(self, server: Server, auth: Auth, dispatcher: FakeDispatcher) -> None:
        self.server = server
        self.auth = auth
        self.dispatcher = dispatcher

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def token(self) -> str:
        return self.auth.token_path.read_text().strip()

    def cookie(self) -> str:
        return self.auth.cookie_header(self.port).partition(";")[0]

    def socket(self, **kwargs: Any) -> websocket_connect:
        """A WebSocket of a program that knows the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        kwargs = {"additional_headers": headers, "compression": None, "proxy": None, "close_timeout": 1} | kwargs
        return websocket_connect(f"ws://127.0.0.1:{self.port}/socket", **kwargs)

    @contextlib.asynccontextmanager
    async def greeted(self, **kwargs: Any) -> AsyncIterator[ClientConnection]:
        """A WebSocket that has said hello and was welcomed."""
        async with self.socket(**kwargs) as websocket:
            await websocket.send(m.encode(m.Hello(id=1, client="test")))
            assert isinstance(m.decode_server(await websocket.recv()), m.Welcome)
            yield websocket


@contextlib.asynccontextmanager
async def open_door(
    folder: Path,
    *,
    limits: Limits | None = None,
    clock: Callable[[], float] | None = None,
    page: Path | None = None,
    metrics: Callable[[], Coroutine[Any, Any, str]] | None = None,
) -> AsyncIterator[Door]:
    """A server on a free port, stopped at the end."""
    steady = clock or Clock()
    auth = Auth(folder / "token", clock=steady, wall=Clock(1_800_000_000.0))
    dispatcher = FakeDispatcher()
    server = Server(
        dispatcher, auth, page or folder / "page", 0, limits=limits, clock=steady, metrics_text=metrics or some_metrics
    )
    await server.start()
    try:
        yield Door(server, auth, dispatcher)
    finally:
        await server.stop()


class Answer:
    """An HTTP answer: status, headers by lower-case name, body."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1]) if lines[0].startswith("HTTP/1.1 ") else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}


async def raw(port: int, data: bytes, host: str = "127.0.0.1") -> Answer:
    """Send bytes and read the answer: until the end, or until the switch to a WebSocket."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(data)
        await writer.drain()
        received = b""
        while not received.startswith(b"HTTP/1.1 101 ") or b"\r\n\r\n" not in received:
            more = await reader.read(65536)
            if not more:
                break
            received += more
        return Answer(received)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def request(port: int, path: str, *headers: tuple[str, str], method: str = "GET", host: str = "") -> Answer:
    """An HTTP request with the right Host, unless the headers bring one."""
    pairs = list(headers)
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.insert(0, ("Host", host or f"127.0.0.1:{port}"))
    text = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
    return await raw(port, text.encode("latin-1"))


UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)
