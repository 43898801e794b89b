"""Whole, cut, broken and foreign files, checked without loading them."""

from __future__ import annotations

import contextlib
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.gguf.faults import MODEL_FILE_INVALID
from aimark_daemon.gguf.reader import read_gguf

Q4_0, F32 = 2, 0


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(*, version: int = 3, alignment: int | None = None, cut: int = 0, tensors: int = 2) -> bytes:
    """A whole GGUF: one pair of each shape of value, and tensors of 64 elements each in Q4_0."""
    pairs = [
        text("general.name") + struct.pack("<I", 8) + text("아주 작은 모델"),
        text("tiny.context") + struct.pack("<II", 4, 512),
        text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("안녕") + text("하세요"),
        text("scores") + struct.pack("<IIQ", 9, 6, 3) + struct.pack("<3f", 1, 2, 3),
    ]
    if alignment is not None:
        pairs.append(text("general.alignment") + struct.pack("<II", 4, alignment))
    step = alignment or 32
    stride = -(-36 // step) * step
    table = b"".join(
        text(f"blk.{n}.weight") + struct.pack("<IQQIQ", 2, 32, 2, Q4_0, n * stride) for n in range(tensors)
    )
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs)) + b"".join(pairs) + table
    head += bytes(-len(head) % step)
    whole = head + bytes(stride * (tensors - 1) + 36 if tensors else 0)
    return whole[: len(whole) - cut]


def written(folder: Path, data: bytes) -> Path:
    path = folder / "모델 파일.gguf"
    path.write_bytes(data)
    return path


def reason(path: Path) -> str:
    with pytest.raises(AimarkError) as caught:
        read_gguf(path)
    fault = caught.value.fault
    assert fault.code == MODEL_FILE_INVALID.code
    assert str(path) in fault.message.en
    assert str(path) in fault.message.ko
    return fault.message.en


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("alignment", [None, 8, 64])
@pytest.mark.parametrize("tensors", [0, 1, 5])
def test_a_whole_file_passes(tmp_path, version, alignment, tensors):
    read_gguf(written(tmp_path, gguf(version=version, alignment=alignment, tensors=tensors)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"GG", "not a GGUF"),
        (b"<!DOCTYPE html>" * 50, "not a GGUF"),
        (b"GGUF", "cut short"),
        (gguf(version=9), "version 9"),
        (gguf(cut=1), "cut short"),
        (gguf(alignment=7), "broken"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 99), "broken"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**63), "cut short"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0) + bytes(64), "cut short"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, data, words):
    assert words in reason(written(tmp_path, data))


def test_a_missing_file_and_a_folder_are_said(tmp_path):
    assert "does not exist" in reason(tmp_path / "없는 파일.gguf")
    assert "folder" in reason(tmp_path)


WHOLE = gguf()


@given(cut=st.integers(1, len(WHOLE) - 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_file_cut_anywhere_is_refused(tmp_path, cut):
    with pytest.raises(AimarkError):
        read_gguf(written(tmp_path, WHOLE[:-cut]))


@given(data=st.binary(max_size=200).map(lambda tail: b"GGUF" + struct.pack("<I", 3) + tail))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_judged_without_another_error(tmp_path, data):
    path = written(tmp_path, data)
    with contextlib.suppress(AimarkError):
        read_gguf(path)


@pytest.mark.models
def test_a_real_model_passes_and_fails_when_its_last_byte_is_lost(tiny_gguf, tmp_path):
    read_gguf(tiny_gguf)
    copy = tmp_path / "cut.gguf"
    shutil.copyfile(tiny_gguf, copy)
    with copy.open("r+b") as file:
        file.truncate(tiny_gguf.stat().st_size - 1)
    assert "cut short" in reason(copy)
