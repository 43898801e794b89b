"""The page, its headers, health and the log-in, on raw sockets."""

import asyncio
import json
import os

import pytest

from aimark_daemon import __version__
from aimark_daemon.server.page import Page
from tests.server.harness import UPGRADE, in_loop, open_door, raw, request

SAME_ORIGIN = ("Sec-Fetch-Site", "same-origin")


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>안녕하세요</title>", encoding="utf-8")
    (folder / "assets" / "app-1a2b.js").write_text("let 말 = 1;", encoding="utf-8")
    (folder / "assets" / "app.css").write_text("body{}")
    (folder / "assets" / "notes.txt").write_text("not part of a page")
    (folder / "secret.json").write_text("{}")
    return folder


SNAPSHOT = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types aimark dompurify"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), display-capture=()",
    "connection": "close",
}


@in_loop
async def test_every_answer_carries_the_same_security_headers_refusals_too(tmp_path, page):
    async with open_door(tmp_path, page=page) as door:
        for path, cache in (
            ("/", "no-store"),
            ("/health", "no-store"),
            ("/assets/app-1a2b.js", "private, max-age=31536000, immutable"),
            ("/login", "no-store"),
            ("/nothing", "no-store"),
            ("/socket", "no-store"),
            ("/metrics", "no-store"),
        ):
            headers = (await request(door.port, path)).headers
            rest = {name: value for name, value in headers.items() if name not in {"content-type", "content-length"}}
            assert rest == SNAPSHOT | {"cache-control": cache}, path


@in_loop
async def test_the_page_and_its_assets_are_sent_as_they_were_built(tmp_path, page):
    async with open_door(tmp_path, page=page) as door:
        index = await request(door.port, "/")
        assert index.status == 200
        assert "안녕하세요" in index.body.decode()
        assert index.headers["content-type"] == "text/html; charset=utf-8"
        script = await request(door.port, "/assets/app-1a2b.js")
        assert script.body.decode() == "let 말 = 1;"
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert int(script.headers["content-length"]) == len(script.body)


@in_loop
async def test_only_files_of_the_page_are_sent(tmp_path, page):
    if os.name != "nt":
        (page / "assets" / "link.js").symlink_to(page / "secret.json")
    async with open_door(tmp_path, page=page) as door:
        for path in (
            "/secret.json",
            "/index.html",
            "/assets/notes.txt",
            "/assets/link.js",
            "/assets/../secret.json",
            "/assets/..%2fsecret.json",
            "/token",
            "/../token",
        ):
            assert (await request(door.port, path)).status == 404, path


@in_loop
async def test_without_a_built_page_a_plain_one_says_in_both_languages_how_to_build_it(tmp_path):
    async with open_door(tmp_path) as door:
        answer = await request(door.port, "/")
        assert answer.status == 200
        text = answer.body.decode()
        assert "uv sync" in text
        assert "빌드" in text
        assert "<script" not in text
        assert "style" not in text


def test_a_new_build_is_shown_at_the_next_load(page):
    shown = Page(page)
    (page / "assets" / "app-new.js").write_text("1")
    (page / "index.html").write_text("<!doctype html>new")
    os.utime(page / "index.html", ns=(1, 1))
    assert shown.file("/").body == b"<!doctype html>new"
    assert shown.file("/assets/app-new.js").body == b"1"


@in_loop
async def test_health_says_that_it_is_ok_and_which_version_and_nothing_else(tmp_path):
    async with open_door(tmp_path) as door:
        answer = await request(door.port, "/health")
        assert answer.status == 200
        assert json.loads(answer.body) == {"status": "ok", "version": __version__}


@in_loop
async def test_metrics_are_sent_as_prometheus_reads_them(tmp_path):
    async with open_door(tmp_path) as door:
        answer = await request(door.port, "/metrics", ("Authorization", f"Bearer {door.token}"))
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.body == b"aimark_turns 0\n"
        refused = await request(door.port, "/metrics")
        assert (refused.status, refused.body) == (401, b"a bearer token is needed\n")


@in_loop
async def test_metrics_that_cannot_be_read_are_unavailable_and_everything_else_goes_on(tmp_path):
    async def broken():
        raise RuntimeError("secret")

    async with open_door(tmp_path, metrics=broken) as door:
        answer = await request(door.port, "/metrics", ("Authorization", f"Bearer {door.token}"))
        assert answer.status == 503
        assert b"secret" not in answer.body
        assert (await request(door.port, "/health")).status == 200


@in_loop
async def test_slow_metrics_hold_up_nobody(tmp_path):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        begun.set()
        await go_on.wait()
        return "\n"

    async with open_door(tmp_path, metrics=slow) as door:
        scrape = asyncio.create_task(request(door.port, "/metrics", ("Authorization", f"Bearer {door.token}")))
        await begun.wait()
        assert (await request(door.port, "/health")).status == 200
        go_on.set()
        assert (await scrape).status == 200


@in_loop
async def test_a_code_becomes_a_cookie_that_opens_the_socket(tmp_path):
    async with open_door(tmp_path) as door:
        url = door.server.page_url()
        base, _, code = url.partition("#code=")
        assert base == f"http://127.0.0.1:{door.port}/"
        answer = await request(door.port, "/login", ("X-Aimark-Code", code), SAME_ORIGIN)
        assert answer.status == 204
        assert answer.body == b""
        cookie, *attributes = answer.headers["set-cookie"].split("; ")
        assert cookie.startswith(f"aimark_{door.port}=")
        assert attributes == ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"]
        origin = ("Origin", base.rstrip("/"))
        assert (await request(door.port, "/socket", ("Cookie", cookie), origin, *UPGRADE)).status == 101
        again = await request(door.port, "/login", ("X-Aimark-Code", code), SAME_ORIGIN)
        assert again.status == 401
        assert "set-cookie" not in again.headers


@in_loop
async def test_the_log_in_needs_exactly_one_code_from_our_own_page(tmp_path):
    async with open_door(tmp_path) as door:
        code = door.auth.new_code()
        one = ("X-Aimark-Code", code)
        assert (await request(door.port, "/login", one)).status == 403
        assert (await request(door.port, "/login", one, ("Sec-Fetch-Site", "cross-site"))).status == 403
        assert (await request(door.port, "/login", one, ("Sec-Fetch-Site", "none"))).status == 403
        assert (await request(door.port, "/login", one, ("Origin", "https://evil.com"))).status == 403
        assert (await request(door.port, "/login", SAME_ORIGIN)).status == 400
        assert (await request(door.port, "/login", one, one, SAME_ORIGIN)).status == 400
        assert (await request(door.port, f"/login?code={code}", SAME_ORIGIN)).status == 404
        # None of these used the code up.
        origin = ("Origin", f"http://127.0.0.1:{door.port}")
        assert (await request(door.port, "/login", one, origin)).status == 204


@in_loop
async def test_wrong_codes_are_throttled_on_loopback_too(tmp_path):
    async with open_door(tmp_path) as door:
        wrong = ("X-Aimark-Code", "wrong")
        for _ in range(10):
            assert (await request(door.port, "/login", wrong, SAME_ORIGIN)).status == 401
        answer = await request(door.port, "/login", ("X-Aimark-Code", door.auth.new_code()), SAME_ORIGIN)
        assert answer.status == 429
        assert answer.headers["retry-after"] == "6"


@in_loop
async def test_no_secret_reaches_the_log_even_at_its_most_talkative(tmp_path, caplog):
    caplog.set_level("DEBUG")
    async with open_door(tmp_path) as door:
        code, cookie, token = door.auth.new_code(), door.cookie(), door.token
        await request(door.port, "/login", ("X-Aimark-Code", code), SAME_ORIGIN)
        await request(door.port, "/socket", ("Cookie", cookie), *UPGRADE)
        await request(door.port, f"/{token}", ("Authorization", f"Bearer {token}"), *UPGRADE)
        await request(door.port, "/socket", ("Authorization", f"Bearer {token}"), *UPGRADE)
    assert "refused" in caplog.text
    for secret in (code, cookie.partition("=")[2], token):
        assert secret not in caplog.text


@in_loop
async def test_too_long_headers_are_refused_and_nonsense_is_hung_up_on(tmp_path):
    async with open_door(tmp_path) as door:
        assert (await request(door.port, "/health", ("X-Long", "a" * 9000))).status == 431
        assert (await request(door.port, "/health", *[("X-Many", "1")] * 200)).status == 431
        assert (await request(door.port, "/" + "a" * 9000)).status == 414
        for junk in (
            b"\x16\x03\x01\x02\x00\x01",
            b"GET\r\n\r\n",
            b"GET / HTTP/3\r\n\r\n",
            "가 / HTTP/1.1\r\n\r\n".encode(),
        ):
            assert (await raw(door.port, junk + b"\r\n\r\n")).status == 0
        assert (await request(door.port, "/health")).status == 200


@in_loop
async def test_a_handshake_that_the_library_refuses_is_fenced_in_too_and_leaves_nothing_behind(tmp_path):
    async with open_door(tmp_path) as door:
        bearer = ("Authorization", f"Bearer {door.token}")
        for headers, status in (((bearer,), 426), ((bearer, *UPGRADE[:3]), 400)):
            answer = await request(door.port, "/socket", *headers)
            assert answer.status == status
            assert answer.headers["content-security-policy"] == SNAPSHOT["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
        assert door.server.clients == ()
