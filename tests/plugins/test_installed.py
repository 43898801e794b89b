"""A third party's package, installed by pip: its plugin is found by its entry point, checked and loaded."""

import hashlib
import subprocess
import sys
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from aimark_daemon.config.types import PluginsConfig
from aimark_daemon.plugins.sources import installed
from tests.plugins.hosts import hosting, said, states, why

COFFEE = Path(__file__).parent / "coffee"


def wheel(folder, requires):
    """A wheel of the coffee package, as its pyproject says, built without an index."""
    project = tomllib.loads((COFFEE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = f"aimark_coffee-{project['version']}"
    files = {
        path.relative_to(COFFEE / "src").as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((COFFEE / "src").rglob("*.py"))
    }
    wants = "".join(f"Requires-Dist: {one}\n" for one in (*project["dependencies"], *requires))
    entries = project["entry-points"]["aimark.plugins"].items()
    files |= {
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: aimark-coffee\nVersion: 1.0\n{wants}",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/entry_points.txt": "[aimark.plugins]\n"
        + "".join(f"{key} = {value}\n" for key, value in entries),
    }
    digests = {
        path: urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=") for path, text in files.items()
    }
    record = "".join(f"{path},sha256={digests[path].decode()},{len(text.encode())}\n" for path, text in files.items())
    files[f"{name}.dist-info/RECORD"] = record + f"{name}.dist-info/RECORD,,\n"
    built = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(built, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return built


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install the package where this test's Python finds it, until the test ends."""

    def put(requires=()):
        target = tmp_path / "site"
        line = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(target)]
        subprocess.run([*line, str(wheel(tmp_path, requires))], check=True, capture_output=True, timeout=120)
        monkeypatch.syspath_prepend(str(target))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        for name in [name for name in sys.modules if name.partition(".")[0] == "aimark_coffee"]:
            monkeypatch.delitem(sys.modules, name)

    return put


async def test_an_installed_plugin_is_found_by_its_entry_point_and_works(install):
    install()
    config = PluginsConfig(settings={"coffee": {"sugar": 2}})
    async with hosting(installed=True, config=config) as plugins:
        (entry,) = [entry for entry in plugins.host.entries if entry.found.name == "coffee"]
        assert (entry.found.source, str(entry.state)) == ("installed", "active")
        assert entry.found.path.name == "plugin.py"
        assert await said(plugins, "/커피 --size=large", language="ko") == "커피 large, 설탕 2."
        assert plugins.host.owner(str(entry.found.path)) == "coffee"


async def test_nothing_of_an_installed_plugin_is_imported_before_it_was_checked(install):
    install(["a-package-that-is-not-there>=3"])
    assert [found.name for found in installed()] == ["coffee"]
    async with hosting(installed=True) as plugins:
        assert states(plugins) == {"coffee": "failed"}
        assert why(plugins, "coffee") == "plugin_requires"
    assert not [name for name in sys.modules if name.startswith("aimark_coffee")]


async def test_a_disabled_installed_plugin_is_not_imported(install):
    install()
    async with hosting(installed=True, config=PluginsConfig(disabled=("coffee",))) as plugins:
        assert states(plugins) == {"coffee": "disabled"}
    assert not [name for name in sys.modules if name.startswith("aimark_coffee")]
