"""HTTP answers: the page, its assets, health, and the exchange of a code for a cookie."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from aimark_daemon import __version__
from aimark_daemon.server.auth import Auth
from aimark_daemon.server.guards import Allow, Deny, RequestFacts, Route, Verdict, decide
from aimark_daemon.server.page import NO_STORE, SECURITY_HEADERS, Page
from aimark_daemon.server.prometheus import CONTENT_TYPE

CODE_HEADER: Final = "X-Aimark-Code"
"""Carries the log-in code. A header, as URLs end up in histories and logs; and no other origin may send it unasked."""

_log = logging.getLogger(__name__)


def facts_of(request: Request) -> RequestFacts:
    """What the guards look at."""
    headers = request.headers

    def values(name: str) -> tuple[str, ...]:
        return tuple(headers.get_all(name))

    return RequestFacts(
        method=request.method,
        path=request.path,
        hosts=values("Host"),
        origins=values("Origin"),
        cookies=values("Cookie"),
        authorizations=values("Authorization"),
        fetch_sites=values("Sec-Fetch-Site"),
        fetch_modes=values("Sec-Fetch-Mode"),
    )


class Http:
    """Answers everything on one port that is not a WebSocket, and says who may have one."""

    def __init__(self, auth: Auth, page: Page, port: int) -> None:
        self._auth = auth
        self._credentials = auth.verifier(port)
        self._page = page
        self._port = port

    def answer(self, request: Request) -> Response | Allow:
        """The response, or who may go on: to open a WebSocket, or to be given the metrics."""
        decision = decide(facts_of(request), self._port, self._credentials)
        if isinstance(decision, Deny):
            # The path is the client's own text: it stays out of the log.
            _log.info("refused: %d %s", decision.status, decision.reason)
            return _refusal(decision.status, decision.reason)
        match decision.route:
            case Route.SOCKET | Route.METRICS:
                return decision
            case Route.HEALTH:
                body = msgspec.json.encode({"status": "ok", "version": __version__})
                return _response(200, body, "application/json")
            case Route.LOGIN:
                return self._log_in(request.headers.get_all(CODE_HEADER))
            case Route.PAGE | Route.ASSET:
                return self._file(request.path)

    def _file(self, path: str) -> Response:
        file = self._page.file(path)
        if file is None:
            return _refusal(404, "there is nothing here")
        return _response(200, file.body, file.content_type, cache=file.cache)

    def _log_in(self, codes: list[str]) -> Response:
        if len(codes) != 1:
            return _refusal(400, f"exactly one {CODE_HEADER} header is needed")
        match self._auth.redeem(codes[0]):
            case Verdict.GOOD:
                response = _response(204, b"", "text/plain; charset=utf-8")
                response.headers["Set-Cookie"] = self._auth.cookie_header(self._port)
                return response
            case Verdict.THROTTLED:
                return _refusal(429, "too many wrong log-ins")
            case Verdict.WRONG:
                return _refusal(401, "the code is wrong, was used, or is older than a minute")


def metrics(text: str) -> Response:
    """The answer to a Prometheus server."""
    return _response(200, text.encode(), CONTENT_TYPE)


def unavailable(reason: str) -> Response:
    """The answer when there is no room."""
    return _refusal(503, reason)


def fence(connection: ServerConnection, request: Request, response: Response) -> None:
    """Add the security headers to answers that the WebSocket library makes itself."""
    del connection, request
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        for name, value in (*SECURITY_HEADERS, ("Cache-Control", NO_STORE)):
            if name not in response.headers:
                response.headers[name] = value


def _refusal(status: int, reason: str) -> Response:
    response = _response(status, f"{reason}\n".encode(), "text/plain; charset=utf-8")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "GET"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = "6"
    return response


def _response(status: int, body: bytes, content_type: str, cache: str = NO_STORE) -> Response:
    headers = Headers(SECURITY_HEADERS)
    headers["Cache-Control"] = cache
    headers["Connection"] = "close"
    if status != HTTPStatus.NO_CONTENT:
        headers["Content-Type"] = content_type
        headers["Content-Length"] = str(len(body))
    return Response(status, HTTPStatus(status).phrase, headers, body)
