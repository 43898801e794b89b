"""Where llama.cpp puts tensors, beyond the number of layers. Imported in the worker process only."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from aimark_daemon.engines.llama_lib import libggml

EXPERTS: Final = rb"\.ffn_(up|down|gate|gate_up)_exps\b"
"""A regular expression for the tensors of routed experts."""


class _BufferOverride(ctypes.Structure):
    """llama.h, `llama_model_tensor_buft_override`, which the binding leaves out."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


class Placement:
    """Parameters that point into memory of this object: it must live until the model is loaded.

    `no_card`: not even large batches are evaluated on a graphics card, and none of its memory is taken.
    `experts_on_cpu`: tensors that match `pattern` stay in RAM, whatever layers are on the card.
    """

    def __init__(self, *, no_card: bool, experts_on_cpu: bool, pattern: bytes = EXPERTS) -> None:
        self._devices = (ctypes.c_void_p * 1)(None) if no_card else None
        self._overrides = _overrides(pattern) if experts_on_cpu else None

    def put_into(self, params: Any) -> None:
        """Set what was asked for in llama.cpp's model parameters."""
        if self._devices is not None:
            params.devices = ctypes.addressof(self._devices)
        if self._overrides is not None:
            params.tensor_buft_overrides = ctypes.addressof(self._overrides)


def _overrides(pattern: bytes) -> Any:
    """One override, and the empty one that ends the list."""
    buffer_type = libggml.ggml_backend_cpu_buffer_type
    buffer_type.restype = ctypes.c_void_p
    return (_BufferOverride * 2)(_BufferOverride(pattern, buffer_type()), _BufferOverride(None, None))
