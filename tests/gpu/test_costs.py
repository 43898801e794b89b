"""Expected bytes beside what llama.cpp says it takes. On the processor: no graphics card is here to compare with."""

import json
import re
import subprocess
import sys

import pytest

from aimark_daemon.gpu.facts import MIB, Layout, compute_bytes, kv_bytes
from aimark_daemon.gpu.gguf import read_facts

pytestmark = pytest.mark.models

LOAD = """
import json, logging, sys
from aimark_daemon.engines.llama_model import LlamaModel
from aimark_daemon.engines.llama_settings import LlamaSettings
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(message)s")
LlamaModel(LlamaSettings(**json.loads(sys.argv[1])), lambda: None).close()
"""
SIZE = re.compile(r"(KV|compute) buffer size =\s+([\d.]+) MiB")


def told(path, **settings):
    """MiB of cache and of compute buffers, as llama.cpp logs them."""
    settings = {"path": str(path), "n_gpu_layers": 0, "threads": 1, **settings}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, json.dumps(settings)], capture_output=True, text=True, timeout=120, check=True
    )
    return {name: float(size) for name, size in SIZE.findall(done.stdout)}


@pytest.mark.parametrize("model", ["tiny_gguf", "small_gguf"])
@pytest.mark.parametrize(("context", "ubatch", "kv"), [(1000, 128, "f16"), (4096, 512, "f16"), (4096, 256, "q8_0")])
def test_cache_is_exact_and_buffers_are_never_underestimated(request, model, context, ubatch, kv):
    path = request.getfixturevalue(model)
    facts = read_facts(path)
    layout = Layout(layers=0, n_ctx=context, n_ubatch=ubatch, kv=kv)
    number = {"f16": 1, "q8_0": 8}[kv]
    logged = told(path, n_ctx=context, n_ubatch=ubatch, type_k=number, type_v=number)
    assert sum(kv_bytes(layer, layout) for layer in facts.layers) / MIB == pytest.approx(logged["KV"], abs=0.01)
    assert logged["compute"] <= compute_bytes(facts, layout) / MIB <= 1.25 * logged["compute"]


def test_facts_of_a_real_model_are_those_that_llama_cpp_reports(small_gguf):
    facts = read_facts(small_gguf)
    assert (facts.architecture, len(facts.layers), facts.context) == ("qwen2", 24, 32_768)
    assert facts.vocabulary == 151_936
    assert facts.template
    assert facts.weights / MIB == pytest.approx(462.96, abs=0.01), "CPU_Mapped model buffer size"
