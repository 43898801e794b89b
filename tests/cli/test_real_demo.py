"""`aimark demo` on the starter models: the question that is spoken is the one that is heard, and the answer sounds."""

import json
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calls import Aimark
from tests.starter import model_cache

pytestmark = pytest.mark.models


@pytest.fixture
def real(tmp_path: Path, small_gguf: Path, whisper_dir: Path, piper_onnx: Path) -> Iterator[Aimark]:
    home = tmp_path / "home"
    home.mkdir()
    config = {"server": {"port": 0}, "paths": {"models": str(model_cache())}, "llm": {"temperature": 0}}
    (home / "config.json").write_text(json.dumps(config), encoding="utf-8")
    call = Aimark(home, AIMARK_FAKE_ENGINES="0")
    yield call
    assert call("stop").code == 0


def test_the_demo_is_understood_and_answered_aloud(real: Aimark, tmp_path: Path) -> None:
    ran = real("demo", "--json", "--out", str(tmp_path / "answer.wav"))
    assert ran.code == 0, ran.err
    line = ran.one()
    assert line["transcript"].rstrip("?.").lower() == "what is the capital of france"
    assert "Paris" in line["reply"]
    assert (line["language"], line["finish"]) == ("en", "stop")
    times = line["timings"]
    assert 0 < times["transcript_s"] < times["first_token_s"] < times["first_audio_s"] <= line["v2v_s"]
    with wave.open(line["audio_out"]) as wav:
        assert wav.getnframes() / wav.getframerate() == pytest.approx(line["audio_s"], abs=0.001)
    assert line["audio_s"] > 0.5
