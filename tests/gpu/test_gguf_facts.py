"""Facts of a model from its tables: dense, sliding window, hybrid, recurrent, experts, parts, and what is none."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.gpu.facts import MIB, Layout, compute_bytes, kv_bytes, ram_bytes, vram_bytes
from aimark_daemon.gpu.gguf import fingerprint, read_facts
from tests.gpu import ggufs

LAYOUT = Layout(layers=0, n_ctx=4096, n_ubatch=512, sequences=4)


def facts(tmp_path, values, tensors):
    return read_facts(ggufs.write(tmp_path / "모델.gguf", values, tensors))


def test_a_dense_model_is_the_sum_of_its_tensors(tmp_path):
    values, tensors = ggufs.dense()
    read = facts(tmp_path, values, tensors)
    assert read.weights == sum(2 * ggufs.count(shape) for shape in tensors.values())
    assert (len(read.layers), read.layers[0].k, read.layers[0].v) == (2, 2 * 16, 2 * 16)
    assert (read.context, read.vocabulary, read.embedding, read.template) == (1024, 100, 64, False)
    assert (read.input, read.tied, read.largest) == (2 * 6400, 0, 2 * 64 * 128)
    assert not read.quantisable, "heads of 16 do not fill blocks of 32"


def test_shared_embeddings_are_twice_only_on_the_card(tmp_path):
    values, tensors = ggufs.dense()
    del tensors["output.weight"]
    read = facts(tmp_path, values, tensors)
    assert read.tied == 2 * 6400
    assert read.weights == sum(2 * ggufs.count(shape) for shape in tensors.values())
    on_card = Layout(layers=2, n_ctx=4096, n_ubatch=512)
    cache = sum(kv_bytes(layer, LAYOUT) for layer in read.layers)
    buffers = compute_bytes(read, LAYOUT)
    assert ram_bytes(read, LAYOUT) == read.weights + cache + buffers
    assert ram_bytes(read, on_card) == read.input + buffers
    assert vram_bytes(read, on_card) == read.weights + cache + buffers


def test_heads_by_layer_are_read_by_layer(tmp_path):
    values, tensors = ggufs.dense(attention__head_count_kv=[1, 4], attention__key_length=32, attention__value_length=64)
    read = facts(tmp_path, values, tensors)
    assert [(layer.k, layer.v) for layer in read.layers] == [(32, 64), (128, 256)]
    assert read.quantisable


def test_a_sliding_window_caches_the_window_only_if_it_need_not_be_rewound(tmp_path):
    values, tensors = ggufs.dense("gemma3", layers=12, attention__sliding_window=512)
    read = facts(tmp_path, values, tensors)
    assert [bool(layer.window) for layer in read.layers] == [True] * 5 + [False] + [True] * 5 + [False]
    windowed, whole = read.layers[0], read.layers[5]
    assert kv_bytes(windowed, LAYOUT) == kv_bytes(whole, LAYOUT) == 4096 * 64 * 2
    short = Layout(layers=0, n_ctx=4096, n_ubatch=512, sequences=1, swa_full=False)
    assert kv_bytes(windowed, short) == 1024 * 64 * 2
    assert kv_bytes(whole, short) == 4096 * 64 * 2


@pytest.mark.parametrize(
    ("architecture", "pattern", "windowed"),
    [
        ("gpt-oss", None, [1, 0, 1, 0]),
        ("llama", None, [0, 0, 0, 0]),
        ("llama", 4, [1, 1, 1, 0]),
        ("llama", [False, True, True, False], [0, 1, 1, 0]),
        ("smallthinker", None, [0, 1, 1, 1]),
    ],
)
def test_which_layers_have_a_window(tmp_path, architecture, pattern, windowed):
    more = {} if pattern is None else {"attention__sliding_window_pattern": pattern}
    values, tensors = ggufs.dense(architecture, layers=4, attention__sliding_window=128, **more)
    assert [layer.window for layer in facts(tmp_path, values, tensors).layers] == [128 * n for n in windowed]


def test_a_hybrid_caches_tokens_in_some_layers_and_a_state_in_others(tmp_path):
    values, tensors = ggufs.dense(
        "jamba", layers=1, ssm__conv_kernel=4, ssm__inner_size=128, ssm__state_size=16, ssm__group_count=0
    )
    values["jamba.block_count"] = 2
    tensors |= ggufs.block(1, 64, attention=False) | {"blk.1.ssm_in.weight": (64, 256)}
    attention, recurrent = facts(tmp_path, values, tensors).layers
    assert (attention.k, attention.state) == (32, 0)
    assert (recurrent.k, recurrent.v, recurrent.state) == (0, 0, 4 * (3 * 128 + 16 * 128))
    assert kv_bytes(recurrent, LAYOUT) == 4 * recurrent.state, "once for each sequence, however long the context"


def test_latent_attention_keeps_no_values(tmp_path):
    values, tensors = ggufs.dense(
        "deepseek2", kv_heads=1, attention__key_length=576, attention__value_length=512, attention__key_length_mla=192
    )
    for n in range(2):
        del tensors[f"blk.{n}.attn_k.weight"]
        tensors[f"blk.{n}.attn_kv_a_mqa.weight"] = (64, 576)
    assert [(layer.k, layer.v) for layer in facts(tmp_path, values, tensors).layers] == [(576, 0)] * 2


def test_experts_are_told_from_the_rest(tmp_path):
    values, tensors = ggufs.dense("qwen3moe", expert_count=8)
    tensors |= {f"blk.1.ffn_{part}_exps.weight": (64, 64, 8) for part in ("up", "gate", "down")}
    tensors["blk.1.ffn_up_shexp.weight"] = (64, 64)
    plain, routed = facts(tmp_path, values, tensors).layers
    assert (plain.experts, routed.experts) == (0, 3 * 2 * 64 * 64 * 8)
    assert routed.weights - routed.experts == plain.weights + 2 * 64 * 64


def test_parts_count_together_and_a_missing_one_is_named(tmp_path):
    values, tensors = ggufs.dense()
    parts = [tmp_path / f"큰-모델-0000{n}-of-00002.gguf" for n in (1, 2)]
    ggufs.write(parts[0], values | {"split.count": 2}, {"token_embd.weight": tensors.pop("token_embd.weight")})
    ggufs.write(parts[1], {"split.no": 1}, tensors)
    assert len(read_facts(parts[0]).layers) == 2
    assert read_facts(parts[0]).input == 2 * 6400
    parts[1].unlink()
    with pytest.raises(AimarkError) as caught:
        read_facts(parts[0])
    assert caught.value.fault.code == "model_part_missing"
    assert parts[1].name in caught.value.fault.message.ko


@pytest.mark.parametrize(
    ("values", "tensors"),
    [
        ({}, {}),
        ({"general.architecture": "clip", "general.type": "mmproj"}, {"v.blk.0.attn_q.weight": (8, 8)}),
        ({"general.architecture": "llama", "llama.block_count": 4}, {"token_embd.weight": (8, 8)}),
        ({"general.architecture": "llama", "llama.block_count": "many"}, {"blk.0.ffn_up.weight": (8, 8)}),
    ],
)
def test_a_whole_file_of_something_else_is_told_as_such(tmp_path, values, tensors):
    with pytest.raises(AimarkError) as caught:
        facts(tmp_path, values, tensors)
    assert caught.value.fault.code == "model_not_language"


def test_an_image_projector_is_added(tmp_path):
    model = ggufs.write(tmp_path / "모델.gguf", *ggufs.dense())
    projector = ggufs.write(tmp_path / "mmproj.gguf", {"general.architecture": "clip"}, {"v.patch.weight": (64, 64)})
    assert read_facts(model, projector).mmproj == 2 * 64 * 64


numbers = st.one_of(st.integers(0, 2**32 - 1), st.just("글"), st.lists(st.integers(0, 9), min_size=1, max_size=3))
keys = st.sampled_from(
    [
        "block_count",
        "embedding_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.sliding_window",
        "attention.sliding_window_pattern",
        "ssm.state_size",
        "wkv.head_size",
        "feed_forward_length",
    ]
)


@given(broken=st.dictionaries(keys, numbers, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_any_values_give_facts_or_a_fault_of_this_program(tmp_path, broken):
    values, tensors = ggufs.dense()
    values |= {f"llama.{key}": given for key, given in broken.items()}
    try:
        read = facts(tmp_path, values, tensors)
    except AimarkError as error:
        assert error.fault.code == "model_not_language"
    else:
        assert read.weights > 0
        assert all(layer.k >= 0 and layer.state >= 0 for layer in read.layers)


def test_a_fingerprint_tells_files_apart(tmp_path):
    one, same, other = (tmp_path / name for name in ("하나", "같음", "다름"))
    one.write_bytes(b"x" * (MIB + 1))
    same.write_bytes(b"x" * (MIB + 1))
    other.write_bytes(b"x" * (MIB + 2))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
