"""What "auto" chooses: properties over any set of models, and the tables of ordinary machines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.models.catalogue import CATALOGUE
from aimark_daemon.models.choice import AUTO, Choice, choose
from aimark_daemon.protocol.messages import ModelInfo

GB = 1_000_000_000
KINDS = ("llm", "stt", "tts")


def info(model: str, *, installed: bool = True) -> ModelInfo:
    entry = CATALOGUE[model]
    return ModelInfo(
        entry.id,
        entry.kind,
        entry.title,
        entry.bytes,
        entry.licence,
        entry.languages,
        installed,
        memory=entry.memory,
        starter=entry.starter,
    )


ALL = [info(model) for model in CATALOGUE]
STARTER = [model for model in ALL if model.starter]

models = st.lists(
    st.builds(
        ModelInfo,
        id=st.sampled_from([f"m{n}" for n in range(8)]),
        kind=st.sampled_from(KINDS),
        title=st.just("t"),
        bytes=st.integers(1, 6 * GB),
        licence=st.just("MIT"),
        languages=st.sets(st.sampled_from(["ko", "en"])).map(tuple),
        installed=st.booleans(),
        memory=st.integers(1, 8 * GB),
        starter=st.booleans(),
    ),
    unique_by=lambda model: model.id,
)
memory = st.integers(0, 16 * GB)
vram = st.none() | memory
languages = st.sampled_from(["ko", "en", AUTO])
kinds = st.sampled_from(KINDS)


@given(kinds, models, vram, memory, languages)
def test_auto_names_only_an_installed_model_of_that_kind(kind, there, free_vram, free_ram, language):
    choice = choose(kind, AUTO, there, free_vram, free_ram, language)
    named = [model for model in there if model.id == choice.model]
    assert all(model.installed and model.kind == kind for model in named)
    assert bool(named) == (choice.why == "auto")


@given(kinds, models, vram, memory, languages)
def test_auto_finds_something_whenever_something_will_do(kind, there, free_vram, free_ram, language):
    able = [
        model
        for model in there
        if model.installed and model.kind == kind and (kind != "tts" or language == AUTO or language in model.languages)
    ]
    assert (choose(kind, AUTO, there, free_vram, free_ram, language).why == "auto") == bool(able)


@given(kinds, models, vram, memory, languages)
def test_what_is_said_to_fit_does_fit(kind, there, free_vram, free_ram, language):
    choice = choose(kind, AUTO, there, free_vram, free_ram, language)
    if choice.why == "auto":
        (model,) = [model for model in there if model.id == choice.model]
        if choice.on_gpu:
            assert model.memory <= (free_vram or 0)
        assert choice.fits == (choice.on_gpu or model.memory <= free_ram)


@given(kinds, models, vram, memory, languages, st.randoms())
def test_the_order_of_the_models_does_not_matter(kind, there, free_vram, free_ram, language, random):
    shuffled = random.sample(there, len(there))
    assert choose(kind, AUTO, there, free_vram, free_ram, language) == choose(
        kind, AUTO, shuffled, free_vram, free_ram, language
    )


@given(kinds, models, memory, memory, memory, languages)
def test_more_vram_never_chooses_a_smaller_model_for_the_card(kind, there, free_vram, more, free_ram, language):
    before = choose(kind, AUTO, there, free_vram, free_ram, language)
    after = choose(kind, AUTO, there, free_vram + more, free_ram, language)
    sizes = {model.id: model.bytes for model in there}
    if before.on_gpu:
        assert after.on_gpu
        assert sizes[after.model] >= sizes[before.model]


@given(models, vram, memory)
def test_a_korean_sentence_is_never_given_to_a_voice_without_korean(there, free_vram, free_ram):
    choice = choose("tts", AUTO, there, free_vram, free_ram, "ko")
    assert all("ko" in model.languages for model in there if model.id == choice.model)


@given(kinds, models, vram, memory, st.sampled_from([f"m{n}" for n in range(8)]))
def test_an_id_is_taken_if_it_is_installed_and_only_then(kind, there, free_vram, free_ram, wanted):
    choice = choose(kind, wanted, there, free_vram, free_ram)
    installed = any(model.id == wanted and model.installed and model.kind == kind for model in there)
    assert (choice.why, choice.model) == (("asked", wanted) if installed else ("missing", ""))


@pytest.mark.parametrize("path", ["/모델/내 모델.gguf", "model.GGUF", "voices\\joe.onnx", "~/whisper", "./x"])
def test_a_path_is_handed_on_as_it_is(path):
    assert choose("llm", path, [], None, 0) == Choice("path", path=path)


@pytest.mark.parametrize(
    ("kind", "free_vram", "free_ram", "expected"),
    [
        ("llm", None, 8 * GB, "qwen2.5-coder-0.5b-instruct-q4_k_m"),
        ("llm", 3 * GB, 8 * GB, "qwen3-1.7b-q4_k_m"),
        ("llm", 5 * GB, 8 * GB, "qwen3-4b-instruct-2507-q4_k_m"),
        ("llm", 7 * GB, 8 * GB, "qwen3-8b-q4_k_m"),
        ("llm", GB // 2, 8 * GB, "qwen2.5-coder-0.5b-instruct-q4_k_m"),
        ("stt", None, 8 * GB, "whisper-base-int8"),
        ("stt", GB + GB // 2, 8 * GB, "whisper-small"),
        ("stt", 3 * GB, 8 * GB, "whisper-large-v3-turbo"),
    ],
)
def test_with_everything_installed_each_machine_gets_the_best_it_runs_fluently(kind, free_vram, free_ram, expected):
    assert choose(kind, AUTO, ALL, free_vram, free_ram).model == expected


def test_the_starter_set_serves_a_machine_without_a_card():
    assert choose("llm", AUTO, STARTER, None, 4 * GB, "ko").model == "qwen2.5-coder-0.5b-instruct-q4_k_m"
    assert choose("stt", AUTO, STARTER, None, 4 * GB, "ko").model == "whisper-base-int8"
    assert choose("tts", AUTO, STARTER, None, 4 * GB, "en").model == "piper-en-us-joe-medium"
    assert choose("tts", AUTO, STARTER, None, 4 * GB, "ko") == Choice("none")


def test_a_bilingual_model_goes_before_a_smaller_or_larger_one_that_is_not():
    there = [info("smollm2-135m-instruct-q4_1"), info("qwen2.5-coder-0.5b-instruct-q4_k_m")]
    assert choose("llm", AUTO, there, None, 4 * GB).model == "qwen2.5-coder-0.5b-instruct-q4_k_m"
    assert choose("llm", AUTO, there[:1], None, 4 * GB).model == "smollm2-135m-instruct-q4_1"


def test_a_machine_with_too_little_memory_is_told_so_and_still_gets_the_smallest():
    choice = choose("llm", AUTO, STARTER, None, 1000)
    assert choice == Choice("auto", "qwen2.5-coder-0.5b-instruct-q4_k_m", fits=False)
