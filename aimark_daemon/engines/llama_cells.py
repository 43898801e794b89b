"""llama.cpp's KV cache as the `Cells` of the sequence cache. Imported in the worker process only."""

from __future__ import annotations

import ctypes
from typing import Any

from aimark_daemon.engines.llama_lib import lib
from aimark_daemon.engines.llama_model import LOG


class KvCells:
    """The memory of one context. Only the thread that evaluates may use it."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._memory = lib.llama_get_memory(context)

    def remove(self, sequence: int, start: int) -> bool:
        """Forget `start` and following; False if this kind of model cannot forget a part."""
        return bool(lib.llama_memory_seq_rm(self._memory, sequence, start, -1))

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """Share positions `start` to `end` (exclusive) of a sequence with another one."""
        lib.llama_memory_seq_cp(self._memory, source, target, start, end)

    def first(self, sequence: int) -> int:
        """The smallest position held, -1 for none."""
        return int(lib.llama_memory_seq_pos_min(self._memory, sequence))

    def last(self, sequence: int) -> int:
        """The largest position held, -1 for none."""
        return int(lib.llama_memory_seq_pos_max(self._memory, sequence))

    def size(self, sequence: int) -> int:
        """Bytes that `save` would give."""
        return int(lib.llama_state_seq_get_size(self._context, sequence))

    def save(self, sequence: int, size: int) -> Any:
        """The sequence's keys and values as `size` bytes in RAM; None if llama.cpp cannot give them."""
        data = (ctypes.c_uint8 * size)()
        return data if lib.llama_state_seq_get_data(self._context, data, size, sequence) == size else None

    def restore(self, sequence: int, data: Any) -> bool:
        """Put what was saved into a sequence; False if too few cells are free, and the sequence is empty then."""
        LOG.expected = True
        try:
            return bool(lib.llama_state_seq_set_data(self._context, data, len(data), sequence))
        finally:
            LOG.expected = False
