"""The built page fits the fence that the daemon serves it in: flat hashed files, nothing inline, nothing foreign."""

import gzip
import re
from html.parser import HTMLParser

import pytest

from aimark_daemon.server.guards import Route, route_of
from aimark_daemon.server.page import Page
from tests.browser import page_build

INITIAL_JS_BYTES = 150 * 1024
SOURCE_LINES = 350


@pytest.fixture(scope="module")
def built():
    build = page_build.ready()
    build.build()
    return build.PAGE


class Elements(HTMLParser):
    """Every element's name and attributes, and the text inside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.found, self.inline = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.found and self.found[-1][0] in {"script", "style"}:
            self.inline += data.strip()


@pytest.fixture(scope="module")
def elements(built):
    return Elements((built / "index.html").read_text(encoding="utf-8"))


def test_the_page_has_nothing_inline(elements):
    assert elements.inline == ""
    attributes = {name for _, attributes in elements.found for name in attributes}
    assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_every_file_of_the_page_has_a_name_that_the_daemon_serves(built, elements):
    page = Page(built)
    assert page.file("/") is not None
    names = [path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()]
    assert sorted(name for name in names if name != "index.html" and route_of(f"/{name}") is not Route.ASSET) == []
    addresses = [
        value for _, attributes in elements.found for name, value in attributes.items() if name in {"src", "href"}
    ]
    assert len(addresses) >= 3
    assert [address for address in addresses if page.file(address) is None] == []


def test_worklets_are_files_of_their_own(built):
    script = "".join(path.read_text(encoding="utf-8") for path in (built / "assets").glob("index-*.js"))
    for name in ("capture", "playback"):
        (worklet,) = (built / "assets").glob(f"{name}-worklet-*.js")
        assert f"/assets/{worklet.name}" in script
        assert "registerProcessor" in worklet.read_text(encoding="utf-8")


def test_the_first_script_is_small(built):
    (script,) = (built / "assets").glob("index-*.js")
    assert len(gzip.compress(script.read_bytes())) <= INITIAL_JS_BYTES


def test_nothing_is_loaded_from_outside(built):
    allowed = {"www.w3.org"}
    for path in (built / "assets").iterdir():
        hosts = set(re.findall(r"(?:https?|wss?)://([\w.-]+)", path.read_text(encoding="utf-8")))
        assert hosts <= allowed, path.name


def test_the_pages_sources_never_make_markup_from_text():
    sources = (page_build.ROOT / "web_client" / "src").rglob("*.ts*")
    bad = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function")
    assert [path.name for path in sources if bad.search(path.read_text(encoding="utf-8"))] == []


def test_every_source_of_the_page_is_small_and_says_what_it_is():
    source = page_build.ROOT / "web_client" / "src"
    for path in source.rglob("*"):
        if path.suffix not in {".ts", ".tsx", ".css"} or path.name == "protocol.ts":
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= SOURCE_LINES, path.name
        assert re.match(r"// \S|/\* \S", lines[0]), path.name
