"""A real browser: our page gets in, a page of another origin gets nothing, not even by DNS rebinding."""

import asyncio
import json
import shutil

import pytest
from playwright.async_api import async_playwright

from tests.server.harness import in_loop, open_door

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]

OPEN_SOCKET = """
async (url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
})
"""
FETCH = """
async ([url, options]) => {
    try { return (await fetch(url, options)).type + " " + (await fetch(url, options)).status; }
    catch { return "failed"; }
}
"""
LOAD = """
async ([tag, attribute, url]) => new Promise((resolve) => {
    const element = document.createElement(tag);
    element[attribute] = url;
    element.onload = () => resolve("loaded");
    element.onerror = () => resolve("refused");
    document.body.append(element);
})
"""


class Browser:
    """Chromium in which evil.test is this machine."""

    async def __aenter__(self):
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP evil.test 127.0.0.1"],
        )
        self._context = await self._browser.new_context()
        return await self._context.new_page()

    async def __aexit__(self, *_):
        await self._browser.close()
        await self._playwright.stop()


async def attacker():
    """A web server of someone else: one page, on a port of its own."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><body>evil"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


def built_page(folder):
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / "app.js").write_text("document.title = '열림'")
    (folder / "index.html").write_text('<!doctype html><body><script type="module" src="/assets/app.js"></script>')
    return folder


@in_loop
async def test_our_page_logs_in_with_its_code_and_opens_the_socket(tmp_path):
    async with open_door(tmp_path, page=built_page(tmp_path / "built")) as door, Browser() as page:
        await page.goto(door.server.page_url())
        await page.wait_for_function("document.title === '열림'")
        socket = f"ws://127.0.0.1:{door.port}/socket"
        assert await page.evaluate(OPEN_SOCKET, socket) == "refused"
        code = door.auth.new_code()
        options = {"headers": {"X-Aimark-Code": code}}
        status = await page.evaluate("async (o) => (await fetch('/login', o)).status", options)
        assert status == 204
        assert await page.evaluate("document.cookie") == ""
        assert await page.evaluate(OPEN_SOCKET, socket) == "open"


@in_loop
async def test_a_page_of_another_origin_gets_nothing_though_the_browser_is_logged_in(tmp_path):
    async with (
        open_door(tmp_path, page=built_page(tmp_path / "built")) as door,
        await attacker() as evil,
        Browser() as page,
    ):
        name, _, value = door.cookie().partition("=")
        await page.context.add_cookies(
            [{"name": name, "value": value, "domain": host, "path": "/"} for host in ("127.0.0.1", "localhost")]
        )
        evil_port = evil.sockets[0].getsockname()[1]
        for origin in (f"http://evil.test:{evil_port}", f"http://127.0.0.1:{evil_port}"):
            await page.goto(origin)
            for host in ("127.0.0.1", "localhost", "evil.test"):
                base = f"{host}:{door.port}"
                assert await page.evaluate(OPEN_SOCKET, f"ws://{base}/socket") == "refused"
                code = {"headers": {"X-Aimark-Code": door.auth.new_code()}, "credentials": "include"}
                assert await page.evaluate(FETCH, [f"http://{base}/login", code]) == "failed"
                assert await page.evaluate(FETCH, [f"http://{base}/health", {}]) == "failed"
                assert await page.evaluate(LOAD, ["script", "src", f"http://{base}/assets/app.js"]) == "refused"
        assert door.dispatcher.calls == []
        assert door.server.clients == ()


@in_loop
async def test_a_rebound_name_is_turned_away_before_anything_is_served(tmp_path):
    async with open_door(tmp_path, page=built_page(tmp_path / "built")) as door, Browser() as page:
        answer = await page.goto(f"http://evil.test:{door.port}/")
        assert answer.status == 421
        own = f"evil.test:{door.port}"
        assert await page.evaluate(OPEN_SOCKET, f"ws://{own}/socket") == "refused"
        assert json.loads(await page.evaluate("JSON.stringify(document.title)")) == ""


@in_loop
async def test_our_page_can_neither_be_framed_nor_run_what_is_not_its_own(tmp_path):
    async with (
        open_door(tmp_path, page=built_page(tmp_path / "built")) as door,
        await attacker() as evil,
        Browser() as page,
    ):
        evil_url = f"http://evil.test:{evil.sockets[0].getsockname()[1]}/"
        await page.goto(evil_url)
        await page.evaluate(LOAD, ["iframe", "src", door.server.address])
        (frame,) = [frame for frame in page.frames if frame.parent_frame]
        assert not frame.url.startswith(door.server.address)
        await page.goto(door.server.address)
        await page.wait_for_function("document.title === '열림'")
        assert await page.evaluate(LOAD, ["img", "src", f"{evil_url}secret.png"]) == "refused"
        assert await page.evaluate(FETCH, [evil_url, {"mode": "no-cors"}]) == "failed"
        threw = "() => { try { document.body.innerHTML = '<p>'; return false; } catch { return true; } }"
        assert await page.evaluate(threw)
