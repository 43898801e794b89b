"""Messages between the daemon and a worker's child, and their framing: pure, without I/O.

One frame is a 4-byte little-endian length and a msgpack array `[tag, fields...]`. Payloads stay raw here; whoever
knows the `Method` decodes them, once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

import msgspec

from aimark_daemon.engines.base import Facts
from aimark_daemon.errors import Fault
from aimark_daemon.workers.faults import PROTOCOL, TOO_LARGE

VERSION: Final = 1
MAX_FRAME: Final = 64 * 1024 * 1024
"""Bytes of one message's body; a longer one is taken for garbage."""
WINDOW: Final = 1024 * 1024
"""Bytes of fed input, and of unread events, that one call may have under way."""
MAX_PAYLOAD: Final = MAX_FRAME - 4096
"""Bytes of one request, event or result."""
OVERHEAD: Final = 64
"""Bytes that every event counts beside its payload, so that empty ones fill the window too."""
_LENGTH: Final = struct.Struct("<I")


class Start(msgspec.Struct, frozen=True, array_like=True, tag="start"):
    """Load the engine with these settings; give a sign of life every `heartbeat_s` seconds."""

    name: str
    settings: dict[str, Any]
    heartbeat_s: float


class Begin(msgspec.Struct, frozen=True, array_like=True, tag="begin"):
    """Begin a call: `payload` is the request of the method."""

    id: int
    method: str
    payload: msgspec.Raw


class Feed(msgspec.Struct, frozen=True, array_like=True, tag="feed"):
    """The next bytes of a call's input."""

    id: int
    data: bytes


class EndInput(msgspec.Struct, frozen=True, array_like=True, tag="end"):
    """No more input follows."""

    id: int


class Cancel(msgspec.Struct, frozen=True, array_like=True, tag="cancel"):
    """The caller lost interest."""

    id: int


class Taken(msgspec.Struct, frozen=True, array_like=True, tag="taken"):
    """The caller took `size` bytes of events: that much of the window is free again."""

    id: int
    size: int


class Stop(msgspec.Struct, frozen=True, array_like=True, tag="stop"):
    """Cancel what runs, close the engine and end."""


ToChild = Start | Begin | Feed | EndInput | Cancel | Taken | Stop


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    """The child is there; nothing is loaded yet."""

    pid: int
    python: str
    protocol: int


class Loaded(msgspec.Struct, frozen=True, array_like=True, tag="loaded"):
    """The engine is warm and takes calls."""

    facts: Facts


class LoadFailed(msgspec.Struct, frozen=True, array_like=True, tag="load_failed"):
    """The engine could not be loaded; the child ends after this."""

    fault: Fault


class Event(msgspec.Struct, frozen=True, array_like=True, tag="event"):
    """One streamed event of a call."""

    id: int
    payload: msgspec.Raw


class Result(msgspec.Struct, frozen=True, array_like=True, tag="result"):
    """A call ended well."""

    id: int
    payload: msgspec.Raw


class Failed(msgspec.Struct, frozen=True, array_like=True, tag="failed"):
    """A call ended with a fault; the child lives on."""

    id: int
    fault: Fault


class Consumed(msgspec.Struct, frozen=True, array_like=True, tag="consumed"):
    """The engine consumed `size` bytes of the call's input."""

    id: int
    size: int


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag="beat"):
    """A sign of life.

    `stalled_s`: how long the slowest piece of work (the load, or a call that does not wait for its caller) has made
    no progress; 0 when idle.
    """

    stalled_s: float
    busy: bool


class Log(msgspec.Struct, frozen=True, array_like=True, tag="log"):
    """One log record; `level` is one of the logging module's numbers.

    Errors are also the child's last words, should it die: engines log what a native library says before it aborts.
    """

    level: int
    text: str


FromChild = Hello | Loaded | LoadFailed | Event | Result | Failed | Consumed | Heartbeat | Log

M = TypeVar("M")
_encoder = msgspec.msgpack.Encoder()


def pack(value: Any) -> msgspec.Raw:
    """A request, event or result as the payload of a message.

    Raises:
        AimarkError: `worker_message_too_large`, it is longer than MAX_PAYLOAD.
        TypeError: it is no plain data.
    """
    data = _encoder.encode(value)
    if len(data) > MAX_PAYLOAD:
        raise TOO_LARGE(f"{len(data)} bytes are more than {MAX_PAYLOAD}")
    return msgspec.Raw(data)


def frame(message: ToChild | FromChild) -> bytes:
    """One message as bytes for the pipe.

    Raises:
        AimarkError: `worker_message_too_large`, it is longer than MAX_FRAME.
    """
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise TOO_LARGE(f"{len(body)} bytes are more than {MAX_FRAME}")
    return _LENGTH.pack(len(body)) + body


class FrameDecoder(Generic[M]):
    """Bytes of the pipe, cut anywhere, back to messages of one direction."""

    def __init__(self, kind: Any, max_frame: int = MAX_FRAME) -> None:
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(kind)
        self._max_frame = max_frame
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[M]:
        """The messages that are complete now; iterate them to the end before the next bytes come.

        Raises:
            AimarkError: `worker_protocol`, the bytes are no message; the stream cannot be read any further.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            if length > self._max_frame:
                raise PROTOCOL(f"a frame of {length} bytes is longer than {self._max_frame}")
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            yield self._decode(bytes(buffer[start + _LENGTH.size : end]))
            start = end
        del buffer[:start]

    def _decode(self, body: bytes) -> M:
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as error:
            raise PROTOCOL(f"{type(error).__name__}: {error}") from error
