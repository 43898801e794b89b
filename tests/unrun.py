"""Pytest hooks of CI: a test that was skipped, unless only for want of a graphics card, fails the session.

They count where the environment has CI=true; elsewhere what a machine lacks may be missing.
"""

import os

import pytest

UNRUN = pytest.StashKey[list[str]]()
REMEDY = "CI runs every test that needs no graphics card: give the machine what these miss, or mark them `gpu`."


def pytest_configure(config):
    config.stash[UNRUN] = []


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    if report.skipped:
        _note(collector.config, collector.nodeid, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not expected_failure and item.get_closest_marker("gpu") is None:
        _note(item.config, item.nodeid, report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    harmless = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if _counts() and session.config.stash[UNRUN] and harmless:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if _counts() and config.stash[UNRUN]:
        terminalreporter.section("skipped, which CI does not allow", red=True)
        for line in config.stash[UNRUN]:
            terminalreporter.line(line)
        terminalreporter.line(REMEDY)


def _counts():
    return os.environ.get("CI", "").lower() in ("true", "1")


def _note(config, nodeid, report):
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    config.stash[UNRUN].append(f"{nodeid}: {reason.removeprefix('Skipped: ')}")
