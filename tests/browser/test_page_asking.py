"""Asking on the page against a real daemon: again, differently in a branch, after a failure, by command."""

import pytest
from playwright.async_api import expect

from tests.browser.live import CHROMIUM
from tests.browser.real import real_page, visit
from tests.server.harness import in_loop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


async def said(page):
    return await page.locator(".message .bubble, .message .rich").all_inner_texts()


@in_loop
async def test_an_answer_is_given_again_in_its_place_also_in_the_other_window(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await it.ask("하나")
        await it.ask("둘")
        other = await visit(it.process, it.context)
        await other.page.click(".session-title")
        await expect(other.page.locator(".message")).to_have_count(4)
        before = await said(page)
        for window in (page, other.page):
            await window.evaluate("document.querySelector('.message:last-child').dataset.old = 'yes'")
        await page.get_by_role("button", name="Answer again").click()
        for window in (page, other.page):
            await window.wait_for_selector(".message:last-child:not([data-old])[data-state=complete]")
            await expect(window.locator(".message")).to_have_count(4)
            assert await said(window) == before
        await page.reload()
        await page.click(".session-title")
        await expect(page.locator(".message")).to_have_count(4)
        assert await said(page) == before
        assert it.complaints == []


@in_loop
async def test_a_changed_question_is_asked_in_a_branch_and_the_chat_stays(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await it.ask("하나")
        await it.ask("둘")
        await page.locator(".message.user").last.hover()
        await page.locator(".message.user").last.get_by_role("button", name="Edit").click()
        await page.fill(".editor textarea", "고친 둘")
        composing = {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
        await page.dispatch_event(".editor textarea", "keydown", composing)
        await page.press(".editor textarea", "Enter")
        await page.wait_for_selector(".message.user:last-of-type, .message.user:has-text('고친 둘')")
        await expect(page.locator(".session")).to_have_count(2)
        await page.wait_for_selector(".message:last-child[data-state=complete]")
        assert [text for text in await said(page) if not text.startswith("You said")] == ["하나", "고친 둘"]
        await page.locator(".session-title").last.click()
        await page.wait_for_selector(".bubble:text-is('둘')")
        assert [text for text in await said(page) if not text.startswith("You said")] == ["하나", "둘"]


@in_loop
async def test_commands_are_completed_in_both_languages_and_by_initial_consonants(tmp_path):
    async with real_page(tmp_path, language="ko-KR") as it:
        page, field = it.page, ".composer textarea"
        await page.fill(field, "/ㄷㅇ")
        await page.wait_for_selector("#palette [role=option]:has-text('/도움말')")
        assert await page.locator("#palette [role=option]").count() == 1
        assert await page.get_attribute(field, "aria-activedescendant") == "palette-0"
        await page.press(field, "Tab")
        assert await page.input_value(field) == "/도움말 "
        await page.fill(field, "/")
        await page.press(field, "ArrowDown")
        assert await page.get_attribute("#palette [aria-selected=true]", "id") == "palette-1"
        await page.press(field, "Escape")
        await page.wait_for_selector("#palette", state="detached")
        assert await page.input_value(field) == "/"
        await page.fill(field, "/hel")
        await page.press(field, "Enter")
        assert await page.input_value(field) == "/도움말 "
        await page.press(field, "Enter")
        await page.wait_for_selector(".message.assistant[data-state=complete]:has-text('/제목')")


@in_loop
async def test_an_answer_is_read_aloud_again_and_falls_silent_when_told_to(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await page.get_by_role("button", name="Spoken answers are on").click()
        await it.ask(" ".join(f"문장 {number}." for number in range(60)))
        for _ in range(2):
            await page.get_by_role("button", name="Read aloud").click()
            await page.get_by_role("button", name="Stop speaking").click()
            await expect(page.get_by_role("button", name="Stop speaking")).to_have_count(0)
        await it.ask("둘")
        await page.get_by_role("button", name="Read aloud").last.click()
        await page.get_by_role("button", name="Stop speaking").wait_for()
        await expect(page.get_by_role("button", name="Stop speaking")).to_have_count(0)
        assert it.complaints == []


WIPE = """
from aimark_daemon import Text, command, hookimpl

@command("wipe", names={"ko": ["비우기"]}, help={"en": "Wipes", "ko": "비웁니다"})
async def wipe(ctx):
    if await ctx.confirm(Text("Wipe it?", "비울까요?")):
        yield ctx.notify("깨끗합니다", title="비우기")
        colour = await ctx.ask("Which colour?", ["빨강", "파랑"])
        yield ctx.text(f"{colour} {await ctx.ask('And the name?')}")


@hookimpl
def aimark_register_commands():
    return [wipe]
"""


@in_loop
async def test_a_command_that_comes_while_the_page_is_open_asks_there(tmp_path):
    async with real_page(tmp_path) as it:
        page, field = it.page, ".composer textarea"
        (tmp_path / "home" / "plugins").mkdir(exist_ok=True)
        (tmp_path / "home" / "plugins" / "wiping.py").write_text(WIPE, encoding="utf-8")
        await page.fill(field, "/ㅂㅇㄱ")
        await page.wait_for_selector("#palette [role=option]:has-text('/비우기')")
        await page.fill(field, "/wipe")
        await page.press(field, "Enter")
        await page.get_by_role("form", name="Wipe it?").get_by_role("button", name="Yes").click()
        await page.wait_for_selector(".toast:has-text('깨끗합니다')")
        await page.get_by_role("button", name="파랑").click()
        await page.fill(".question input", "하늘")
        await page.get_by_role("button", name="Answer", exact=True).click()
        await page.wait_for_selector(".message.assistant[data-state=complete]:has-text('파랑 하늘')")
        await expect(page.locator(".question")).to_have_count(0)
        assert it.complaints == []
