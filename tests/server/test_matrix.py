"""Route x Host x Origin x method x secret, on raw sockets: only the few good combinations get through."""

import itertools

import pytest

from tests.server.harness import UPGRADE, Door, in_loop, open_door, raw, request

HOSTS = {
    "own": ("127.0.0.1:{port}",),
    "name": ("localhost:{port}",),
    "v6": ("[::1]:{port}",),
    "none": (),
    "double": ("127.0.0.1:{port}", "127.0.0.1:{port}"),
    "double-foreign": ("127.0.0.1:{port}", "evil.com"),
    "rebound": ("evil.com:{port}",),
    "suffix": ("127.0.0.1.evil.com:{port}",),
    "zero": ("0.0.0.0:{port}",),
    "other-port": ("127.0.0.1:1",),
    "no-port": ("127.0.0.1",),
    "other-loopback": ("127.0.0.2:{port}",),
    "empty": ("",),
}
GOOD_HOSTS = ("own", "name", "v6")
ORIGINS = {
    "absent": (),
    "own": ("http://{host}",),
    "foreign": ("https://evil.com",),
    "null": ("null",),
    "other-port": ("http://127.0.0.1:1",),
    "https": ("https://{host}",),
    "suffix": ("http://127.0.0.1.evil.com:{port}",),
    "other-name": ("http://127.0.0.1.:{port}",),
    "double": ("http://{host}", "https://evil.com"),
}
METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "TRACE", "get")
SECRETS = ("none", "cookie", "wrong-cookie", "bearer", "wrong-bearer", "both")
ROUTES = (
    *("/", "/health", "/login", "/socket", "/metrics", "/assets/app.js"),
    *("/nothing", "/health?x=1", "/metrics?x=1", "/metrics/", "//health", "/Socket", "*"),
)


def secret_headers(door: Door, secret: str) -> list[tuple[str, str]]:
    cookie = ("Cookie", f"other=1; {door.cookie()}")
    bearer = ("Authorization", f"Bearer {door.token}")
    return {
        "none": [],
        "cookie": [cookie],
        "wrong-cookie": [("Cookie", f"aimark_{door.port}=1.x.y")],
        "bearer": [bearer],
        "wrong-bearer": [("Authorization", "Bearer " + "A" * 43)],
        "both": [cookie, bearer],
    }[secret]


def headers_for(door: Door, host: str, origin: str) -> list[tuple[str, str]]:
    hosts = [value.format(port=door.port) for value in HOSTS[host]]
    name = hosts[0] if hosts else f"127.0.0.1:{door.port}"
    origins = [value.format(port=door.port, host=name) for value in ORIGINS[origin]]
    return [("Host", value) for value in hosts] + [("Origin", value) for value in origins]


async def ask(door: Door, route: str, host: str, origin: str, secret: str, method: str = "GET") -> int:
    headers = [*headers_for(door, host, origin), *secret_headers(door, secret), *UPGRADE]
    if not HOSTS[host]:
        text = f"{method} {route} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers) + "\r\n"
        return (await raw(door.port, text.encode())).status
    return (await request(door.port, route, *headers, method=method)).status


@in_loop
async def test_a_socket_opens_for_our_page_with_its_cookie_and_for_a_program_with_the_token_only(tmp_path):
    opened = set()
    for host, origin, secret in itertools.product(HOSTS, ORIGINS, SECRETS):
        # Each case meets a door that was not throttled by the ones before.
        async with open_door(tmp_path) as door:
            status = await ask(door, "/socket", host, origin, secret)
        assert status in {101, 400, 401, 403, 421}, (host, origin, secret)
        if status == 101:
            opened.add((host, origin, secret))
    assert opened == {(host, "own", "cookie") for host in GOOD_HOSTS} | {
        (host, "absent", secret) for host in GOOD_HOSTS for secret in ("bearer", "both")
    }


@in_loop
async def test_only_get_of_known_paths_is_answered_whatever_secret_comes_with_it(tmp_path):
    async with open_door(tmp_path) as door:
        for route, method, secret in itertools.product(ROUTES, METHODS, ("none", "bearer")):
            status = await ask(door, route, "own", "absent", secret, method)
            known = route in {"/", "/health", "/login", "/socket", "/metrics", "/assets/app.js"}
            if not known:
                assert status == 404, (route, method, secret)
            elif method != "GET":
                assert status == 405, (route, method, secret)
            else:
                expected = {"/": 200, "/health": 200, "/login": 403, "/assets/app.js": 404}
                good = 200 if route == "/metrics" else 101
                assert status == expected.get(route, good if secret == "bearer" else 401), (route, method, secret)


@in_loop
async def test_metrics_are_given_to_a_program_with_the_token_only(tmp_path):
    given = set()
    for host, origin, secret in itertools.product(HOSTS, ORIGINS, SECRETS):
        async with open_door(tmp_path) as door:
            status = await ask(door, "/metrics", host, origin, secret)
        assert status in {200, 400, 401, 403, 421}, (host, origin, secret)
        if status == 200:
            given.add((host, origin, secret))
    assert given == {(host, "absent", secret) for host in GOOD_HOSTS for secret in ("bearer", "both")}


@pytest.mark.parametrize("route", ["/", "/health", "/login", "/socket", "/metrics", "/assets/app.js", "/nothing"])
@in_loop
async def test_no_route_answers_a_wrong_host_or_a_foreign_origin(tmp_path, route):
    async with open_door(tmp_path) as door:
        for host, origin in itertools.product(HOSTS, ORIGINS):
            if host in GOOD_HOSTS and origin in {"absent", "own"}:
                continue
            status = await ask(door, route, host, origin, "both")
            if host not in GOOD_HOSTS:
                assert status == (421 if len(HOSTS[host]) == 1 else 400), (host, origin)
            else:
                assert status == (400 if origin == "double" else 404 if route == "/nothing" else 403), (host, origin)


@in_loop
async def test_a_request_with_a_body_gets_nothing(tmp_path):
    async with open_door(tmp_path) as door:
        answer = await request(door.port, "/health", ("Content-Length", "4"))
        assert answer.status == 0
        answer = await request(door.port, "/health", ("Transfer-Encoding", "chunked"))
        assert answer.status == 0


@in_loop
async def test_both_loopback_addresses_answer_on_one_port(tmp_path):
    async with open_door(tmp_path) as door:
        text = f"GET /health HTTP/1.1\r\nHost: [::1]:{door.port}\r\n\r\n".encode()
        assert (await raw(door.port, text)).status == 200
        try:
            answer = await raw(door.port, text, host="::1")
        except OSError:
            assert len(door.server._servers) == 1, "there is IPv6, but nobody listens"
        else:
            assert answer.status == 200
