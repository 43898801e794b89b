"""The built page in Chromium in front of a real daemon, whose engines are the fakes unless a test says otherwise."""

import contextlib
import json

from playwright.async_api import async_playwright, expect

from aimark_daemon.protocol.messages import OpenPage, PageReply
from tests.browser import page_build
from tests.browser.live import launch, write_tone
from tests.e2e.harness import daemon, ready

AXE = page_build.ROOT / "web_client" / "node_modules" / "axe-core" / "axe.min.js"
SECONDS = 30
SERIOUS = {"serious", "critical"}


class Opened:
    """A page that is open: its tab, its daemon, and all that its console complained about."""

    def __init__(self, page, process, context):
        self.page = page
        self.process = process
        self.context = context
        self.complaints: list[str] = []
        page.on(
            "console", lambda line: self.complaints.append(line.text) if line.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def ask(self, text):
        """Type a question and wait for the end of its answer."""
        before = await self.page.locator(".message.assistant").count()
        await self.page.fill(".composer textarea", text)
        await self.page.press(".composer textarea", "Enter")
        ended = self.page.locator(".message.assistant:is([data-state=complete], [data-state=failed])")
        await expect(ended).to_have_count(before + 1, timeout=SECONDS * 1000)

    async def act(self, session, label):
        """Choose an entry of a chat's menu, in English."""
        await self.page.get_by_role("button", name=f"Actions for “{session}”").click()
        await self.page.get_by_role("menuitem", name=label, exact=True).click()

    def titles(self):
        return self.page.locator(".session-title").all_inner_texts()


async def visit(process, context):
    """The daemon's page in a new tab, logged in."""
    async with process.connect() as client:
        await ready(client)
        url = (await client.request(OpenPage(id=0), PageReply)).url
    opened = Opened(await context.new_page(), process, context)
    await opened.page.goto(url)
    await opened.page.wait_for_selector(".banner", state="detached")
    return opened


@contextlib.asynccontextmanager
async def real_page(tmp_path, *, language="en-GB", fake=True, config=None, **looks):
    """A fresh daemon and its page; `looks` are those of the browser's context."""
    page_build.ready().build()
    write_tone(tmp_path / "microphone.wav")
    async with daemon(tmp_path / "home", fake=fake, config=config) as process, async_playwright() as playwright:
        browser = await launch(playwright, tmp_path / "microphone.wav")
        try:
            context = await browser.new_context(locale=language, permissions=["microphone"], **looks)
            yield await visit(process, context)
        finally:
            await browser.close()


async def serious_findings(context_page):
    """What axe finds serious on the page as it is now: rule and element. The page's own fence stays as it is."""
    cdp = await context_page.context.new_cdp_session(context_page)
    await cdp.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    answer = await cdp.send(
        "Runtime.evaluate",
        {"expression": "axe.run().then((r) => JSON.stringify(r.violations))", "awaitPromise": True},
    )
    return [
        (found["id"], node["html"][:150], node["failureSummary"][:200])
        for found in json.loads(answer["result"]["value"])
        if found["impact"] in SERIOUS
        for node in found["nodes"]
    ]
