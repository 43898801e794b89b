"""A tour of the page on real models: three widths, two themes, two languages, each looked at by axe and by a person."""

import os
from pathlib import Path

import pytest

from aimark_daemon.protocol.messages import ImportSessions, PinSession, SessionReply, SessionsReply
from tests.browser.live import CHROMIUM
from tests.browser.real import real_page, serious_findings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.models,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
TALKS = Path(__file__).parents[1] / "browser" / "tour.json"
LOOKS = [
    ("en-GB", "light", 1180, "Compound interest"),
    ("ko-KR", "dark", 1180, "주말 부산 여행"),
    ("ko-KR", "light", 768, "주말 부산 여행"),
    ("en-GB", "dark", 360, "Compound interest"),
]
PICTURES = os.environ.get("AIMARK_PICTURES")
"""A folder to which the pictures are written; none are taken without it."""


async def picture(page, name):
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


@pytest.mark.parametrize("looks", LOOKS, ids=lambda looks: "-".join(map(str, looks[:3])))
async def test_every_view_fits_and_has_no_serious_axe_finding(tmp_path, looks):
    language, scheme, width, title = looks
    size = {"width": width, "height": 760}
    name = f"tour-{language[:2]}-{scheme}-{width}"
    async with real_page(tmp_path, language=language, fake=False, color_scheme=scheme, viewport=size) as it:
        page = it.page
        async with it.process.connect() as client:
            text = TALKS.read_text(encoding="utf-8")
            sessions = (await client.request(ImportSessions(id=0, text=text), SessionsReply)).sessions
            await client.request(PinSession(id=0, session=sessions[2].id), SessionReply)
        if width < 861:
            await page.click(".header .only-narrow")
            await page.wait_for_selector(".session:first-child .icon-pin")
            assert await serious_findings(page) == []
            await picture(page, f"{name}-chats")
        await page.locator(".session-title", has_text=title).click()
        await page.wait_for_selector(".message.assistant table")
        if title == "Compound interest":
            await page.wait_for_selector(".formula.display math")
        await page.evaluate("document.activeElement.blur()")
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await serious_findings(page) == []
        await picture(page, f"{name}-chat")
        await page.click(".machine")
        await page.wait_for_selector(".chart canvas >> nth=0")
        await page.wait_for_selector(".panel-section:has-text('qwen')")
        assert await page.locator("dialog").evaluate("it => it.scrollWidth <= it.clientWidth")
        assert await serious_findings(page) == []
        await picture(page, f"{name}-machine")
        await page.keyboard.press("Escape")
        await page.fill(".composer textarea", "What is the capital of France?")
        await page.press(".composer textarea", "Enter")
        await page.wait_for_selector(
            ".message.assistant:last-child[data-state=complete]:has-text('Paris')", timeout=60_000
        )
        await page.click(".machine")
        await page.wait_for_selector(".turns .turn-bar .stageWrite")
        assert await serious_findings(page) == []
        await page.locator(".turns").scroll_into_view_if_needed()
        await picture(page, f"{name}-turns")
        assert it.complaints == []
