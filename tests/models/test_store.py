"""The model store: pulling, listing, verifying and removing."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path

import pytest
from msgspec.structs import replace

from aimark_daemon.errors import AimarkError
from aimark_daemon.gguf.faults import MODEL_FILE_INVALID
from aimark_daemon.models.entries import ModelFile
from aimark_daemon.models.faults import (
    MODEL_DIGEST,
    MODEL_MISSING,
    MODEL_UNKNOWN,
)
from tests.models.fakes import CONFIG, CONTENT, WEIGHTS, FakeMirror, entry, sha, store


def fault_of(error: pytest.ExceptionInfo[AimarkError]) -> str:
    return error.value.fault.code


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_pulled_model_is_where_path_says_and_its_bytes_are_right(tmp_path):
    models = store(tmp_path)
    path = models.pull("tiny")
    assert path == models.path("tiny") == tmp_path / "models" / "tiny" / "tiny.gguf"
    assert path.read_bytes() == WEIGHTS
    assert (path.parent / "config.json").read_bytes() == CONFIG
    models.verify("tiny")


@pytest.mark.parametrize(("kind", "name"), [("llm", "tiny.gguf"), ("stt", ""), ("tts", "voice.onnx")])
def test_each_kind_of_engine_is_given_what_it_loads(tmp_path, kind, name):
    content = {"voice.onnx": b"o", "voice.onnx.json": b"{}"} if kind == "tts" else CONTENT
    made = entry(kind=kind)
    if kind == "tts":
        made = replace(made, files=tuple(ModelFile(n, len(d), sha(d)) for n, d in content.items()))
    models = store(tmp_path, made, mirrors=FakeMirror(content))
    assert models.pull("tiny") == tmp_path / "models" / "tiny" / name


def test_the_list_tells_what_is_installed(tmp_path):
    models = store(tmp_path, entry(starter=True), entry(model="other"))
    assert models.starter_missing() == ["tiny"]
    models.pull("tiny")
    assert {info.id: info.installed for info in models.list()} == {"tiny": True, "other": False}
    assert models.starter_missing() == []
    (info, _) = models.list()
    assert (info.bytes, info.licence, info.languages, info.starter) == (
        len(WEIGHTS) + len(CONFIG),
        "MIT",
        ("en", "ko"),
        True,
    )


def test_a_model_that_left_the_catalogue_stays_listed_and_usable(tmp_path):
    store(tmp_path, entry(model="old")).pull("old")
    models = store(tmp_path, entry())
    assert [info.id for info in models.list() if info.installed] == ["old"]
    assert models.path("old").read_bytes() == WEIGHTS
    models.remove("old")
    assert [info.id for info in models.list()] == ["tiny"]


def test_progress_rises_to_the_total_and_ends_there(tmp_path):
    seen: list[tuple[int, int]] = []
    store(tmp_path).pull("tiny", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    total = len(WEIGHTS) + len(CONFIG)
    assert {t for _, t in seen} == {total}
    assert seen[-1] == (total, total)
    assert len(seen) > 10


def test_pulling_again_asks_no_mirror(tmp_path):
    mirror = FakeMirror()
    models = store(tmp_path, mirrors=mirror)
    first = models.pull("tiny")
    sent = mirror.sent
    assert models.pull("tiny") == first
    assert mirror.sent == sent > 0


def test_two_models_that_share_a_file_download_it_once(tmp_path):
    mirror = FakeMirror()
    models = store(tmp_path, entry(), entry(model="twin"), mirrors=mirror)
    models.pull("tiny")
    sent = mirror.sent
    twin = models.pull("twin")
    assert mirror.sent == sent
    assert twin.samefile(models.path("tiny"))


def test_a_copy_serves_where_files_cannot_be_linked(tmp_path, monkeypatch):
    mirror = FakeMirror()
    models = store(tmp_path, entry(), entry(model="twin"), mirrors=mirror)
    models.pull("tiny")

    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    sent = mirror.sent
    twin = models.pull("twin")
    assert mirror.sent == sent
    assert twin.read_bytes() == WEIGHTS
    assert not twin.samefile(models.path("tiny"))


def test_an_entry_without_digest_takes_the_one_that_the_mirror_publishes_and_records_it(tmp_path):
    models = store(tmp_path, entry(digests=False))
    path = models.pull("tiny")
    models.verify("tiny")
    path.write_bytes(bytes(len(WEIGHTS)))
    with pytest.raises(AimarkError) as caught:
        models.verify("tiny")
    assert fault_of(caught) == MODEL_DIGEST.code


def test_verify_finds_one_changed_byte(tmp_path):
    models = store(tmp_path)
    path = models.pull("tiny")
    path.write_bytes(b"x" + WEIGHTS[1:])
    with pytest.raises(AimarkError) as caught:
        models.verify("tiny")
    assert fault_of(caught) == MODEL_DIGEST.code


@pytest.mark.parametrize("harm", [lambda p: p.unlink(), lambda p: p.write_bytes(WEIGHTS[:-1])])
def test_a_lost_or_cut_file_is_said_and_pulling_again_heals_it(tmp_path, harm):
    models = store(tmp_path, entry(starter=True))
    harm(models.pull("tiny"))
    with pytest.raises(AimarkError) as caught:
        models.path("tiny")
    assert fault_of(caught) == MODEL_FILE_INVALID.code
    assert models.starter_missing() == ["tiny"]
    models.pull("tiny")
    models.verify("tiny")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_korean_folder_name_with_spaces_works_in_either_form(tmp_path, form):
    root = tmp_path / unicodedata.normalize(form, "내 모델 폴더")
    models = store(root)
    assert models.pull("tiny").read_bytes() == WEIGHTS
    models.verify("tiny")
    assert store(root).list()[0].installed


def test_removing_a_model_removes_its_bytes(tmp_path):
    models = store(tmp_path)
    models.pull("tiny")
    models.remove("tiny")
    assert files_below(tmp_path) <= {"locks/tiny.lock"}
    with pytest.raises(AimarkError) as caught:
        models.remove("tiny")
    assert fault_of(caught) == MODEL_MISSING.code


def test_removing_one_of_two_models_that_share_files_keeps_the_other_whole(tmp_path):
    models = store(tmp_path, entry(), entry(model="twin"))
    models.pull("tiny")
    models.pull("twin")
    models.remove("tiny")
    models.verify("twin")
    models.remove("twin")
    assert files_below(tmp_path) <= {"locks/tiny.lock", "locks/twin.lock"}


def test_removing_forgets_what_was_begun(tmp_path):
    models = store(tmp_path, mirrors=FakeMirror(cut=300_000))
    with pytest.raises(AimarkError):
        models.pull("tiny")
    models.remove("tiny")
    assert files_below(tmp_path) <= {"locks/tiny.lock"}


def test_a_model_that_is_not_installed_is_told_with_what_to_do(tmp_path):
    with pytest.raises(AimarkError) as caught:
        store(tmp_path).path("tiny")
    assert fault_of(caught) == MODEL_MISSING.code
    assert "aimark models pull tiny" in caught.value.fault.hint.ko


@pytest.mark.parametrize("name", ["tinny", "../tiny", "", "작은모델", "a/b", "tiny\0"])
@pytest.mark.parametrize("method", ["path", "pull", "remove", "verify"])
def test_a_name_that_is_no_model_is_told_and_touches_nothing(tmp_path, name, method):
    with pytest.raises(AimarkError) as caught:
        getattr(store(tmp_path / "store"), method)(name)
    assert fault_of(caught) == MODEL_UNKNOWN.code
    assert "tiny" in caught.value.fault.hint.en
    assert not (tmp_path / "store").exists()
