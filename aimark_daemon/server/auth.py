"""Who may come in: the token of programs, the codes that log a browser in, and the cookies they become."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aimark_daemon.server.guards import Verdict, cookie_name
from aimark_daemon.server.limits import TokenBucket
from aimark_daemon.server.token import load_or_create_token, replace_token

CODE_SECONDS: Final = 60.0
COOKIE_SECONDS: Final = 30 * 86_400
_CLOCK_SLACK_SECONDS: Final = 2 * 86_400
"""How far the computer's clock may have been set back since a cookie was made."""
_MAX_CODES: Final = 16
_PACES: Final = {"code": (10.0, 1 / 6), "bearer": (20.0, 1.0)}
"""Wrong log-ins at once, and per second after that; a program that retries with an old token stays below."""


class Auth:
    """The secrets of one daemon.

    `token_path` is made if absent. `clock` gives steady seconds, for codes and throttling; `wall` gives seconds since
    the epoch, for cookies, which outlive the daemon. Wrong codes and wrong tokens are throttled, apart from each other.
    Cookies are not: 256 keyed bits cannot be guessed, and a page left open with an old cookie, which tries again and
    again, would keep the good ones out.
    """

    def __init__(self, token_path: Path, *, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._path = token_path
        self._clock = clock
        self._wall = wall
        self._token = load_or_create_token(token_path)
        self._codes: dict[str, float] = {}
        self._failures = {kind: TokenBucket(rate, burst) for kind, (burst, rate) in _PACES.items()}

    @property
    def token_path(self) -> Path:
        """Where programs of the same user find the token."""
        return self._path

    def rotate(self) -> None:
        """Replace the token: every token, code and cookie given out is worth nothing from now on."""
        self._token = replace_token(self._path)
        self._codes.clear()

    def new_code(self) -> str:
        """A code that logs one browser in, once, within a minute."""
        now = self._clock()
        self._codes = {code: until for code, until in self._codes.items() if until > now}
        while len(self._codes) >= _MAX_CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(32)
        self._codes[code] = now + CODE_SECONDS
        return code

    def redeem(self, code: str) -> Verdict:
        """What a code is worth; a good one is used up by this."""
        return self._judge("code", lambda: self._take_code(code))

    def bearer(self, token: str) -> Verdict:
        """Whether a program knows the token.

        The right one is let in even while wrong ones are throttled: 256 bits cannot be guessed, and a stranger's
        failures must not lock the command line out.
        """
        return Verdict.GOOD if _same(token, self._token) else self._judge("bearer", lambda: False)

    def verifier(self, port: int) -> PortCredentials:
        """The credentials of the server on `port`."""
        return PortCredentials(self, port)

    def cookie_value(self, port: int) -> str:
        """A new cookie's value for the server on `port`: when it was made, a nonce, and a keyed hash over both."""
        body = f"{int(self._wall())}.{secrets.token_urlsafe(16)}"
        return f"{body}.{self._sign(body, port)}"

    def cookie_header(self, port: int) -> str:
        """`Set-Cookie` for a browser that logged in."""
        value = f"{cookie_name(port)}={self.cookie_value(port)}"
        return f"{value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict"

    def cookie(self, values: tuple[str, ...], port: int) -> Verdict:
        """Whether one of the values is a cookie that this daemon gave out for `port`."""
        good = any(self._is_cookie(value, port) for value in values)
        return Verdict.GOOD if good else Verdict.WRONG

    def _judge(self, kind: str, check: Callable[[], bool]) -> Verdict:
        failures = self._failures[kind]
        now = self._clock()
        if not failures.has(1.0, now):
            return Verdict.THROTTLED
        if check():
            return Verdict.GOOD
        failures.take(1.0, now)
        return Verdict.WRONG

    def _take_code(self, code: str) -> bool:
        found = [known for known in self._codes if _same(code, known)]
        return bool(found) and self._codes.pop(found[0]) > self._clock()

    def _is_cookie(self, value: str, port: int) -> bool:
        body, _, signature = value.rpartition(".")
        if not _same(signature, self._sign(body, port)):
            return False
        age = self._wall() - int(body.partition(".")[0])
        return -_CLOCK_SLACK_SECONDS <= age <= COOKIE_SECONDS

    def _sign(self, body: str, port: int) -> str:
        key = self._token.encode("ascii")
        mac = hmac.new(key, f"cookie:{port}:{body}".encode("utf-8", "surrogateescape"), hashlib.sha256)
        return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode("ascii")


class PortCredentials:
    """`Auth` as the guards of one port see it."""

    def __init__(self, auth: Auth, port: int) -> None:
        self._auth = auth
        self._port = port

    def cookie(self, values: tuple[str, ...]) -> Verdict:
        """Whether one of the values of our cookie is good."""
        return self._auth.cookie(values, self._port)

    def bearer(self, token: str) -> Verdict:
        """Whether the token is ours."""
        return self._auth.bearer(token)


def _same(given: str, secret: str) -> bool:
    """Compare in constant time; what was given may hold any character."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode("ascii"))
