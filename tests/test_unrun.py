"""In CI a skipped test fails the session and is named, unless it wants a graphics card; elsewhere it may be skipped."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MISSING = """
    import pytest

    def test_runs(): pass

    @pytest.mark.skipif(True, reason="no oboe: apt-get install oboe")
    def test_oboe(): pass
"""
CARD = """
    import pytest

    def test_runs(): pass

    @pytest.mark.gpu
    def test_card(): pytest.skip("no graphics card")
"""
BROKEN = """
    import pytest

    @pytest.mark.xfail
    def test_known(): assert 1 == 2
"""
WHOLE_MODULE = """
    import pytest

    pytest.skip("no fiddle here", allow_module_level=True)
"""
NOTHING_LEFT = """
    import pytest

    @pytest.mark.parametrize("path", [])
    def test_recordings(path): pass
"""


def session(folder, source, **variables):
    """Exit code and output of a pytest session with these tests alone."""
    # In a folder called gpu, which is no mark.
    file = folder / "gpu" / "test_it.py"
    file.parent.mkdir()
    file.write_text(textwrap.dedent(source), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    gpu: needs a graphics card\n", encoding="utf-8")
    options = [
        "-p",
        "tests.unrun",
        "-p",
        "no:cacheprovider",
        "-c",
        str(folder / "pytest.ini"),
        "--rootdir",
        str(folder),
    ]
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, str(file)],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("source", "named"),
    [
        (MISSING, "test_it.py::test_oboe: no oboe: apt-get install oboe"),
        (WHOLE_MODULE, "test_it.py: no fiddle here"),
        (NOTHING_LEFT, "test_it.py::test_recordings"),
    ],
)
def test_a_skipped_test_fails_ci_and_is_named(tmp_path, source, named):
    code, out = session(tmp_path, source, CI="true")
    assert code == 1, out
    assert named in out.partition("CI does not allow")[2]


@pytest.mark.parametrize("source", [CARD, BROKEN])
def test_want_of_a_graphics_card_and_expected_failures_do_not_fail_ci(tmp_path, source):
    code, out = session(tmp_path, source, CI="true")
    assert (code, "CI does not allow" in out) == (0, False), out


def test_elsewhere_a_machine_may_lack_something(tmp_path):
    code, out = session(tmp_path, MISSING)
    assert (code, "CI does not allow" in out) == (0, False), out


def test_the_projects_own_sessions_are_watched(request):
    assert request.config.pluginmanager.has_plugin("unrun")
