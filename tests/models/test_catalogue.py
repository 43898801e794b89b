"""The catalogue keeps its own rules."""

from __future__ import annotations

import re

import msgspec
import pytest

from aimark_daemon.models.catalogue import CATALOGUE
from aimark_daemon.models.entries import Hub, ModelEntry, Packages

ENTRIES = list(CATALOGUE.values())
LICENCES = {"Apache-2.0", "MIT", "CC0-1.0", "CC-BY-4.0", "LicenseRef-PublicDomain"}
each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)


def test_the_starter_set_is_one_model_of_each_kind_and_can_be_had_without_the_hub():
    starter = [entry for entry in ENTRIES if entry.starter]
    assert [entry.kind for entry in starter] == ["llm", "stt", "tts"]
    assert all(any(isinstance(source, Packages) for source in entry.mirrors) for entry in starter)


@each
def test_every_file_is_served_by_every_mirror_and_has_a_plain_name(entry: ModelEntry):
    names = {file.name for file in entry.files}
    assert len(names) == len(entry.files)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) and name != "manifest.json" for name in names)
    for source in entry.mirrors:
        assert set(source.paths if isinstance(source, Hub) else source.parts) == names


@each
def test_every_file_has_a_size_and_a_digest(entry: ModelEntry):
    for file in entry.files:
        assert file.bytes > 0
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)


@each
def test_parts_add_up_to_their_file_and_pin_their_version(entry: ModelEntry):
    for source in entry.mirrors:
        for file in entry.files if isinstance(source, Packages) else ():
            parts = source.parts[file.name]
            assert sum(part.bytes for part in parts) == file.bytes
            assert all(re.fullmatch(r"\d+(\.\d+)+", part.version) for part in parts)


@each
def test_a_hub_revision_is_a_whole_commit(entry: ModelEntry):
    for source in entry.mirrors:
        if isinstance(source, Hub):
            assert re.fullmatch(r"[0-9a-f]{40}", source.revision)


@each
def test_an_entry_is_complete(entry: ModelEntry):
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", entry.id)
    assert entry.licence in LICENCES
    assert set(entry.languages) <= {"ko", "en"}
    assert entry.memory > entry.bytes or entry.kind == "stt"
    assert entry.note
    assert (entry.main_file == "") == (entry.kind == "stt")
    assert entry.kind != "stt" or {"model.bin", "config.json", "tokenizer.json"} <= {file.name for file in entry.files}


@pytest.mark.parametrize(("card_gb", "free"), [(4, 3.3), (6, 5.2), (8, 7.1)])
def test_there_is_a_bilingual_llm_for_each_size_of_card(card_gb, free):
    fitting = [e for e in ENTRIES if e.kind == "llm" and {"ko", "en"} <= set(e.languages) and e.memory <= free * 1e9]
    assert max(e.memory for e in fitting) > 0.5 * free * 1e9


@each
def test_an_entry_survives_the_manifest(entry: ModelEntry):
    assert msgspec.json.decode(msgspec.json.encode(entry), type=ModelEntry) == entry
