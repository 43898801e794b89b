"""`aimark bench llm`: its figures, its report, and when it refuses."""

import json
import signal
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from aimark_daemon.cli.bench_figures import FIGURES, GROUPS, figures
from aimark_daemon.cli.bench_plan import planned
from aimark_daemon.cli.bench_report import Conditions, page
from aimark_daemon.config.types import Config
from aimark_daemon.engine_specs import engine_spec
from aimark_daemon.errors import Text
from aimark_daemon.gpu.plan import Card, Memory
from tests.cli.calls import Aimark
from tests.cli.sound import write_tone
from tests.starter import model_cache

PEER = Path(__file__).with_name("peer.py")
SIDES = {"ours", "bare", "llama_server"}
QUICK = ("--json", "--rounds", "1", "--tokens", "24")


class Outline(HTMLParser):
    """What a page loads, and how many charts it has."""

    def __init__(self, text):
        super().__init__()
        self.loads = []
        self.charts = 0
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.charts += tag == "svg"
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "data")]

    def handle_data(self, data):
        self.words += data


def test_every_side_has_the_same_keys_and_what_does_not_apply_is_null(alone: Aimark, tmp_path: Path) -> None:
    report = tmp_path / "성능.html"
    ran = alone("bench", "llm", *QUICK, "--html", str(report), "--peers", sys.executable, "--peer-script", str(PEER))
    assert ran.code == 0, ran.err
    conditions, *_, results = ran.lines()
    assert conditions["model"] == "fake-llm"
    assert conditions["rounds"] == 1
    assert set(results) == SIDES
    assert all(list(values) == list(FIGURES) for values in results.values())
    ours, peer = results["ours"], results["llama_server"]
    for name in ("load_s", "decode_tokens_per_s", "together_tokens_per_s", "first_token_restored_s", "recovery_s"):
        assert ours[name] > 0, name
    assert ours["switch_ratio"] == pytest.approx(ours["first_token_switch_s"] / ours["first_token_cold_s"], abs=0.05)
    assert peer["first_token_switch_s"] > 0
    assert peer["recovery_s"] is None
    assert set(results["bare"].values()) == {None}, "no loop around a fake"
    outline = Outline(report.read_text(encoding="utf-8"))
    assert outline.charts > 8
    assert outline.loads == []
    assert "llama-server" in outline.words


def test_people_get_a_table(alone: Aimark) -> None:
    ran = alone("bench", "llm", "--rounds", "1", "--tokens", "24")
    assert ran.code == 0, ran.err
    assert "fake-llm" in ran.out
    assert "First token, back to another session" in ran.out
    assert "llama_server" not in ran.out


@pytest.mark.models
def test_a_real_model_is_measured_beside_a_bare_loop(tmp_path: Path) -> None:
    model = next((model_cache() / "models").glob("smollm2*/*.gguf"), None)
    if model is None:
        pytest.skip("the small model is fetched by the tests of the engine")
    aimark = Aimark(tmp_path / "home", AIMARK_FAKE_ENGINES="0")
    ran = aimark(
        "bench",
        "llm",
        *QUICK,
        "--session-tokens",
        "120",
        "--model",
        str(model),
        "--peers",
        sys.executable,
        "--peer-script",
        str(PEER),
    )
    assert ran.code == 0, ran.err
    conditions, *_, results = ran.lines()
    assert conditions["threads"] >= 1
    ours, bare = results["ours"], results["bare"]
    assert all(ours[name] is not None for name in FIGURES if name not in ("cancel_prefill_s", "load_cpu_s")), ours
    assert conditions["plan"]["en"], "where the layers are, and why"
    assert bare["decode_tokens_per_s"] > 0
    assert bare["prefill_tokens_per_s"] > 0
    assert bare["first_token_switch_s"] is None


def test_a_model_that_is_not_installed_is_told(tmp_path: Path) -> None:
    aimark = Aimark(tmp_path / "home", AIMARK_FAKE_ENGINES="0")
    ran = aimark("bench", "llm", "--json", "--model", "qwen2.5-coder-0.5b-instruct-q4_k_m")
    assert (ran.code, ran.error()) == (5, "model_missing")
    assert aimark("bench", "llm", "--json").error() == "no_model"
    assert aimark("bench", "llm", "--json", "--model", str(tmp_path / "없음.gguf")).error() == "model_file_invalid"


@pytest.mark.parametrize(
    "peer",
    [
        ("--peers", sys.executable, "--peer-script", "nowhere.py"),
        ("--peers", "/no/such/python", "--peer-script", str(PEER)),
        ("--peers", sys.executable, "--peer-script", str(Path(__file__).with_name("no_peer.txt"))),
    ],
)
def test_a_peer_that_does_not_work_is_told_with_its_own_words(alone: Aimark, peer: tuple[str, ...]) -> None:
    ran = alone("bench", "llm", *QUICK, *peer)
    assert (ran.code, ran.error()) == (2, "bench_peer_failed")
    assert ran.lines()[-1]["error"]["detail"]


def test_a_report_that_cannot_be_written_is_told_before_anything_is_measured(alone: Aimark, tmp_path: Path) -> None:
    ran = alone("bench", "llm", "--json", "--html", str(tmp_path / "no" / "folder.html"))
    assert (ran.code, ran.error()) == (2, "bench_out_unwritable")
    assert "Loading" not in ran.err


def test_beside_a_daemon_at_work_it_refuses_and_beside_an_idle_one_it_measures(aimark: Aimark, tmp_path: Path) -> None:
    recording = write_tone(tmp_path / "말.wav", seconds=20)
    speaking = aimark.start("say", str(recording), "--json")
    try:
        while aimark("status", "--json").one()["engines"]["stt"]["state"] != "busy":
            assert speaking.poll() is None
        ran = aimark("bench", "llm", *QUICK)
    finally:
        speaking.send_signal(signal.SIGINT)
        speaking.communicate()
    assert (ran.code, ran.error()) == (2, "bench_daemon_busy")
    while aimark("status", "--json").one()["engines"]["stt"]["state"] == "busy":
        pass
    assert aimark("bench", "llm", *QUICK).code == 0


@pytest.mark.parametrize("value", ["0", "-1", "10001", "셋", "2.5"])
def test_rounds_are_a_number(alone: Aimark, value: str) -> None:
    ran = alone("bench", "llm", "--json", f"--rounds={value}")
    assert (ran.code, ran.error()) == (2, "usage")


def test_a_figure_is_the_median_of_its_samples_and_ratios_are_of_medians() -> None:
    values = figures({"first_token_cold_s": [4.0, 1.0, 2.0], "first_token_switch_s": [0.1, 0.3]})
    assert values["first_token_cold_s"] == 2.0
    assert values["switch_ratio"] == 0.1
    assert values["restored_ratio"] is None
    assert values["load_s"] is None


def test_every_figure_is_in_one_group_of_the_report() -> None:
    assert sorted(name for _, names in GROUPS for name in names) == sorted(FIGURES)


def test_the_engine_is_measured_by_the_daemons_plan_and_beside_a_card_by_the_processors_too(
    tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = engine_spec("llm", "smol", tiny_gguf, Config())
    for cards, layers in (((), 0), ((Card(4 << 30, 6 << 30),), 30)):
        memory = Memory(cards=cards, ram_free=8 << 30, offload=bool(cards))
        monkeypatch.setattr("aimark_daemon.cli.bench_plan.memory_of", lambda *_, memory=memory: memory)
        mine, alone = planned(spec, tiny_gguf, Config())
        assert mine.plan is not None
        assert mine.plan.gpu_layers == layers
        assert mine.settings["system"] == spec.settings["system"]
        assert (alone is not None) == (layers > 0)
        if alone is not None:
            assert (alone.settings["n_gpu_layers"], mine.settings["n_gpu_layers"] != 0) == (0, True)


def test_an_address_or_a_script_is_nowhere_on_the_page_and_both_schemes_are() -> None:
    results = {side: figures({"load_s": [1.5]}) for side in ("ours", "bare", "llama_server")}
    text = page(results, Conditions("모델", 2, 3, 0.5, 2, Text("On the CPU.", "CPU에서 실행합니다.")), "ko")
    assert "//" not in text
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text
    assert "CPU에서 실행합니다." in Outline(text).words


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_says_what_was_measured_and_escapes_it(language: str) -> None:
    results = {side: figures({"load_s": [1.5]}) for side in ("ours", "bare", "llama_server")}
    text = page(results, Conditions("<b>모델", 2, 3, None, 2), language)
    outline = Outline(text)
    assert "<b>모델" in outline.words
    assert outline.charts == 1
    assert ("모델 불러오기" if language == "ko" else "Loading the model") in outline.words
    assert json.dumps(results)
