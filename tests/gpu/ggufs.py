"""GGUF files that are whole and tiny: real tables, weights of zeroes."""

import os
import struct
from pathlib import Path

F32, F16 = 0, 1
SIZES = {F32: 4, F16: 2}
ALIGNMENT = 32


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value(given) -> bytes:
    """One typed value of the metadata."""
    match given:
        case bool():
            return struct.pack("<I?", 7, given)
        case int():
            return struct.pack("<II", 4, given)
        case float():
            return struct.pack("<If", 6, given)
        case str():
            return struct.pack("<I", 8) + text(given)
        case list():
            inner = value(given[0])
            items = b"".join(value(item)[4:] for item in given)
            return struct.pack("<I", 9) + inner[:4] + struct.pack("<Q", len(given)) + items
    raise TypeError(type(given))


def write(path: Path, values: dict, tensors: dict[str, tuple[int, ...]], kind: int = F16) -> Path:
    """A GGUF with these values and tensors (name to shape). Weights take no room on the disk where it can be sparse."""
    table, offset = [], 0
    for name, shape in tensors.items():
        table.append(text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape))
        table[-1] += struct.pack("<IQ", kind, offset)
        offset += -(-count(shape) * SIZES[kind] // ALIGNMENT) * ALIGNMENT
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(text(key) + value(given) for key, given in values.items()) + b"".join(table)
    head += bytes(-len(head) % ALIGNMENT)
    path.write_bytes(head)
    os.truncate(path, len(head) + offset)
    return path


def count(shape: tuple[int, ...]) -> int:
    elements = 1
    for length in shape:
        elements *= length
    return elements


def dense(architecture: str = "llama", layers: int = 2, width: int = 64, heads: int = 4, kv_heads: int = 2, **more):
    """Values and tensors of a small dense model with 100 words. `more` are keys of the architecture, __ for a dot."""
    values = {
        "general.architecture": architecture,
        f"{architecture}.block_count": layers,
        f"{architecture}.context_length": 1024,
        f"{architecture}.embedding_length": width,
        f"{architecture}.feed_forward_length": 2 * width,
        f"{architecture}.attention.head_count": heads,
        f"{architecture}.attention.head_count_kv": kv_heads,
        "tokenizer.ggml.tokens": [f"낱말{n}" for n in range(100)],
        **{f"{architecture}.{key.replace('__', '.')}": given for key, given in more.items()},
    }
    tensors = {"token_embd.weight": (width, 100), "output_norm.weight": (width,), "output.weight": (width, 100)}
    for n in range(layers):
        tensors |= block(n, width)
    return values, tensors


def block(n: int, width: int, *, attention: bool = True) -> dict[str, tuple[int, ...]]:
    shapes = {"attn_norm.weight": (width,), "ffn_up.weight": (width, 2 * width), "ffn_down.weight": (2 * width, width)}
    if attention:
        shapes |= {"attn_q.weight": (width, width), "attn_k.weight": (width, 32), "attn_v.weight": (width, 32)}
    return {f"blk.{n}.{name}": shape for name, shape in shapes.items()}
