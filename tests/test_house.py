"""The house rules that no other tool checks: pins, addresses, sizes, first lines, and faults in both languages."""

import ast
import re
import string
import subprocess
import tomllib
from pathlib import Path

import pytest

from aimark_daemon.reference import declared_faults

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    path
    for folder in ("aimark_daemon", "plugins", "bench", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
LINES = 350
LONG = {"aimark_daemon/protocol/messages.py"}
"""Longer than 350 lines, with its reason: one list of every message on the wire."""
FORBIDDEN = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "registry.yarn" + "pkg.com",
]
"""Package registries. Everybody has an index of their own."""
MACHINE_PATHS = re.compile(rb"(?<![\w.~}-])/(?:" + b"wo" + rb"rk|ro" + rb"ot|tmp/l" + rb"ab|home/[a-z]+)/")
KINDS = [kind for kinds in declared_faults().values() for kind in kinds]
JOINED = re.compile(r"\}(?:[은는이가을를와과]|으로)(?![가-힣(])")
"""A particle after a placeholder whose form depends on the last sound of what is filled in."""


def name(path):
    return path.relative_to(ROOT).as_posix()


def tracked():
    """The repository's files, of which some may be deleted just now."""
    # A checkout that another user made, as machines of CI do, is as good to read.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout: clone the repository to check its files")
    return [path for found in done.stdout.decode().split("\0") if found and (path := ROOT / found).is_file()]


def pins():
    """The lines of requirements.lock that name a version, without their hashes."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line.rstrip(" \\") for line in lines if re.match(r"[a-z0-9]", line)]


def test_uv_is_held_to_the_versions_of_the_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pins()
    assert project["tool"]["uv"]["constraint-dependencies"] == pins()


def test_the_lock_has_a_hash_for_every_version_and_no_address():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins())
    assert all(re.match(r"[\w.-]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


def test_no_file_names_a_package_registry_or_a_path_of_some_machine():
    found = []
    for path in tracked():
        data = path.read_bytes()
        found += [f"{name(path)}: {word}" for word in FORBIDDEN if word.encode() in data]
        found += [f"{name(path)}: {match.group().decode()}" for match in MACHINE_PATHS.finditer(data)]
    assert found == []


@pytest.mark.parametrize("text", ["cd /wo" + "rk/main", "'/ro" + "ot/.cache'", "file:///ho" + "me/jiwoo/x"])
def test_the_check_knows_a_path_of_a_machine(text):
    assert MACHINE_PATHS.search(text.encode())


@pytest.mark.parametrize("text", ["deep/er/wo" + "rk/config.json", "~/ro" + "ot/", "http://a.b/wo" + "rk"])
def test_the_check_lets_other_paths_pass(text):
    assert not MACHINE_PATHS.search(text.encode())


def test_no_model_recording_or_build_output_is_kept():
    endings = {".gguf", ".onnx", ".bin", ".wav", ".mp3", ".whl", ".safetensors", ".pyc"}
    assert [name(path) for path in tracked() if path.suffix in endings or path.stat().st_size > 1_000_000] == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_first_line_says_what_the_module_is(path):
    source = path.read_text(encoding="utf-8")
    if not source.strip():
        assert path.name == "__init__.py"
        return
    docstring = ast.get_docstring(ast.parse(source))
    assert docstring, "no docstring"
    first = docstring.splitlines()[0]
    assert first == first.strip()
    assert len(first) > 10


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[len(ROOT.parts)] == "aimark_daemon"], ids=name)
def test_no_module_is_too_long_to_read(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert (lines > LINES) == (name(path) in LONG), f"{lines} lines"


def names(template):
    return {field for _, field, _, _ in string.Formatter().parse(template) if field}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_fault_says_the_same_in_both_languages(kind):
    for text in (kind.message, kind.hint):
        assert text.en.strip() == text.en
        assert text.en, "no English"
        assert not re.search("[가-힣]", text.en)
        assert re.search("[가-힣]", text.ko), "no Korean"
        assert {field.removesuffix("_ko") for field in names(text.ko)} == names(text.en)
    assert kind.message.ko != kind.hint.ko


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_fault_is_polite_in_korean_and_fits_what_is_filled_in(kind):
    for text in (kind.message.ko, kind.hint.ko):
        assert not JOINED.search(text), "write both forms of the particle: 이(가), 을(를), (으)로"
        assert not re.search(r"(한다|했다|이다|하라|해라)\.", text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_faults_code_is_plain(kind):
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", kind.code)


def test_fault_codes_are_declared_once():
    codes = [kind.code for kind in KINDS]
    assert len(codes) == len(set(codes)) > 50
