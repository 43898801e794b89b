"""The page as a person uses it, in Chromium, under the daemon's real fence."""

import itertools
import struct

import pytest

from aimark_daemon.protocol import messages as m
from aimark_daemon.protocol.audio import FrameKind
from tests.browser import page_build
from tests.browser.live import CHROMIUM, RATE, REPLY, TONE_HZ, open_page
from tests.server.harness import in_loop, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
ANSWER = ".message.assistant"


@pytest.fixture(scope="module")
def built():
    build = page_build.ready()
    build.build()
    return build.PAGE


@in_loop
async def test_a_typed_question_is_answered_as_text_and_sound(tmp_path, built):
    async with open_page(tmp_path, built) as (page, script, complaints):
        assert "#" not in page.url
        await page.fill("textarea", "대한민국의 수도는?")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(".message-foot .text-button:has-text('그만 말하기')")
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]")
        assert await page.inner_text(f"{ANSWER} strong") == "서울"
        assert await page.locator(f"{ANSWER} li").all_inner_texts() == ["한강", "남산"]
        assert "<img src=x onerror=alert(1)>" in await page.inner_text(ANSWER)
        assert await page.locator(f"{ANSWER} img").count() == 0
        assert await page.get_attribute(ANSWER, "aria-busy") == "false"
        assert "전체 1.50초" in await page.inner_text(f"{ANSWER} .times")
        assert await page.inner_text(".session-title") == "대한민국의 수도는?"
        # The sound was played to its end.
        await page.wait_for_selector(".message-foot .text-button:has-text('그만 말하기')", state="detached")
        (submit,) = script.asked(m.Submit)
        assert (submit.text, submit.session, submit.speak) == ("대한민국의 수도는?", None, True)
        (typing,) = script.asked(m.Typing)
        assert script.requests.index(typing) < script.requests.index(submit)
        assert complaints == []


@in_loop
async def test_holding_the_button_sends_the_microphone_and_shows_what_was_heard(tmp_path, built):
    async with open_page(tmp_path, built) as (page, script, complaints):
        await page.hover(".microphone")
        await page.mouse.down()
        await page.wait_for_selector(".talk.live")
        await until(lambda: len(script.frames) >= 50)
        await page.mouse.up()
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]")
        assert await page.inner_text(".message.user .bubble") == "한국의 수도는?"
        assert await page.locator(".talk.off").count() == 1
        (listen,) = script.asked(m.Listen)
        assert {(frame.kind, frame.stream) for frame in script.frames} == {(FrameKind.MICROPHONE, listen.id)}
        assert [frame.sequence for frame in script.frames] == list(range(len(script.frames)))
        assert {len(frame.pcm) for frame in script.frames[:-1]} == {640}
        pcm = b"".join(frame.pcm for frame in script.frames[10:50])
        samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
        rises = sum(before < 0 <= after for before, after in itertools.pairwise(samples))
        assert rises * RATE / len(samples) == pytest.approx(TONE_HZ, rel=0.05)
        assert script.requests.index(listen) < script.requests.index(script.asked(m.EndListen)[0])
        assert complaints == []


@in_loop
async def test_what_may_not_be_sent_is_not_sent(tmp_path, built):
    async with open_page(tmp_path, built) as (page, script, _):
        await page.fill("textarea", "/이미지")
        await page.press("textarea", "Enter")
        toast = page.locator(".toast.error[role=alert]")
        await toast.wait_for()
        assert "/이미지" in await toast.inner_text()
        assert "content_missing" in await toast.inner_text()
        assert await page.input_value("textarea") == "/이미지"
        await toast.get_by_role("button", name="닫기").click()
        await toast.wait_for(state="detached")
        await page.fill("textarea", "   ")
        await page.press("textarea", "Enter")
        await page.fill("textarea", "안녕")
        composing = {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
        await page.dispatch_event("textarea", "keydown", composing)
        await page.press("textarea", "Shift+Enter")
        assert await page.input_value("textarea") == "안녕\n"
        assert script.asked(m.Submit) == []
        await page.press("textarea", "Enter")
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]")
        assert [submit.text for submit in script.asked(m.Submit)] == ["안녕"]


@in_loop
async def test_a_lost_connection_comes_back_without_lost_or_doubled_text(tmp_path, built):
    async with open_page(tmp_path, built) as (page, script, _):
        script.pause = True
        await page.fill("textarea", "수도는?")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(f"{ANSWER}[data-state=streaming]")
        before = script.client
        before.close()
        await page.wait_for_selector(".banner.warning [role=status] strong:text-is('연결이 끊어졌습니다.')")
        await until(lambda: script.client is not before and script.asked(m.ShowSession) != [])
        await page.wait_for_selector(".banner", state="detached")
        script.go_on.set()
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]")
        assert await page.locator(".message").count() == 2
        assert (await page.inner_text(ANSWER)).count("남산") == 1
        assert REPLY.count("남산") == 1


@in_loop
async def test_stop_cancels_the_turn(tmp_path, built):
    async with open_page(tmp_path, built, language="en-GB") as (page, script, _):
        script.pause = True
        await page.fill("textarea", "Go on for ever")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(f"{ANSWER}[data-state=streaming]")
        assert await page.get_attribute(ANSWER, "aria-busy") == "true"
        await page.get_by_role("button", name="Stop", exact=True).click()
        await page.wait_for_selector(f"{ANSWER}[data-state=cancelled]")
        assert [cancel.turn for cancel in script.asked(m.Cancel)] == [1]


@in_loop
async def test_a_session_is_renamed_and_the_page_is_usable_at_360_pixels(tmp_path, built):
    async with open_page(tmp_path, built) as (page, script, _):
        await page.fill("textarea", "수도는?")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]")
        await page.set_viewport_size({"width": 360, "height": 640})
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        await page.get_by_role("button", name="대화 목록 열기").click()
        await page.get_by_role("button", name="‘수도는?’ 대화 메뉴").click()
        await page.get_by_role("menuitem", name="이름 바꾸기").click()
        await page.get_by_label("대화 제목").fill("버릴 이름")
        await page.get_by_label("대화 제목").press("Escape")
        await page.get_by_role("button", name="‘수도는?’ 대화 메뉴").click()
        await page.get_by_role("menuitem", name="이름 바꾸기").click()
        await page.get_by_label("대화 제목").fill("서울 이야기")
        await page.get_by_label("대화 제목").press("Enter")
        await page.wait_for_selector(".session-title:has-text('서울 이야기')")
        assert [(rename.session, rename.title) for rename in script.asked(m.RenameSession)] == [("s", "서울 이야기")]
