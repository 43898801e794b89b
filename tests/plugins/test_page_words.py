"""A command without its content is one mistake: the page that finds it first and the daemon say the same."""

from pathlib import Path

from aimark_daemon.plugins.faults import CONTENT_MISSING

PAGE = Path(__file__).resolve().parents[2] / "web_client" / "src" / "faults.ts"


def test_the_page_and_the_daemon_have_one_code_and_the_same_words():
    texts = (CONTENT_MISSING.message.en, CONTENT_MISSING.message.ko, CONTENT_MISSING.hint.en, CONTENT_MISSING.hint.ko)
    declared = f"  {CONTENT_MISSING.code}: [\n" + "".join(f'    "{text}",\n' for text in texts)
    assert declared in PAGE.read_text(encoding="utf-8")
