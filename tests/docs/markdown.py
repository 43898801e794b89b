"""Markdown as the tests of the documentation need it: code blocks, inline code, links, headings, command lines."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^\w+=")
_SEPARATORS = {"|", "||", "&", "&&", ";", ">", ">>", "<"}


class Block(NamedTuple):
    """A fenced code block."""

    language: str
    text: str


def read(name: str | Path) -> str:
    """The page's text; `name` is relative to the repository's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, *languages: str) -> list[Block]:
    """The fenced blocks, of `languages` if any are named."""
    found = [Block(match[1], match[2]) for match in _FENCE.finditer(text)]
    return [block for block in found if not languages or block.language in languages]


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def inline_codes(text: str) -> list[str]:
    """What stands between single backticks."""
    return _INLINE.findall(prose(text))


def links(text: str) -> list[str]:
    """The targets of all links."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(text)))


def headings(text: str) -> list[tuple[int, str]]:
    """The headings with their levels."""
    return [(len(match[1]), match[2]) for match in _HEADING.finditer(prose(text))]


def anchors(text: str) -> set[str]:
    """What a link into the page may name: its headings, as GitHub spells them, and its `<a id>`s."""
    titles = [re.sub(r"<[^>]*>", "", title).lower() for _, title in headings(text)]
    slugs = {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def shell_lines(block: Block) -> list[str]:
    """The lines of a block that a person types, without comments."""
    lines = block.text.splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    if block.language == "ini":
        lines = [line.partition("=")[2] for line in lines if line.startswith("Exec")]
    return [bare for line in lines if (bare := re.sub(r"(^|\s+)#.*$", "", line))]


def aimark_calls(line: str) -> list[list[str]]:
    """The arguments of each call of `aimark` in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    calls: list[list[str]] = [[]]
    for word in lexer:
        if word in _SEPARATORS:
            calls.append([])
        else:
            calls[-1].append(word)
    return [arguments for words in calls if (arguments := _arguments(words)) is not None]


def _arguments(words: list[str]) -> list[str] | None:
    while words and (_ASSIGNMENT.match(words[0]) or words[0] == "export"):
        words = words[1:]
    if words[:2] == ["uv", "run"]:
        words = words[2:]
    return words[1:] if words[:1] == ["aimark"] else None


def talk(text: str) -> list[str]:
    """What a page types into a conversation."""
    return [line for block in blocks(text, "aimark") for line in block.text.splitlines()]


def typed_calls(text: str) -> list[list[str]]:
    """The arguments of every `aimark` call in a page's blocks."""
    shells = blocks(text, "sh", "bash", "console", "ini")
    return [call for block in shells for line in shell_lines(block) for call in aimark_calls(line)]


def mentioned_calls(text: str) -> list[str]:
    """Inline code that names an `aimark` command; forms with [ ], |, ... and COMMAND are grammar."""
    return [
        code
        for code in inline_codes(text)
        if re.match(r"(uv run )?aimark( |$)", code) and not re.search(r"[\[\]|]|\.\.\.|COMMAND", code)
    ]
