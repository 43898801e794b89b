"""Chats on the page, kept by a real daemon: renamed, pinned, deleted and brought back, found, saved and read in."""

import json

import pytest

from tests.browser.live import CHROMIUM
from tests.browser.real import real_page, visit
from tests.server.harness import in_loop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


@in_loop
async def test_chats_are_renamed_pinned_deleted_and_brought_back_one_at_a_time(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        for question in ("하나", "둘", "셋"):
            await page.get_by_role("button", name="New chat").click()
            await it.ask(question)
        assert await it.titles() == ["셋", "둘", "하나"]
        await it.act("둘", "Rename")
        await page.get_by_label("Title of the chat").fill("버릴 이름")
        await page.get_by_label("Title of the chat").press("Escape")
        await it.act("둘", "Rename")
        await page.get_by_label("Title of the chat").fill("두 번째")
        await page.get_by_label("Title of the chat").press("Enter")
        await page.wait_for_selector(".session-title:text-is('두 번째')")
        assert await it.titles() == ["셋", "두 번째", "하나"]
        await it.act("하나", "Pin")
        await page.wait_for_selector(".session:first-child .icon-pin")
        assert [title.split()[-1] for title in await it.titles()] == ["하나", "셋", "번째"]
        await it.act("셋", "Delete")
        await page.get_by_role("button", name="Undo").wait_for()
        assert "셋" not in await it.titles()
        other = await visit(it.process, it.context)
        await other.page.wait_for_selector(".session-title")
        assert "셋" not in await other.titles()
        await page.get_by_role("button", name="Undo").click()
        await other.page.wait_for_selector(".session-title:text-is('셋')")
        await page.wait_for_selector(".session-title:text-is('셋')")
        assert it.complaints == []


@in_loop
async def test_words_are_found_in_titles_and_in_messages(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await it.ask("한강의 길이는?")
        await it.act("한강의 길이는?", "Rename")
        await page.get_by_label("Title of the chat").fill("강 이야기")
        await page.get_by_label("Title of the chat").press("Enter")
        await page.get_by_role("button", name="New chat").click()
        await it.ask("산의 높이는?")
        await page.keyboard.press("Control+k")
        await page.keyboard.type("한강")
        await page.wait_for_selector(".hit mark:text-is('한강')")
        assert await page.locator(".hit-title").first.inner_text() == "강 이야기"
        await page.locator(".hit button").first.click()
        await page.wait_for_selector(".message.user:has-text('한강의 길이는?')")
        await page.fill(".search input", "없는말")
        await page.wait_for_selector(".sidebar-empty:text-is('Nothing found')")
        await page.press(".search input", "Escape")
        assert await page.input_value(".search input") == ""


@in_loop
async def test_chats_are_saved_as_json_and_markdown_and_read_in_again(tmp_path):
    async with real_page(tmp_path) as it:
        page = it.page
        await it.ask("저장할 질문")
        async with page.expect_download() as caught:
            await it.act("저장할 질문", "Export as Markdown")
        markdown = await caught.value
        assert markdown.suggested_filename == "저장할 질문.md"
        assert "저장할 질문" in (tmp_path / await _saved(markdown, tmp_path, "one.md")).read_text(encoding="utf-8")
        async with page.expect_download() as caught:
            await page.get_by_role("button", name="All chats").click()
            await page.get_by_role("menuitem", name="Export all as JSON").click()
        path = tmp_path / await _saved(await caught.value, tmp_path, "all.json")
        exported = json.loads(path.read_text(encoding="utf-8"))
        assert [session["title"] for session in exported["sessions"]] == ["저장할 질문"]
        # More than one message of the wire holds.
        exported["sessions"] = [
            {"title": f"큰 대화 {number}", "messages": [{"role": "user", "content": "가" * 60_000}]}
            for number in range(12)
        ]
        exported["sessions"][0]["messages"][0]["content"] = "나" * 1_200_000
        path.write_text(json.dumps(exported), encoding="utf-8")
        await page.set_input_files("input[type=file]", path)
        await page.wait_for_selector(".toast:has-text('12 chats were imported.')")
        assert len(await it.titles()) == 13
        path.write_text("이것은 아닙니다", encoding="utf-8")
        await page.set_input_files("input[type=file]", path)
        await page.wait_for_selector(".toast.error:has-text('import_invalid')")
        assert len(await it.titles()) == 13


async def _saved(download, folder, name):
    await download.save_as(folder / name)
    return name
