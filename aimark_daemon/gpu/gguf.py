"""Model facts of a GGUF file, read from its tables without loading the model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from aimark_daemon.gguf.reader import Gguf, LongArray, Tensor, read_gguf
from aimark_daemon.gpu.facts import LayerFacts, ModelFacts
from aimark_daemon.gpu.plan_faults import NOT_A_LANGUAGE_MODEL, PART_MISSING

_LAYER: Final = re.compile(r"blk\.(\d+)\.(.+)")
_EXPERTS: Final = re.compile(r"ffn_\w*_exps\b")
_INPUT: Final = re.compile(r"(token_embd|position_embd|token_types|per_layer_token_embd)\b")
_RECURRENT: Final = ("ssm_", "time_mix_", "shortconv.")
_PART: Final = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_HEAD: Final = 1 << 20
_BLOCK: Final = 32
_MOST_LAYERS: Final = 4096

_WINDOWED: Final = {
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "cohere2": 4,
    "exaone4": 4,
    "exaone-moe": 4,
    "olmo2": 4,
    "gpt-oss": 2,
    "llama4": 4,
    "plamo3": 8,
    "afmoe": 4,
    "mellum": 4,
}
"""Every so many layers one sees the whole context, where the file does not tell (llama.cpp, `load_swa_pattern`)."""
_WHOLE_FIRST: Final = {"cohere2moe": 4, "smallthinker": 4, "laguna": 4}
"""The same, the first of them being the one that sees all."""


def read_facts(path: Path, mmproj: Path | None = None) -> ModelFacts:
    """The facts of a model, all its parts together; `mmproj` is its image projector.

    Raises:
        AimarkError: model_file_invalid, model_part_missing, or model_not_language for a whole GGUF of something else.
    """
    first = read_gguf(path)
    tensors = [*first.tensors]
    for part in _other_parts(path, _number(first.values.get("split.count"))):
        tensors.extend(read_gguf(part).tensors)
    images = sum(tensor.bytes for tensor in read_gguf(mmproj).tensors) if mmproj is not None else 0
    return _Facts(first, tensors).read(images)


def fingerprint(path: Path) -> str:
    """A digest that tells one model file from another without reading gigabytes: its size and first mebibyte."""
    with path.open("rb") as stream:
        digest = hashlib.sha256(stream.read(_HEAD))
    digest.update(str(path.stat().st_size).encode())
    return digest.hexdigest()


def _other_parts(path: Path, count: int) -> Iterable[Path]:
    found = _PART.search(path.name)
    if count < 2 or not found:  # noqa: PLR2004 - one part is the file itself
        return
    for number in range(1, count + 1):
        part = path.with_name(f"{path.name[: found.start()]}-{number:05}-of-{count:05}.gguf")
        if part.name == path.name:
            continue
        if not part.is_file():
            raise PART_MISSING(count=count, file=part.name)
        yield part


class _Facts:
    """Collects the facts of one model."""

    def __init__(self, file: Gguf, tensors: list[Tensor]) -> None:
        self._file = file
        self._values = file.values
        self._tensors = tensors
        self._architecture = str(file.values.get("general.architecture", ""))
        if not self._architecture:
            raise self._other("it names no architecture", "아키텍처 이름이 없습니다")
        self._count = _number(self._key("block_count"))
        if not 1 <= self._count <= _MOST_LAYERS:
            what = f"{self._architecture!r}, {self._count}"
            raise self._other(f"architecture and layers are {what}", f"아키텍처와 층 수가 {what}입니다")

    def read(self, mmproj: int) -> ModelFacts:
        """The facts."""
        by_layer: list[list[tuple[str, int]]] = [[] for _ in range(self._count)]
        output = input_ = largest = 0
        has_output = False
        for tensor in self._tensors:
            if found := _LAYER.match(tensor.name):
                # Layers beyond the count (drafts of the next token) are charged to the last one.
                by_layer[min(int(found[1]), self._count - 1)].append((found[2], tensor.bytes))
                largest = max(largest, tensor.bytes)
            elif _INPUT.match(tensor.name):
                input_ += tensor.bytes
            else:
                output += tensor.bytes
                has_output |= tensor.name == "output.weight"
        if not any(by_layer):
            raise self._other("it has no weights of layers", "층의 가중치가 없습니다")
        embeddings = sum(tensor.bytes for tensor in self._tensors if tensor.name == "token_embd.weight")
        tied = 0 if has_output else embeddings
        layers = tuple(self._layer(number, parts) for number, parts in enumerate(by_layer))
        return ModelFacts(
            architecture=self._architecture,
            layers=layers,
            output=output + tied,
            input=input_,
            largest=largest,
            context=_number(self._key("context_length")),
            vocabulary=self._vocabulary(),
            embedding=_number(self._key("embedding_length")),
            feed_forward=max(
                (_number(self._per_layer("feed_forward_length", n)) for n in range(self._count)), default=0
            ),
            quantisable=all(length % _BLOCK == 0 for length in self._head(0, windowed=False)),
            template="tokenizer.chat_template" in self._values,
            tied=tied,
            mmproj=mmproj,
        )

    def _layer(self, number: int, parts: list[tuple[str, int]]) -> LayerFacts:
        names = [name for name, _ in parts]
        recurrent = any(name.startswith(_RECURRENT) for name in names)
        window = self._window(number)
        k = v = 0
        if self._attends(names, recurrent=recurrent):
            heads = _number(self._per_layer("attention.head_count_kv", number)) or self._heads(number)
            key, value = self._head(number, windowed=bool(window))
            k, v = heads * key, heads * value
            if self._key("attention.key_length_mla") is not None:
                v = 0  # values are a part of the keys
        return LayerFacts(
            weights=sum(size for _, size in parts),
            experts=sum(size for name, size in parts if _EXPERTS.match(name)),
            k=k,
            v=v,
            window=window,
            state=self._state() if recurrent else 0,
        )

    def _attends(self, names: list[str], *, recurrent: bool) -> bool:
        """Whether a layer has attention. One that is recurrent has both only where it has keys of its own."""
        if recurrent:
            return "attn_k.weight" in names
        return any(name.startswith(("attn_k.", "attn_qkv.", "attn_kv_a", "attn_kv.")) for name in names)

    def _heads(self, number: int) -> int:
        return _number(self._per_layer("attention.head_count", number))

    def _head(self, number: int, *, windowed: bool) -> tuple[int, int]:
        """Elements of one head's key and value."""
        heads = self._heads(number) or max((self._heads(n) for n in range(self._count)), default=0)
        usual = _number(self._key("embedding_length")) // heads if heads else 0
        lengths = []
        for name in ("attention.key_length", "attention.value_length"):
            length = _number(self._key(f"{name}_swa")) if windowed else 0
            lengths.append(length or _number(self._key(name)) or usual)
        return lengths[0], lengths[1]

    def _window(self, number: int) -> int:
        window = _number(self._key("attention.sliding_window"))
        pattern = self._key("attention.sliding_window_pattern")
        if not window:
            return 0
        if isinstance(pattern, list):
            return window if number < len(pattern) and pattern[number] else 0
        if self._architecture in _WHOLE_FIRST:
            return window if number % (_number(pattern) or _WHOLE_FIRST[self._architecture]) else 0
        every = _number(pattern) or _WINDOWED.get(self._architecture, 1)
        return window if number % every < every - 1 else 0

    def _state(self) -> int:
        """Bytes of one layer's recurrent state for one sequence, in 32 bits (llama.cpp, `n_embd_r`, `n_embd_s`)."""
        width = _number(self._key("embedding_length"))
        if head := _number(self._key("wkv.head_size")):
            return 4 * width * (head + (_number(self._key("token_shift_count")) or 2))
        if cache := _number(self._key("shortconv.l_cache")):
            return 4 * width * (cache - 1)
        inner, state = _number(self._key("ssm.inner_size")), _number(self._key("ssm.state_size"))
        conv, groups = _number(self._key("ssm.conv_kernel")), _number(self._key("ssm.group_count"))
        return 4 * (max(0, conv - 1) * (inner + 2 * groups * state) + state * inner)

    def _vocabulary(self) -> int:
        tokens = self._values.get("tokenizer.ggml.tokens")
        if isinstance(tokens, LongArray):
            return tokens.length
        if isinstance(tokens, list):
            return len(tokens)
        return _number(self._key("vocab_size"))

    def _key(self, name: str) -> Any:
        return self._values.get(f"{self._architecture}.{name}")

    def _per_layer(self, name: str, number: int) -> Any:
        value = self._key(name)
        if isinstance(value, list):
            return value[number] if number < len(value) else 0
        return value

    def _other(self, reason: str, reason_ko: str) -> Exception:
        return NOT_A_LANGUAGE_MODEL(file=self._file.path, reason=reason, reason_ko=reason_ko)


def _number(value: Any) -> int:
    """A count of the metadata; 0 for what is absent or no number."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
