"""A loopback server that speaks the hub's language for one repository, and misbehaves on request."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs

from tests.models.fakes import sha


class HubServer:
    """Serves `content` below any repository and revision. Set the fields to make it misbehave; `asked` records."""

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content
        self.cut_after: list[int] = []
        """Bytes after which to break the connection, one for each of the next answers."""
        self.status: int | None = None
        self.ignores_range = False
        self.asked: list[tuple[str, str | None]] = []
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.hub.asked.append((self.path, asked))
        data = self.hub.content.get(self.path.rsplit("/", 1)[-1])
        if self.hub.status is not None or data is None:
            self.send_response(self.hub.status or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        if asked and not self.hub.ignores_range:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = start + self.hub.cut_after.pop(0) if self.hub.cut_after else len(data)
        self.wfile.write(data[start:end])
        self.close_connection = True

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        paths = parse_qs(self.rfile.read(length).decode())["paths"]
        answer = []
        for path in paths:
            data = self.hub.content[path.rsplit("/", 1)[-1]]
            lfs = {"oid": sha(data), "size": len(data), "pointerSize": 130}
            answer.append({"type": "file", "path": path, "size": len(data), "oid": "0" * 40, "lfs": lfs})
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
