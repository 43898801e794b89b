"""Guards: whether a request may pass, decided from its facts alone. What is not in the table does not exist.

Any web page can send requests to a loopback port, so every request proves three things: that it was meant for this
server (`Host`, against DNS rebinding), that no other page sent it (`Origin`, `Sec-Fetch-Site`), and, where there is
data, that it knows a secret (cookie or bearer token).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

LOOPBACK_NAMES: Final = ("127.0.0.1", "[::1]", "localhost")


class Route(StrEnum):
    """What a request asks for."""

    PAGE = "page"
    ASSET = "asset"
    HEALTH = "health"
    LOGIN = "login"
    SOCKET = "socket"
    METRICS = "metrics"


class Verdict(StrEnum):
    """What a credential is worth."""

    GOOD = "good"
    WRONG = "wrong"
    THROTTLED = "throttled"
    """Too many wrong ones came before it; it was not looked at."""


class Credentials(Protocol):
    """Who can tell a good secret from a wrong one."""

    def cookie(self, values: tuple[str, ...]) -> Verdict:
        """Whether one of the values of our cookie is good."""

    def bearer(self, token: str) -> Verdict:
        """Whether the token is ours."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What decides about a request. Each header is the tuple of all its values, as repetition is itself suspicious."""

    method: str
    path: str
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    authorizations: tuple[str, ...] = ()
    fetch_sites: tuple[str, ...] = ()
    fetch_modes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may pass. `client` is "page" or "command line" where a credential was asked for."""

    route: Route
    client: str = ""


@dataclass(frozen=True, slots=True)
class Deny:
    """The request is refused with an HTTP status; `reason` is for the log and the answer, and holds no input."""

    status: int
    reason: str


_ASSET = re.compile(r"/assets/[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)
_ROUTES: Final[dict[str, Route]] = {
    "/": Route.PAGE,
    "/health": Route.HEALTH,
    "/login": Route.LOGIN,
    "/socket": Route.SOCKET,
    "/metrics": Route.METRICS,
}
_BEARER: Final = "Bearer "


def cookie_name(port: int) -> str:
    """The name of our cookie; it holds the port because browsers share cookies between ports."""
    return f"aimark_{port}"


def route_of(path: str) -> Route | None:
    """What the path names, or nothing. A query is part of the path, hence unknown."""
    if _ASSET.fullmatch(path):
        return Route.ASSET
    return _ROUTES.get(path)


def cookie_values(headers: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The values of the cookie `name`. There may be several: another local server can set cookies for this host."""
    pairs = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
    return tuple(value for key, equals, value in pairs if equals and key == name)[:8]


def decide(facts: RequestFacts, port: int, credentials: Credentials) -> Allow | Deny:
    """Whether the request may pass the server on `port`. Checks go from the cheapest and most telling on."""
    refused = _misdirected(facts, port)
    if refused is not None:
        return refused
    route = route_of(facts.path)
    if route is None:
        return Deny(404, "there is nothing here")
    if facts.method != "GET":
        return Deny(405, "only GET is answered")
    refused = _foreign(facts, route)
    if refused is not None:
        return refused
    return _admitted(facts, route, port, credentials)


def _misdirected(facts: RequestFacts, port: int) -> Deny | None:
    """Refuse what was not meant for this server, as after DNS rebinding, and headers said twice."""
    if len(facts.hosts) != 1:
        return Deny(400, "exactly one Host header is needed")
    if facts.hosts[0] not in {f"{name}:{port}" for name in LOOPBACK_NAMES}:
        return Deny(421, "this server answers to its loopback names only")
    if max(len(facts.origins), len(facts.fetch_sites), len(facts.fetch_modes), len(facts.authorizations)) > 1:
        return Deny(400, "a header is repeated")
    return None


def _foreign(facts: RequestFacts, route: Route) -> Deny | None:
    """Refuse what another page, or a page on another port, sends."""
    if facts.origins and facts.origins[0] != f"http://{facts.hosts[0]}":
        return Deny(403, "another origin may not ask")
    site = facts.fetch_sites[0] if facts.fetch_sites else None
    if route is Route.LOGIN and site != "same-origin" and not facts.origins:
        return Deny(403, "only the page itself logs in")
    if site in {None, "same-origin", "none"}:
        return None
    # A link on another page may lead here; a script, image or frame there may not even learn that we exist.
    if route is Route.PAGE and facts.fetch_modes == ("navigate",):
        return None
    return Deny(403, "another site may not ask")


def _admitted(facts: RequestFacts, route: Route, port: int, credentials: Credentials) -> Allow | Deny:
    """Ask for the secret that the route needs."""
    match route:
        case Route.PAGE | Route.ASSET | Route.HEALTH | Route.LOGIN:
            return Allow(route)
        case Route.SOCKET if facts.origins:
            return _page_socket(facts, port, credentials)
        case Route.SOCKET:
            return _program(facts, route, credentials)
        case Route.METRICS:
            if facts.origins or facts.fetch_sites or facts.fetch_modes:
                return Deny(403, "only programs may ask")
            return _program(facts, route, credentials)


def _page_socket(facts: RequestFacts, port: int, credentials: Credentials) -> Allow | Deny:
    """A browser shows our origin, checked already, and our cookie."""
    if facts.authorizations:
        return Deny(403, "a page has a cookie, not a token")
    values = cookie_values(facts.cookies, cookie_name(port))
    if not values:
        return Deny(401, "log in first")
    return _judged(credentials.cookie(values), Route.SOCKET, "page")


def _program(facts: RequestFacts, route: Route, credentials: Credentials) -> Allow | Deny:
    """A program shows the token and no origin, which no browser can leave out."""
    header = facts.authorizations[0] if facts.authorizations else ""
    if not header.startswith(_BEARER) or len(header) == len(_BEARER):
        return Deny(401, "a bearer token is needed")
    return _judged(credentials.bearer(header[len(_BEARER) :]), route, "command line")


def _judged(verdict: Verdict, route: Route, client: str) -> Allow | Deny:
    match verdict:
        case Verdict.GOOD:
            return Allow(route, client)
        case Verdict.THROTTLED:
            return Deny(429, "too many wrong log-ins")
        case Verdict.WRONG:
            return Deny(401, "the log-in is not valid")
