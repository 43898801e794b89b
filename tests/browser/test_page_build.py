"""The page's build: current when nothing changed, clear when it fails, and without an address of any registry."""

import json
import os
import sys

import pytest

from tests.browser import page_build


@pytest.fixture
def sandbox(tmp_path):
    """The build script over a page of its own, whose npm and Vite are stand-ins that leave a trace."""
    build = page_build.load()
    build.HERE = tmp_path / "web_client"
    build.PAGE = tmp_path / "page"
    build.PAGE_STAMP = tmp_path / "build" / "page.sha256"
    build.MODULES_STAMP = build.HERE / "node_modules" / ".stamp"
    (build.HERE / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "src/인사.ts"):
        (build.HERE / name).write_text("{}", encoding="utf-8")
    ran = []

    def run(arguments, failure, remedy=""):
        ran.append("npm" if "ci" in arguments else "vite")
        (build.HERE / "node_modules").mkdir(exist_ok=True)
        build.PAGE.mkdir(exist_ok=True)
        (build.PAGE / "index.html").write_text("", encoding="ascii")

    build._run = run
    build.node = lambda: (tmp_path / "node", tmp_path / "npm-cli.js")
    build.ran = ran
    return build


def test_a_second_build_does_nothing(sandbox):
    assert sandbox.build() is True
    assert sandbox.build() is False
    assert sandbox.ran == ["npm", "vite"]


def test_a_changed_source_is_built_without_installing_again(sandbox):
    sandbox.build()
    (sandbox.HERE / "src" / "인사.ts").write_text("안녕", encoding="utf-8")
    assert sandbox.build() is True
    assert sandbox.ran == ["npm", "vite", "vite"]


def test_a_changed_lock_file_installs_again(sandbox):
    sandbox.build()
    (sandbox.HERE / "package-lock.json").write_text('{"a":1}', encoding="utf-8")
    sandbox.build()
    assert sandbox.ran == ["npm", "vite", "npm", "vite"]


def test_a_page_that_was_deleted_is_built_again(sandbox):
    sandbox.build()
    (sandbox.PAGE / "index.html").unlink()
    assert sandbox.build() is True


def test_a_failing_program_gives_its_last_words_and_the_remedy(tmp_path):
    build = page_build.load()
    script = tmp_path / "fails.py"
    script.write_text("print('열 수 없음'); raise SystemExit(3)", encoding="utf-8")
    build.node = lambda: (os.path.realpath(sys.executable), script)
    build.environment = lambda program, inherited: {**inherited, "PYTHONIOENCODING": "utf-8"}
    with pytest.raises(build.BuildError) as caught:
        build._run([str(script)], "npm failed.", build.REMEDY)
    assert str(caught.value).startswith("npm failed. Its last words:\n열 수 없음")
    assert "AIMARK_NO_PAGE=1" in str(caught.value)


def test_node_comes_first_on_the_path():
    build = page_build.load()
    program, npm = build.node()
    environment = build.environment(program, {"PATH": "/usr/bin", "NODE_EXTRA_CA_CERTS": "/etc/ca.pem"})
    assert environment["PATH"] == os.pathsep.join([str(program.parent), "/usr/bin"])
    assert environment["NODE_EXTRA_CA_CERTS"] == "/etc/ca.pem"
    assert program.is_file()
    assert npm.is_file()


def test_the_lock_file_names_no_download_address_and_checks_every_package():
    lock = json.loads((page_build.ROOT / "web_client" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []
