"""The page's manners: it says when the daemon is gone, works by keyboard, on a phone, and with a screen reader."""

import pytest
from playwright.async_api import expect

from aimark_daemon.protocol.messages import Ok, Shutdown
from tests.browser.live import CHROMIUM
from tests.browser.real import real_page, serious_findings
from tests.server.harness import in_loop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


@in_loop
async def test_after_the_daemon_was_stopped_the_page_says_how_to_start_it_and_its_lights_are_grey(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await it.ask("하나")
        assert await page.locator(".engine.stateReady").count() == 3
        async with it.process.connect() as client:
            await client.request(Shutdown(id=0), Ok)
        await page.wait_for_selector(".banner.warning code:text-is('aimark')")
        await page.wait_for_selector(".banner .countdown:has-text('Next try in')")
        assert await page.locator(".engine.stateReady").count() == 0
        assert await page.locator(".engine.stateUnknown").count() == 3
        assert await page.locator(".gauge").count() == 0
        await page.fill(".composer textarea", "둘")
        await page.press(".composer textarea", "Enter")
        await page.wait_for_selector(".toast.error:has-text('connection_lost')")
        assert await page.input_value(".composer textarea") == "둘"
        it.process.process.wait(20)
        port = it.process.port
        await it.process.start(port=port)
        await page.wait_for_selector(".banner", state="detached")
        await page.wait_for_selector(".engine.stateReady")
        await page.press(".composer textarea", "Enter")
        await expect(page.locator(".message.assistant[data-state=complete]")).to_have_count(2)
        assert await page.locator(".bubble").all_inner_texts() == ["하나", "둘"]


@in_loop
async def test_the_drawer_of_a_phone_keeps_the_focus_and_gives_it_back(tmp_path):
    async with real_page(tmp_path, viewport={"width": 360, "height": 640}) as it:
        page = it.page
        await it.ask("하나")
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        opener = page.get_by_role("button", name="Show chats")
        await opener.click()
        await expect(page.get_by_role("button", name="Hide chats")).to_be_focused()
        inside = "document.querySelector('.sidebar').contains(document.activeElement)"
        free = "document.activeElement === document.body || document.activeElement.closest('.toasts') !== null"
        for _ in range(12):
            await page.keyboard.press("Tab")
            assert await page.evaluate(f"{inside} || {free}")
        await page.keyboard.press("Escape")
        await expect(opener).to_be_focused()
        assert await page.locator(".drawer-open").count() == 0
        await opener.click()
        await page.locator(".session-title").click()
        await page.wait_for_selector(".drawer-open", state="detached")


@in_loop
async def test_everything_is_reached_by_keyboard(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await it.ask("하나")
        await page.keyboard.press("Control+Shift+o")
        await page.wait_for_selector(".welcome")
        assert await page.evaluate("document.activeElement.tagName") == "TEXTAREA"
        await page.keyboard.press("Alt+ArrowDown")
        await page.wait_for_selector(".bubble:text-is('하나')")
        for keys, name in (
            ("Control+/", "Keyboard shortcuts"),
            ("Control+,", "Settings"),
            ("Control+Shift+m", "This machine"),
        ):
            await page.keyboard.press(keys)
            await page.wait_for_selector(f"dialog[open] h2:text-is('{name}')")
            await page.keyboard.press("Escape")
            await page.wait_for_selector("dialog", state="detached")
            assert await page.evaluate("document.activeElement.tagName") == "TEXTAREA"
        await page.focus(".session-title")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[role=menu]:popover-open")
        await expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
        await page.keyboard.press("ArrowUp")
        assert await page.evaluate("document.activeElement.textContent") == "Delete"
        await page.keyboard.press("Escape")
        await page.focus(".session-title")
        await page.keyboard.press("F2")
        await page.wait_for_selector(".editing input:focus")
        await page.keyboard.type("새 이름")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".session-title:text-is('새 이름')")
        assert it.complaints == []


@in_loop
async def test_a_screen_reader_hears_each_sentence_once(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await page.evaluate(
            """() => {
                window.heard = [];
                const place = document.querySelector('.announcer');
                new MutationObserver(() => window.heard.push(place.textContent)).observe(
                    place, { subtree: true, childList: true, characterData: true });
            }"""
        )
        await it.ask("서울은 어디인가요? 한국에 있어요. 끝")
        await expect(page.locator(".announcer")).to_contain_text("끝")
        heard = " ".join(text for text in await page.evaluate("window.heard") if text not in {"", "Thinking…"})
        assert heard == "You said: 서울은 어디인가요? 한국에 있어요. 끝"


@pytest.mark.parametrize("looks", [("en-GB", "light", 1180), ("ko-KR", "dark", 360)], ids=["desktop", "phone"])
@in_loop
async def test_no_view_has_a_serious_axe_finding(tmp_path, looks):
    language, scheme, width = looks
    size = {"width": width, "height": 800}
    async with real_page(tmp_path, language=language, color_scheme=scheme, viewport=size) as it:
        page = it.page
        assert await serious_findings(page) == []
        await it.ask(
            "| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] 하나\n\n```py\ndef f(): return 'x'  # 1\n```\n\n[문서](https://example.org)"
        )
        await page.fill(".composer textarea", "/")
        await page.wait_for_selector("#palette")
        assert await serious_findings(page) == []
        await page.fill(".composer textarea", "")
        for keys in ("Control+/", "Control+,", "Control+Shift+m"):
            await page.keyboard.press(keys)
            await page.wait_for_selector("dialog[open]")
            assert await serious_findings(page) == [], keys
            await page.keyboard.press("Escape")
            await page.wait_for_selector("dialog", state="detached")
        await page.keyboard.press("Control+k")
        await page.locator(".session-actions button").first.click()
        await page.wait_for_selector("[role=menu]:popover-open")
        assert await serious_findings(page) == []
        await page.keyboard.press("Escape")
        it.process.kill()
        await page.wait_for_selector(".banner.warning")
        assert await serious_findings(page) == []


@in_loop
async def test_the_page_can_be_installed_as_an_application(tmp_path):
    async with real_page(tmp_path) as it:
        cdp = await it.context.new_cdp_session(it.page)
        found = await cdp.send("Page.getAppManifest")
        assert found["errors"] == []
        assert '"display": "standalone"' in found["data"]
        assert it.complaints == []
