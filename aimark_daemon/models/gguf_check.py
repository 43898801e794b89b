"""Whether a file is a whole GGUF model: header, tables, and the extent of every tensor, without loading it.

Format: the GGUF specification of ggml, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Final

from aimark_daemon.errors import AimarkError
from aimark_daemon.models.faults import MODEL_FILE_INVALID

_VERSIONS: Final = (2, 3)
_DEFAULT_ALIGNMENT: Final = 32
_MAX_DIMENSIONS: Final = 8
_STRING: Final = 8
_ARRAY: Final = 9
_UINT32: Final = 4
_SCALARS: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Size in bytes of each scalar type of a metadata value."""

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


def check_gguf(path: Path) -> None:
    """Return if the file is a whole GGUF.

    Raises:
        AimarkError: model_file_invalid, with what is wrong: it is missing, not a GGUF, broken, or cut.
    """
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _Reader(path, data).check()
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


class _Reader:
    """Walks the file from its beginning. Every read past the end raises struct.error: the file is cut."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        self._at = 0
        self._alignment = _DEFAULT_ALIGNMENT

    def check(self) -> None:
        """Raise AimarkError or struct.error unless the file is whole."""
        if self._data[:4] != b"GGUF":
            raise _invalid(self._path, "it is not a GGUF file", "GGUF 파일이 아닙니다")
        self._at = 4
        version = self._number("<I")
        if version not in _VERSIONS:
            reason, reason_ko = f"GGUF version {version} is not supported", f"지원하지 않는 GGUF 버전입니다({version})"
            raise _invalid(self._path, reason, reason_ko)
        tensors, pairs = self._number("<Q"), self._number("<Q")
        for _ in range(pairs):
            self._pair()
        end = max((self._tensor() for _ in range(tensors)), default=0)
        start = -(-self._at // self._alignment) * self._alignment
        if start + end > len(self._data):
            raise _cut(self._path)

    def _number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def _skip(self, count: int) -> None:
        if self._at + count > len(self._data):
            raise _cut(self._path)
        self._at += count

    def _text(self) -> bytes:
        length = self._number("<Q")
        start = self._at
        self._skip(length)
        return self._data[start : self._at]

    def _pair(self) -> None:
        key = self._text()
        kind = self._number("<I")
        if key == b"general.alignment" and kind == _UINT32:
            self._alignment = self._number("<I")
            if self._alignment <= 0 or self._alignment % 8:
                raise self._broken()
        else:
            self._value(kind)

    def _value(self, kind: int, depth: int = 0) -> None:
        if kind in _SCALARS:
            self._skip(_SCALARS[kind])
        elif kind == _STRING:
            self._skip(self._number("<Q"))
        elif kind == _ARRAY and depth < 2:  # noqa: PLR2004 - arrays of arrays exist, deeper ones do not
            inner, count = self._number("<I"), self._number("<Q")
            if inner in _SCALARS:
                self._skip(_SCALARS[inner] * count)
            else:
                for _ in range(count):
                    self._value(inner, depth + 1)
        else:
            raise self._broken()

    def _tensor(self) -> int:
        """Read one entry of the tensor table; returns where its data ends, counted from the data's start."""
        self._text()
        dimensions = self._number("<I")
        if dimensions > _MAX_DIMENSIONS:
            raise self._broken()
        elements = 1
        for _ in range(dimensions):
            elements *= self._number("<Q")
        kind, offset = self._number("<I"), self._number("<Q")
        block, size = _BLOCKS.get(kind, (max(elements, 1), 1))
        return offset + -(-elements // block) * size

    def _broken(self) -> AimarkError:
        return _invalid(self._path, "its header is broken", "파일 머리말이 손상되었습니다")


def _cut(path: Path) -> AimarkError:
    return _invalid(path, "it is cut short", "파일이 중간에서 잘렸습니다")


def _invalid(path: Path, reason: str, reason_ko: str, detail: str = "") -> AimarkError:
    return MODEL_FILE_INVALID(detail, file=path, reason=reason, reason_ko=reason_ko)
