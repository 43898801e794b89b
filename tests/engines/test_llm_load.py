"""Loading: files that are no models, memory that is short, and the engine's own words as the reason."""

import logging
import subprocess
import sys

import pytest

from aimark_daemon.engines.faults import LLM_SETTINGS_INVALID, MODEL_FILE_MISSING, MODEL_INVALID
from aimark_daemon.engines.llama import LlamaEngine
from aimark_daemon.engines.llama_log import LlamaLog, tells_out_of_memory
from aimark_daemon.errors import AimarkError

pytestmark = pytest.mark.models


def fault_of(**settings):
    engine = LlamaEngine()
    with pytest.raises(AimarkError) as caught:
        engine.load(settings, lambda: None)
    engine.close()
    return caught.value


@pytest.mark.parametrize("path", ["없는 모델.gguf", "", "."])
def test_a_missing_file_is_told(tmp_path, path):
    error = fault_of(path=str(tmp_path / path))
    assert MODEL_FILE_MISSING.caught_in(error)
    assert "모델 파일" in error.fault.message.ko


@pytest.mark.parametrize("content", [b"", b"GG", b"GIF89a not a model", b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 64])
def test_a_file_that_is_no_model_is_told(tmp_path, content):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert MODEL_INVALID.caught_in(fault_of(path=str(path)))


@pytest.mark.parametrize("keep", [4096, 3_000_000, 50_000_000])
def test_a_truncated_model_is_told_in_llama_cpps_words(tiny_gguf, tmp_path, keep):
    path = tmp_path / "half.gguf"
    with tiny_gguf.open("rb") as file:
        path.write_bytes(file.read(keep))
    error = fault_of(path=str(path))
    assert MODEL_INVALID.caught_in(error)
    assert error.fault.detail


@pytest.mark.parametrize("settings", [{"n_ctx": 0}, {"sequences": 0}, {"n_batch": 1}, {"n_ubatch": -1}])
def test_settings_that_would_abort_the_process_are_refused(tiny_gguf, settings):
    assert LLM_SETTINGS_INVALID.caught_in(fault_of(path=str(tiny_gguf), **settings))


def test_quantised_values_get_flash_attention_by_themselves(tiny_gguf):
    engine = LlamaEngine()
    engine.load({"path": str(tiny_gguf), "n_ctx": 256, "type_k": 8, "type_v": 8}, lambda: None)
    engine.close()


LOAD_IN_LITTLE_MEMORY = """
import resource, sys
import llama_cpp
from aimark_daemon.engines.llama import LlamaEngine
from aimark_daemon.errors import AimarkError
kb = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize"))
limit = (kb << 10) + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    LlamaEngine().load({"path": sys.argv[1], "n_ctx": 8192, "n_gpu_layers": 0}, lambda: None)
except AimarkError as error:
    print(error.fault.code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space the Linux way")
@pytest.mark.parametrize("spare", [40 << 20, 240 << 20], ids=["weights", "cache"])
def test_too_little_memory_is_told_as_such(tiny_gguf, spare):
    done = subprocess.run(
        [sys.executable, "-c", LOAD_IN_LITTLE_MEMORY, str(tiny_gguf), str(spare)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "llm_out_of_memory", done.stderr[-2000:]


@pytest.mark.parametrize(
    ("words", "memory"),
    [
        (
            "alloc_buffer: allocating 500.00 MiB on device 0: cudaMalloc failed: out of memory",
            True,
        ),
        ("llama_kv_cache: failed to allocate buffer for kv cache", True),
        ("ggml_aligned_malloc: insufficient memory (attempted to allocate 12.00 MB)", True),
        ("ErrorOutOfDeviceMemory", True),
        ("tensor 'blk.0.attn_k.weight' data is not within the file bounds", False),
        ("unknown model architecture: 'foo'", False),
    ],
)
def test_short_memory_is_recognised_in_the_engines_words(words, memory):
    assert tells_out_of_memory(words) == memory


def test_log_levels_are_ggmls_and_errors_are_kept(caplog):
    log = LlamaLog(keep=2)
    with caplog.at_level(logging.DEBUG, logger="aimark.llama"):
        for level, text in [
            (2, "info\n"),
            (4, "first\n"),
            (4, "둘째\n"),
            (5, "more\n"),
            (3, "warn\n"),
            (5, "."),
        ]:
            log._receive(level, text.encode(), None)
    assert log.last_words == "둘째\nmore"
    assert [(r.levelno, r.message) for r in caplog.records] == [
        (logging.DEBUG, "info"),
        (logging.ERROR, "first"),
        (logging.ERROR, "둘째"),
        (logging.ERROR, "more"),
        (logging.INFO, "warn"),
    ]
    log.clear()
    assert log.last_words == ""


def test_what_is_interrupted_on_purpose_is_no_error(caplog):
    log = LlamaLog()
    log.expected = True
    with caplog.at_level(logging.INFO, logger="aimark.llama"):
        log._receive(4, b"failed to compute graph", None)
    assert (log.last_words, caplog.records) == ("", [])
    log.clear()
    log._receive(4, b"a real failure", None)
    assert log.last_words == "a real failure"


def test_an_engine_that_is_not_loaded_says_so():
    from aimark_daemon.engines.base import CountRequest
    from tests.engines.calls import RecordedCall

    with pytest.raises(AimarkError, match="llm_failed"):
        LlamaEngine().count(CountRequest("x"), RecordedCall())
