"""The hub mirror against a loopback server that breaks off, forgets ranges, and refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aimark_daemon.models.hub import HubMirror
from aimark_daemon.models.mirrors import MirrorError, Watch
from aimark_daemon.models.store import ModelStore
from tests.models.fakes import CONFIG, CONTENT, WEIGHTS, entry, hub, sha
from tests.models.hub_server import HubServer

(WEIGHTS_FILE, CONFIG_FILE) = entry().files


@pytest.fixture
def server() -> Iterator[HubServer]:
    with HubServer(dict(CONTENT)) as running:
        yield running


def mirror(server: HubServer) -> HubMirror:
    return HubMirror(hub(), endpoint=server.endpoint, pause=lambda _: None)


def watch() -> Watch:
    return Watch(lambda _: None, lambda: None)


def test_a_broken_connection_is_resumed_at_the_very_byte(server, tmp_path):
    server.cut_after = [400_000, 100_000]
    (got,) = mirror(server).fetch([WEIGHTS_FILE], tmp_path, watch())
    assert got.sha256 == sha(WEIGHTS)
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for _, asked in server.asked if asked]
    assert len(server.asked) == 3
    assert starts == sorted(starts)
    assert 0 < starts[0] <= 400_000


def test_a_later_process_resumes_what_an_earlier_one_left(server, tmp_path):
    (tmp_path / WEIGHTS_FILE.name).write_bytes(WEIGHTS[:777_777])
    (got,) = mirror(server).fetch([WEIGHTS_FILE], tmp_path, watch())
    assert got.sha256 == sha(WEIGHTS)
    assert [asked for _, asked in server.asked] == ["bytes=777777-"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, tmp_path):
    server.ignores_range = True
    (tmp_path / WEIGHTS_FILE.name).write_bytes(WEIGHTS[:777_777])
    (got,) = mirror(server).fetch([WEIGHTS_FILE], tmp_path, watch())
    assert got.sha256 == sha(WEIGHTS)


def test_a_server_that_never_sends_anything_is_given_up(server, tmp_path):
    server.cut_after = [0] * 10
    with pytest.raises(MirrorError):
        list(mirror(server).fetch([WEIGHTS_FILE], tmp_path, watch()))
    assert len(server.asked) == 4


@pytest.mark.parametrize(("status", "words", "tries"), [(404, "not there", 1), (403, "log-in", 1), (500, "500", 4)])
def test_a_refusal_is_told_and_only_a_server_error_is_tried_again(server, tmp_path, status, words, tries):
    server.status = status
    with pytest.raises(MirrorError, match=words):
        list(mirror(server).fetch([WEIGHTS_FILE], tmp_path, watch()))
    assert len(server.asked) == tries


def test_a_file_that_is_longer_than_published_is_refused(server, tmp_path):
    server.content["config.json"] = CONFIG + b" "
    with pytest.raises(MirrorError, match="longer"):
        list(mirror(server).fetch([CONFIG_FILE], tmp_path, watch()))


def test_the_pinned_revision_and_the_path_in_the_repository_are_asked_for(server, tmp_path):
    list(mirror(server).fetch([CONFIG_FILE], tmp_path, watch()))
    assert server.asked[0][0] == "/someone/tiny/resolve/0123456789abcdef/folder/config.json"


def test_an_entry_without_digest_is_checked_against_the_hubs_own(server, tmp_path):
    made = entry(digests=False)
    models = ModelStore(tmp_path, {"tiny": made}, lambda _: mirror(server))
    assert models.pull("tiny").read_bytes() == WEIGHTS
    models.verify("tiny")


def test_nothing_listening_is_a_reason_not_a_crash(tmp_path):
    with HubServer(CONTENT) as server:
        dead = mirror(server)
    with pytest.raises(MirrorError):
        list(dead.fetch([CONFIG_FILE], tmp_path, watch()))


def test_a_library_that_is_told_to_be_offline_is_a_reason_to_try_the_next_mirror(server, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MirrorError, match="OfflineMode"):
        list(mirror(server).fetch([CONFIG_FILE], tmp_path, watch()))
    assert server.asked == []
