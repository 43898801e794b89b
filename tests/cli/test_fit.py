"""`aimark models fit`: the plan of a model for this machine or another one, without loading it."""

import pytest

from tests.cli.calls import Aimark
from tests.gpu import ggufs


@pytest.fixture
def model(tmp_path):
    """A model of 20 layers of 100 MiB; its file is sparse."""
    values, tensors = ggufs.dense(layers=20, width=2048, heads=8, attention__key_length=256)
    tensors |= {f"blk.{n}.ffn_gate.weight": (2048, 13_312) for n in range(20)}
    return str(ggufs.write(tmp_path / "큰 모델.gguf", values, tensors))


def test_a_card_of_any_size_can_be_asked_about(alone: Aimark, model: str) -> None:
    layers = []
    for size in ("1GB", "2 GB", "2.5GiB", "3072MB", "6GB"):
        plan = alone("models", "fit", model, "--vram", size, "--json").one()
        assert plan["plan"].get("vram", 0) <= plan["vram_usable"] <= plan["vram_free"]
        layers.append(plan["plan"]["gpu_layers"])
    assert layers == sorted(layers)
    assert (layers[0], layers[-1]) == (0, 20)
    assert 0 < layers[1] < 20


def test_what_would_be_tried_next_is_told_down_to_the_processor(alone: Aimark, model: str) -> None:
    told = alone("models", "fit", model, "--vram", "4GB", "--json").one()
    assert (told["architecture"], told["layers"], told["template"]) == ("llama", 20, False)
    sizes = [(rung["vram"], rung["ram"]) for rung in [told["plan"], *told["rungs"]]]
    assert sizes == sorted(set(sizes), reverse=True)
    assert told["rungs"][-1]["gpu_layers"] == 0
    assert all(rung["reason"]["ko"] for rung in told["rungs"])


def test_the_reason_is_told_in_the_persons_language(alone: Aimark, model: str) -> None:
    english = alone("models", "fit", model, "--vram", "2GB").out
    assert "of 20 layers on the GPU" in english
    assert "because the graphics card has 2.1 GB free." in english
    korean = Aimark(alone.home, LANG="ko_KR.UTF-8")("models", "fit", model, "--vram", "2GB").out
    assert "20개 층 중" in korean
    assert "그래도 메모리가 부족하면:" in korean


def test_the_users_reserve_is_kept_free(alone: Aimark, model: str) -> None:
    alone.home.mkdir()
    (alone.home / "config.json").write_text('{"llm": {"vram_reserve_mb": 4000}}', encoding="utf-8")
    told = alone("models", "fit", model, "--vram", "6GB", "--json").one()
    assert told["plan"]["gpu_layers"] < 20
    assert "4.0 GB of it stay reserved" in told["plan"]["reason"]["en"]


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("qwen2.5-coder-0.5b-instruct-q4_k_m",), "model_missing", 5),
        (("no-such-model",), "model_unknown", 2),
        (("없는 파일.gguf",), "model_file_invalid", 5),
        (("{model}", "--vram", "많이"), "size_unreadable", 2),
        (("{model}", "--vram", "-1GB"), "usage", 2),
        (("{clip}",), "model_not_language", 5),
    ],
)
def test_what_cannot_be_planned_is_told(alone, model, tmp_path, arguments, code, exit_code) -> None:
    clip = ggufs.write(tmp_path / "clip.gguf", {"general.architecture": "clip"}, {})
    ran = alone("models", "fit", *(part.format(model=model, clip=clip) for part in arguments), "--json")
    assert (ran.error(), ran.code) == (code, exit_code)


@pytest.mark.parametrize("other", ["whisper-base-int8", "piper-en-us-joe-medium"])
def test_a_model_that_does_not_think_has_no_plan(alone: Aimark, other: str) -> None:
    assert other in alone("models", "list").out
    ran = alone("models", "fit", other, "--json")
    assert (ran.code, ran.error()) == (2, "no_language_model")
