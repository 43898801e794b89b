"""Exit verdicts: why a child ended, from its exit code and last words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.errors import INTERNAL
from aimark_daemon.workers import exits, faults
from aimark_daemon.workers.exits import Asked, ExitKind, classify

CUDA_OOM = "ggml_cuda_pool: CUDA error: out of memory\n  current device: 0, in function alloc at ggml-cuda.cu:420"
DEVICE_OOM = "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 1365.88 MiB on device 0: cudaMalloc failed"
CPU_OOM = "ggml_aligned_malloc: insufficient memory (attempted to allocate 3584.00 MB)"
BUFFER_OOM = "alloc_tensor_range: failed to allocate CUDA0 buffer of size 2097152"

TABLE = [
    (-6, CUDA_OOM, ExitKind.OUT_OF_MEMORY),
    (-6, DEVICE_OOM, ExitKind.OUT_OF_MEMORY),
    (-6, CPU_OOM, ExitKind.OUT_OF_MEMORY),
    (-6, BUFFER_OOM, ExitKind.OUT_OF_MEMORY),
    (-6, "terminate called after throwing an instance of 'std::bad_alloc'", ExitKind.OUT_OF_MEMORY),
    (-6, "clip.cpp:2201: GGML_ASSERT(buffer) failed", ExitKind.OUT_OF_MEMORY),
    (-6, "vk::Device::allocateMemory: ErrorOutOfDeviceMemory", ExitKind.OUT_OF_MEMORY),
    (-6, "cublasCreate_v2 failed: CUBLAS_STATUS_ALLOC_FAILED", ExitKind.OUT_OF_MEMORY),
    (1, "Traceback (most recent call last):\nMemoryError", ExitKind.OUT_OF_MEMORY),
    (1, "OSError: [Errno 12] Cannot allocate memory", ExitKind.OUT_OF_MEMORY),
    (-9, CPU_OOM, ExitKind.OUT_OF_MEMORY),
    (0xC0000017, "", ExitKind.OUT_OF_MEMORY),
    (-6, "", ExitKind.CRASHED),
    (-6, "malloc(): corrupted top size", ExitKind.CRASHED),
    (-6, "free(): invalid pointer\nFatal Python error: Aborted", ExitKind.CRASHED),
    (-6, "GGML_ASSERT(n_tokens_all <= cparams.n_batch) failed", ExitKind.CRASHED),
    (-11, "", ExitKind.CRASHED),
    (-11, CUDA_OOM, ExitKind.CRASHED),
    (-7, "", ExitKind.CRASHED),
    (0xC0000005, "", ExitKind.CRASHED),
    (0xC0000005 - 2**32, "", ExitKind.CRASHED),
    (1, "ValueError: 한글 오류", ExitKind.CRASHED),
    (3, "", ExitKind.CRASHED),
    (None, "", ExitKind.CRASHED),
    (-9, "", ExitKind.KILLED),
    (-15, "", ExitKind.KILLED),
    (-4, "", ExitKind.CANNOT_RUN_HERE),
    (0xC000001D, "", ExitKind.CANNOT_RUN_HERE),
    (0xC000001D - 2**32, "", ExitKind.CANNOT_RUN_HERE),
    (0xC0000135, "", ExitKind.CANNOT_RUN_HERE),
    (1, "ModuleNotFoundError: No module named 'llama_cpp'", ExitKind.CANNOT_RUN_HERE),
    (1, "ImportError: libcudart.so.12: cannot open shared object file", ExitKind.CANNOT_RUN_HERE),
    (1, "OSError: /lib/libc.so.6: version `GLIBC_2.38' not found", ExitKind.CANNOT_RUN_HERE),
    (1, "CUDA error: CUDA driver version is insufficient for CUDA runtime version", ExitKind.CANNOT_RUN_HERE),
    (1, "FileNotFoundError: [Errno 2] No such file: '/모델/qwen.gguf'", ExitKind.MISSING_MODEL),
    (1, "gguf_init_from_file: failed to open GGUF file '/m/qwen.gguf'", ExitKind.MISSING_MODEL),
    (0, "", ExitKind.FINISHED),
]


@pytest.mark.parametrize(("returncode", "words", "kind"), TABLE)
def test_the_verdict_follows_exit_code_and_last_words(returncode, words, kind):
    verdict = classify("언어", returncode, words)
    assert verdict.kind is kind
    assert verdict.heals is (kind not in {ExitKind.CANNOT_RUN_HERE, ExitKind.MISSING_MODEL})
    assert verdict.words == words


def test_a_failed_device_allocation_tells_how_much_was_wanted():
    assert classify("llm", -6, DEVICE_OOM).wanted_mib == pytest.approx(1365.88)
    assert classify("llm", -6, BUFFER_OOM).wanted_mib == pytest.approx(2.0)
    assert classify("llm", -6, CUDA_OOM).wanted_mib is None


def test_the_fault_speaks_both_languages_and_keeps_the_last_words():
    fault = classify("llm", -6, CUDA_OOM).fault
    assert fault.code == faults.OUT_OF_MEMORY.code
    assert fault.message.ko == "생각 엔진을 실행할 메모리가 부족합니다."
    assert fault.detail.startswith("SIGABRT; ggml_cuda_pool: CUDA error: out of memory")


@given(st.none() | st.integers(-64, 2**32), st.text(max_size=200))
def test_what_the_supervisor_asked_for_outweighs_how_the_child_ended(returncode, words):
    assert classify("stt", returncode, words, Asked.HUNG).kind is ExitKind.HUNG
    stopped = classify("stt", returncode, words, Asked.STOP)
    assert (stopped.kind, stopped.fault.code) == (ExitKind.FINISHED, faults.STOPPED.code)


@given(st.none() | st.integers(-64, 2**32), st.text(max_size=5000))
def test_every_ending_has_a_verdict_with_a_short_detail(returncode, words):
    verdict = classify("tts", returncode, words)
    assert verdict.fault.message.ko
    assert len(verdict.fault.detail) <= exits.DETAIL_CHARS + 40


@pytest.mark.parametrize(
    ("error", "loading", "code"),
    [
        (MemoryError(), False, faults.OUT_OF_MEMORY.code),
        (RuntimeError("CUDA failed with error out of memory"), False, faults.OUT_OF_MEMORY.code),
        (faults.ABSENT(name="llm"), False, faults.ABSENT.code),
        (FileNotFoundError("모델.gguf"), True, faults.MODEL_MISSING.code),
        (FileNotFoundError("그림.png"), False, INTERNAL.code),
        (ModuleNotFoundError("No module named 'piper'"), True, faults.CANNOT_RUN_HERE.code),
        (ValueError("조각"), True, INTERNAL.code),
    ],
)
def test_an_engines_exception_becomes_the_fault_of_its_kind(error, loading, code):
    assert exits.engine_fault("llm", error, loading=loading).code == code
