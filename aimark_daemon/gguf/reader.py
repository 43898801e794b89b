"""Reader of GGUF files: metadata and tensor table, and whether the file is whole, without loading the model.

Format: the GGUF specification of ggml, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aimark_daemon.errors import AimarkError
from aimark_daemon.gguf.faults import MODEL_FILE_INVALID

LONGEST_ARRAY: Final = 4096
"""Longer arrays (vocabularies, merges) are counted, not kept."""

_VERSIONS: Final = (2, 3)
_DEFAULT_ALIGNMENT: Final = 32
_MAX_DIMENSIONS: Final = 8
_STRING: Final = 8
_ARRAY: Final = 9
_UINT32: Final = 4
_SCALARS: Final = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
"""How each scalar type of a metadata value is packed."""

# Elements and bytes of one block of each tensor type. A type that is not here is only known to need some bytes.
_BLOCKS: Final = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
}


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array that was counted, not kept."""

    length: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the tensor table: its name, shape (fastest dimension first) and bytes."""

    name: str
    shape: tuple[int, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Gguf:
    """What a file's tables say. `values` by key: numbers, texts, lists of them, or a `LongArray`."""

    path: Path
    values: dict[str, Any]
    tensors: tuple[Tensor, ...]


def read_gguf(path: Path) -> Gguf:
    """The tables of a whole GGUF.

    Raises:
        AimarkError: model_file_invalid, with what is wrong: it is missing, not a GGUF, broken, or cut.
    """
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Walk(path, data).read()
    except FileNotFoundError as error:
        raise _invalid(path, "it does not exist", "파일이 없습니다") from error
    except IsADirectoryError as error:
        raise _invalid(path, "it is a folder", "파일이 아니라 폴더입니다") from error
    except ValueError as error:
        raise _invalid(path, "it is empty", "파일이 비어 있습니다") from error
    except OSError as error:
        raise _invalid(path, "it cannot be read", "파일을 읽을 수 없습니다", str(error)) from error
    except struct.error as error:
        raise _cut(path) from error


@dataclass(slots=True)
class _Walk:
    """Walks the file from its beginning. Every read past the end raises struct.error: the file is cut."""

    path: Path
    data: mmap.mmap
    at: int = 0
    alignment: int = _DEFAULT_ALIGNMENT
    values: dict[str, Any] = field(default_factory=dict)

    def read(self) -> Gguf:
        """The tables, or AimarkError or struct.error unless the file is whole."""
        if self.data[:4] != b"GGUF":
            raise _invalid(self.path, "it is not a GGUF file", "GGUF 파일이 아닙니다")
        self.at = 4
        version = self._number("<I")
        if version not in _VERSIONS:
            reason, reason_ko = f"GGUF version {version} is not supported", f"지원하지 않는 GGUF 버전입니다({version})"
            raise _invalid(self.path, reason, reason_ko)
        tensors, pairs = self._number("<Q"), self._number("<Q")
        for _ in range(pairs):
            self._pair()
        table: list[Tensor] = []
        end = 0
        for _ in range(tensors):
            tensor, offset = self._tensor()
            table.append(tensor)
            end = max(end, offset + tensor.bytes)
        start = -(-self.at // self.alignment) * self.alignment
        if start + end > len(self.data):
            raise _cut(self.path)
        return Gguf(self.path, self.values, tuple(table))

    def _number(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def _skip(self, count: int) -> None:
        if self.at + count > len(self.data):
            raise _cut(self.path)
        self.at += count

    def _text(self) -> str:
        length = self._number("<Q")
        start = self.at
        self._skip(length)
        return self.data[start : self.at].decode("utf-8", errors="replace")

    def _pair(self) -> None:
        key = self._text()
        kind = self._number("<I")
        value = self._value(kind)
        if key == "general.alignment" and kind == _UINT32:
            self.alignment = value
            if self.alignment <= 0 or self.alignment % 8:
                raise self._broken()
        self.values[key] = value

    def _value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY and depth < 2:  # noqa: PLR2004 - arrays of arrays exist, deeper ones do not
            return self._array(depth)
        raise self._broken()

    def _array(self, depth: int) -> list[Any] | LongArray:
        inner, count = self._number("<I"), self._number("<Q")
        if count <= LONGEST_ARRAY:
            return [self._value(inner, depth + 1) for _ in range(count)]
        if inner in _SCALARS:
            self._skip(struct.calcsize(_SCALARS[inner]) * count)
        elif inner == _STRING:
            self._skip_texts(count)
        else:
            for _ in range(count):
                self._value(inner, depth + 1)
        return LongArray(count)

    def _skip_texts(self, count: int) -> None:
        """Pass over a vocabulary: hundreds of thousands of short texts."""
        length_at, data, at = struct.Struct("<Q").unpack_from, self.data, self.at
        for _ in range(count):
            at += 8 + length_at(data, at)[0]
        self.at = at
        self._skip(0)

    def _tensor(self) -> tuple[Tensor, int]:
        """One entry of the tensor table, and where its data begins, counted from the data's start."""
        name = self._text()
        dimensions = self._number("<I")
        if dimensions > _MAX_DIMENSIONS:
            raise self._broken()
        shape = tuple(self._number("<Q") for _ in range(dimensions))
        elements = 1
        for length in shape:
            elements *= length
        kind, offset = self._number("<I"), self._number("<Q")
        block, size = _BLOCKS.get(kind, (max(elements, 1), 1))
        return Tensor(name, shape, -(-elements // block) * size), offset

    def _broken(self) -> AimarkError:
        return _invalid(self.path, "its header is broken", "파일 머리말이 손상되었습니다")


def _cut(path: Path) -> AimarkError:
    return _invalid(path, "it is cut short", "파일이 중간에서 잘렸습니다")


def _invalid(path: Path, reason: str, reason_ko: str, detail: str = "") -> AimarkError:
    return MODEL_FILE_INVALID(detail, file=path, reason=reason, reason_ko=reason_ko)
