"""The documentation holds together: links lead somewhere, what it names exists, both languages say the same."""

import re

import pytest

from aimark_daemon import reference
from aimark_daemon.cli.bench_figures import FIGURES
from aimark_daemon.config.check import settings
from aimark_daemon.config.types import Config
from aimark_daemon.errors import FAULT_KINDS
from aimark_daemon.protocol.generate import schema
from aimark_daemon.server.prometheus import FAMILIES
from tests.docs.markdown import (
    IDS,
    PAGES,
    ROOT,
    anchors,
    blocks,
    headings,
    inline_codes,
    links,
    read,
    shell_lines,
)

TRANSLATED = [
    ("README.md", "README.ko.md"),
    ("docs/tutorial/first-conversation.md", "docs/tutorial/ko/first-conversation.md"),
    ("docs/tutorial/first-command.md", "docs/tutorial/ko/first-command.md"),
    ("docs/how-to/README.md", "docs/how-to/ko/README.md"),
    ("docs/explanation/talking.md", "docs/explanation/ko/talking.md"),
    ("docs/how-to/choose-a-voice.md", "docs/how-to/ko/choose-a-voice.md"),
    ("docs/how-to/share-the-card.md", "docs/how-to/ko/share-the-card.md"),
    ("docs/tour.md", "docs/tour.ko.md"),
]
SETTINGS = {".".join(path) for path, _ in settings()}
OTHER_NAMES = {"audio_out", "aimark_daemon", "constraint_dependencies", "hands_free", "push_to_talk", *FIGURES}
"""Names with underscores in the text that are no fault, message, field or setting."""


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in links(text):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        assert goal.exists(), f"{target} is not there"
        if anchor and goal.suffix == ".md":
            assert anchor in anchors(goal.read_text(encoding="utf-8")), f"{target} is no heading"


def test_every_page_can_be_reached_from_the_readme():
    reached, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text(encoding="utf-8"))]
        open_pages += [target for target in targets if target.suffix == ".md" and target.is_file()]
    assert {page for page in PAGES if page.name != "CHANGELOG.md"} <= reached


def test_no_diagram_has_a_semicolon_which_would_end_its_line():
    diagrams = [block for page in PAGES for block in blocks(read(page), "mermaid")]
    assert len(diagrams) > 1
    assert not [line for block in diagrams for line in block.text.splitlines() if ";" in line]


@pytest.mark.parametrize(("english", "korean"), TRANSLATED)
def test_both_languages_have_the_same_headings_and_commands(english, korean):
    english, korean = read(english), read(korean)
    assert [level for level, _ in headings(korean)] == [level for level, _ in headings(english)]
    assert [block.language for block in blocks(korean)] == [block.language for block in blocks(english)]
    for ours, theirs in zip(
        blocks(english, "sh", "bash", "console"), blocks(korean, "sh", "bash", "console"), strict=True
    ):
        assert shell_lines(theirs) == shell_lines(ours)


@pytest.mark.parametrize(("english", "korean"), TRANSLATED)
def test_the_translation_is_korean_and_links_to_its_original(english, korean):
    assert all(re.search("[가-힣]", title) for _, title in headings(read(korean)) if title != "AI MARK")
    assert not re.search("[가-힣]", " ".join(title for _, title in headings(read(english))))
    for page, other in ((english, korean), (korean, english)):
        goals = {(ROOT / page).parent.joinpath(link).resolve() for link in links(read(page))}
        assert (ROOT / other).resolve() in goals


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_setting_that_is_named_exists(page):
    sections = "|".join(Config.__struct_fields__)
    for code in inline_codes(page.read_text(encoding="utf-8")):
        if re.fullmatch(rf"({sections})\.[a-z_]+", code):
            assert code in SETTINGS or any(setting.startswith(f"{code}.") for setting in SETTINGS)


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.parent.name in {"tutorial", "how-to", "explanation", "ko"}], ids=lambda p: p.name
)
def test_every_fault_and_message_that_is_named_exists(page):
    tags = set(re.findall(r'"enum": \["([a-z_]+)"\]', str(schema()).replace("'", '"')))
    fields = {name for definition in schema()["$defs"].values() for name in definition.get("properties", ())}
    codes = {kind.code for kinds in reference.declared_faults().values() for kind in kinds}
    known = tags | fields | codes | set(FAMILIES) | OTHER_NAMES
    for code in inline_codes(page.read_text(encoding="utf-8")):
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", code):
            assert code in known, f"there is no {code}"


def test_the_generated_pages_are_current():
    assert reference.FILES.stale() == []


def test_a_changed_or_missing_generated_page_is_named(tmp_path, capsys):
    reference.FILES.write(tmp_path)
    assert reference.FILES.stale(tmp_path) == []
    first, second, *_ = reference.PAGES
    (tmp_path / first).write_text("손댄 글", encoding="utf-8")
    (tmp_path / second).unlink()
    assert reference.FILES.stale(tmp_path) == [first, second]
    assert reference.FILES.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_the_errors_page_has_every_fault_that_is_declared():
    page = read("docs/reference/errors.md")
    declared = [kind for kinds in reference.declared_faults().values() for kind in kinds]
    # Test engines declare kinds of their own, whose codes begin with "test_".
    assert {kind.code for kind in declared} == {code for code in FAULT_KINDS if not code.startswith("test_")}
    assert all(f"`{kind.code}`" in page and kind.message.ko.replace("|", "\\|") in page for kind in declared)


def test_the_config_page_has_every_setting():
    page = read("docs/reference/config.md")
    assert all(f"| `{setting}` |" in page for setting in SETTINGS)


def test_the_decisions_are_numbered_and_listed():
    folder = ROOT / "docs" / "decisions"
    index = read("docs/decisions/README.md")
    pages = sorted(folder.glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        number, title = re.match(r"# (\d{4}) (.+)\n", text).groups()
        assert f"| [{number}]({page.name}) | {title} |" in index
        assert page.name.startswith(f"{number}-")
        assert re.findall(r"^\*\*([\w ]+)\.\*\*", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Not chosen",
            "Consequences",
        ]
