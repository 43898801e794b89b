"""Where tensors go: experts stay in RAM by name, and llama.cpp says so."""

import re
import subprocess
import sys

import pytest

from aimark_daemon.engines.llama_devices import EXPERTS

LOAD = r"""
import logging, sys
from aimark_daemon.engines import llama_devices, llama_model
from aimark_daemon.engines.llama_settings import LlamaSettings
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(message)s")
llama_model.Placement = lambda **how: llama_devices.Placement(**how, pattern=rb"\.ffn_up\.")
settings = LlamaSettings(path=sys.argv[1], n_ctx=256, n_gpu_layers=0, experts_on_cpu=sys.argv[2] == "yes")
llama_model.LlamaModel(settings, lambda: None).close()
"""


@pytest.mark.parametrize(
    ("name", "routed"),
    [
        ("blk.0.ffn_up_exps.weight", True),
        ("blk.11.ffn_gate_up_exps.weight", True),
        ("blk.3.ffn_down_exps.bias", True),
        ("blk.3.ffn_up_shexp.weight", False),
        ("blk.3.ffn_gate_inp.weight", False),
        ("blk.3.ffn_up.weight", False),
    ],
)
def test_routed_experts_are_known_by_their_names(name, routed):
    assert bool(re.search(EXPERTS, name.encode())) == routed


@pytest.mark.models
@pytest.mark.parametrize(("wanted", "tensors"), [("yes", 30), ("no", 0)])
def test_llama_cpp_obeys_the_overrides(tiny_gguf, wanted, tensors):
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tiny_gguf), wanted], capture_output=True, text=True, timeout=60, check=True
    )
    assert len(re.findall(r"blk\.\d+\.ffn_up\.weight .* overridden to CPU", done.stdout)) == tensors
