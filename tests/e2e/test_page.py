"""The page against a real daemon on real models: a person holds the button, asks aloud, and hears the answer."""

import contextlib
import os
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from aimark_daemon.audio.wav import write_wav
from aimark_daemon.protocol.messages import OpenPage, PageReply
from tests.browser import page_build
from tests.browser.live import CHROMIUM, launch
from tests.e2e.harness import daemon, ready
from tests.e2e.test_closed_loop import likeness, spoken_by_piper

pytestmark = [
    pytest.mark.browser,
    pytest.mark.models,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
ANSWER = ".message.assistant"
QUESTION = "What is the capital of France?"
PICTURES = os.environ.get("AIMARK_PICTURES")
"""A folder to which the pictures for the docs are written; none are taken without it."""


@pytest.fixture(scope="module")
def built():
    build = page_build.ready()
    build.build()


@contextlib.asynccontextmanager
async def page_of(process, microphone, *, language):
    """The daemon's page in Chromium, whose fake microphone plays the WAV over and over."""
    async with process.connect() as client:
        await ready(client)
        url = (await client.request(OpenPage(id=0), PageReply)).url
    async with async_playwright() as playwright:
        browser = await launch(playwright, microphone, "--autoplay-policy=no-user-gesture-required")
        try:
            context = await browser.new_context(
                locale=language, permissions=["microphone"], viewport={"width": 1180, "height": 760}
            )
            page = await context.new_page()
            await page.goto(url)
            await page.wait_for_selector(".engine:has-text('TTS'), .engine >> nth=2")
            yield page
        finally:
            await browser.close()


async def picture(page, name):
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


async def test_a_question_held_into_the_microphone_is_answered_in_text_and_sound(tmp_path, built):
    question = await spoken_by_piper(QUESTION)
    seconds = len(question) / 32_000
    microphone = tmp_path / "microphone.wav"
    write_wav(microphone, bytes(32_000) + question + bytes(96_000), 16_000)
    async with (
        daemon(tmp_path / "home", config={"llm": {"temperature": 0, "max_tokens": 60}}) as process,
        page_of(process, microphone, language="en-GB") as page,
    ):
        await page.evaluate(
            """() => {
                window.played = 0;
                const connect = AudioNode.prototype.connect;
                AudioNode.prototype.connect = function (target, ...rest) {
                    if (target instanceof AudioDestinationNode) window.played += 1;
                    return connect.call(this, target, ...rest);
                };
            }"""
        )
        # The fake microphone repeats the file; a hold of its whole length holds the question at least once in part.
        await page.hover(".microphone")
        await page.mouse.down()
        await page.wait_for_selector(".talk.live")
        await page.wait_for_timeout(int(1000 * (seconds + 1.5)))
        await picture(page, "page-listening")
        await page.mouse.up()
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]", timeout=60_000)
        heard = await page.inner_text(".message.user .bubble")
        assert likeness(heard, QUESTION) > 0.6, heard
        answer = await page.inner_text(f"{ANSWER} .rich")
        assert answer.strip()
        assert await page.evaluate("window.played") > 0
        await picture(page, "page-answered")


async def test_korean_is_typed_answered_and_kept_across_a_reload(tmp_path, built):
    microphone = tmp_path / "microphone.wav"
    write_wav(microphone, bytes(32_000), 16_000)
    async with (
        daemon(tmp_path / "home", config={"llm": {"temperature": 0, "max_tokens": 60}}) as process,
        page_of(process, microphone, language="ko-KR") as page,
    ):
        await page.fill("textarea", "대한민국의 수도는 어디인가요?")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]", timeout=60_000)
        assert "서울" in await page.inner_text(ANSWER)
        await page.reload()
        await page.click(".session-title")
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]")
        assert "서울" in await page.inner_text(ANSWER)
        await page.fill("textarea", "/제목")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(".toast.error[role=alert]")
        await picture(page, "page-error")
        await page.set_viewport_size({"width": 360, "height": 640})
        await page.emulate_media(color_scheme="dark")
        await picture(page, "page-phone-dark")


async def test_a_daemon_killed_in_the_middle_of_an_answer_loses_and_doubles_no_text(tmp_path, built):
    microphone = tmp_path / "microphone.wav"
    write_wav(microphone, bytes(32_000), 16_000)
    async with (
        daemon(tmp_path / "home", config={"llm": {"temperature": 0, "max_tokens": 300}}) as process,
        page_of(process, microphone, language="en-GB") as page,
    ):
        await page.fill("textarea", "Write a long story about a river.")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(f"{ANSWER}[data-state=streaming] .rich p")
        process.kill()
        await page.wait_for_selector(".banner.warning code:text-is('aimark')")
        seen = await page.inner_text(f"{ANSWER} .rich")
        await process.start(port=process.port)
        await page.wait_for_selector(".banner", state="detached")
        await page.wait_for_selector(f"{ANSWER}[data-state=interrupted]")
        stored = await page.locator(f"{ANSWER} .rich").all_inner_texts()
        # What was stored a moment before the kill is there once; the page may have seen a little more.
        assert await page.locator(".message").count() == 2
        assert all(seen.startswith(text) for text in stored)
        await page.get_by_role("button", name="Answer again").click()
        await page.wait_for_selector(f"{ANSWER}[data-state=streaming]", timeout=60_000)
        assert await page.locator(".message").count() == 2
