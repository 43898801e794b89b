"""Audio frames: the binary messages that carry sound in both directions.

Layout, little-endian, 12 bytes, then PCM (mono, signed 16-bit little-endian):

    u8 version | u8 kind | u16 flags | u32 stream | u32 sequence

`stream` is the `id` of the client's `listen` for microphone frames and the turn for speech frames; `sequence` counts
from 0 in each stream. Microphone frames are 16 kHz; speech frames have the rate told by `speech_started`.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from aimark_daemon.protocol.faults import BAD_FRAME

MIC_RATE = 16_000
"""Sample rate of everything that is heard, in Hz; always mono, signed 16-bit little-endian."""

FRAME_VERSION = 1
HEADER = struct.Struct("<BBHII")
MAX_PCM_BYTES = 256 * 1024
"""Longest payload of one frame: eight seconds at 16 kHz."""


class FrameKind(IntEnum):
    """Which way the sound goes."""

    MICROPHONE = 1
    SPEECH = 2


class AudioFrame(msgspec.Struct, frozen=True):
    """One piece of sound. `sequence` counts the frames of `stream` from 0."""

    kind: FrameKind
    stream: int
    sequence: int
    pcm: bytes
    flags: int = 0


def encode_frame(frame: AudioFrame) -> bytes:
    """The frame as one binary message."""
    return HEADER.pack(FRAME_VERSION, frame.kind, frame.flags, frame.stream, frame.sequence) + frame.pcm


def decode_frame(data: bytes) -> AudioFrame:
    """The frame in one binary message.

    Raises:
        AimarkError: `bad_frame` - too short, unknown version or kind, half a sample, or too long.
    """
    if len(data) < HEADER.size:
        raise BAD_FRAME(detail=f"{len(data)} bytes are less than the header's {HEADER.size}")
    version, kind, flags, stream, sequence = HEADER.unpack_from(data)
    if version != FRAME_VERSION:
        raise BAD_FRAME(detail=f"frame version {version}, this daemon speaks {FRAME_VERSION}")
    if kind not in (FrameKind.MICROPHONE, FrameKind.SPEECH):
        raise BAD_FRAME(detail=f"unknown kind {kind}")
    pcm = data[HEADER.size :]
    if len(pcm) % 2:
        raise BAD_FRAME(detail="half a sample at the end")
    if len(pcm) > MAX_PCM_BYTES:
        raise BAD_FRAME(detail=f"{len(pcm)} bytes of sound, at most {MAX_PCM_BYTES}")
    return AudioFrame(FrameKind(kind), stream, sequence, pcm, flags)
