"""The server: binds the port, lets in whom the guards allow, and keeps the set of connected clients."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from aimark_daemon.server.auth import Auth
from aimark_daemon.server.base import Dispatcher
from aimark_daemon.server.binding import bind_loopback
from aimark_daemon.server.client import GOING_AWAY, POLICY, SocketClient
from aimark_daemon.server.guards import Route
from aimark_daemon.server.http import Http, fence, metrics, unavailable
from aimark_daemon.server.limits import MAX_MESSAGE_BYTES, Limits
from aimark_daemon.server.page import Page
from aimark_daemon.server.session import Session

PAGE_FOLDER = Path(__file__).parent / "page"
"""Where the build hook puts the page."""

_log = logging.getLogger(__name__)
# At DEBUG the library writes whole requests, secrets included.
_wire_log = logging.getLogger("aimark_daemon.server.wire")
_wire_log.setLevel(logging.WARNING)


class DoorConnection(ServerConnection):
    """A connection that remembers how it was let in."""

    kind: str = ""
    token_number: int = -1
    """Which token let it in, counted from the daemon's start."""


class Server:
    """One loopback port: the page, `/health`, `/login`, `/metrics` and `/socket`.

    `port` 0 takes any free one; after `start` the attribute holds the real one. `clock` gives steady seconds,
    `metrics_text` the text of `/metrics`.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        auth: Auth,
        page_dir: Path = PAGE_FOLDER,
        port: int = 0,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        metrics_text: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.port = port
        self._metrics_text = metrics_text
        self._dispatcher = dispatcher
        self._auth = auth
        self._page_dir = page_dir
        self._limits = limits or Limits()
        self._clock = clock
        self._http: Http | None = None
        self._servers: list[WebSocketServer] = []
        self._sockets: set[asyncio.BaseTransport] = set()
        self._clients: dict[int, SocketClient] = {}
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._token_number = 0
        self._stopping = False

    @property
    def clients(self) -> tuple[SocketClient, ...]:
        """Who is connected."""
        return tuple(self._clients.values())

    @property
    def address(self) -> str:
        """The page's address, without a log-in code."""
        return f"http://127.0.0.1:{self.port}/"

    def page_url(self) -> str:
        """The page's address with a code that logs in once; the fragment never leaves the browser."""
        return f"{self.address}#code={self._auth.new_code()}"

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            AimarkError: `port_taken`, `port_refused`.
        """
        sockets = bind_loopback(self.port)
        self.port = int(sockets[0].getsockname()[1])
        self._http = Http(self._auth, Page(self._page_dir), self.port)
        limits = self._limits
        for sock in sockets:
            self._servers.append(
                await serve(
                    self._serve,
                    sock=sock,
                    process_request=self._process_request,
                    process_response=fence,
                    create_connection=self._connection_class(),
                    compression=None,
                    server_header=None,
                    max_size=MAX_MESSAGE_BYTES,
                    open_timeout=limits.open_timeout_s,
                    ping_interval=limits.ping_interval_s,
                    ping_timeout=limits.ping_timeout_s,
                    close_timeout=limits.close_timeout_s,
                    logger=_wire_log,
                )
            )
        _log.info("listening on port %d (%d addresses)", self.port, len(sockets))

    async def stop(self) -> None:
        """Stop accepting, close every client with 1001, end what they asked for. Takes a few seconds at most."""
        self._stopping = True
        for client in self.clients:
            client.close(GOING_AWAY, "the daemon stops")
        for server in self._servers:
            server.close(code=GOING_AWAY, reason="the daemon stops")
        waits = [asyncio.ensure_future(server.wait_closed()) for server in self._servers]
        if waits:
            _, late = await asyncio.wait(waits, timeout=self._limits.stop_timeout_s)
            if late:
                for transport in tuple(self._sockets):
                    if isinstance(transport, asyncio.Transport):
                        transport.abort()
                await asyncio.wait(late)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._servers.clear()

    def rotate_token(self) -> None:
        """Replace the token. Every connection that the old one let in is closed, once the caller had its answer.

        Raises:
            OSError: the token's folder cannot be written; nothing has changed.
        """
        self._auth.rotate()
        self._token_number += 1
        asyncio.get_running_loop().call_soon(self._shut_out, self.clients)

    def _shut_out(self, clients: tuple[SocketClient, ...]) -> None:
        for client in clients:
            client.close(POLICY, "the token was replaced")

    def _connection_class(self) -> type[DoorConnection]:
        """Connections that are counted, and dropped at once when too many are open, before they say anything."""
        sockets, limit = self._sockets, self._limits.sockets

        class CountedConnection(DoorConnection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                sockets.add(transport)
                if len(sockets) > limit:
                    self.transport.abort()

            def connection_lost(self, exc: Exception | None) -> None:
                sockets.discard(self.transport)
                super().connection_lost(exc)

        return CountedConnection

    async def _process_request(self, websocket: ServerConnection, request: Request) -> Response | None:
        if self._http is None:
            return unavailable("not started")
        answer = self._http.answer(request)
        if isinstance(answer, Response):
            return answer
        if answer.route is Route.METRICS:
            return await self._metrics()
        if self._stopping or len(self._clients) >= self._limits.connections:
            return unavailable("too many connections")
        if isinstance(websocket, DoorConnection):
            websocket.kind, websocket.token_number = answer.client, self._token_number
        return None

    async def _metrics(self) -> Response:
        if self._metrics_text is None:
            return unavailable("there are no metrics")
        try:
            return metrics(await self._metrics_text())
        except Exception:  # noqa: BLE001 - whatever the machine holds, the server goes on
            _log.exception("no metrics")
            return unavailable("the metrics could not be read")

    async def _serve(self, websocket: ServerConnection) -> None:
        # Between the check and the handshake's end others may have come in, or the token may have been replaced.
        if (
            not isinstance(websocket, DoorConnection)
            or websocket.token_number != self._token_number
            or len(self._clients) >= self._limits.connections
        ):
            await websocket.close(POLICY, "try again")
            return
        kind = websocket.kind
        client = SocketClient(next(self._numbers), kind, websocket, self._limits.outbound_bytes)
        self._clients[client.id] = client
        session = Session(
            client,
            websocket,
            self._dispatcher,
            limits=self._limits,
            clock=self._clock,
            spawn=self._spawn,
        )
        writer = asyncio.create_task(client.write())
        try:
            await session.run()
        finally:
            del self._clients[client.id]
            await client.wait_closed()
            client.close()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
