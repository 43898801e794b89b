"""What the language model's process imports: llama.cpp's low-level module, and no more of the binding."""

import subprocess
import sys

import pytest

from aimark_daemon.engines import llama_lib


def printed(code):
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def test_the_engine_does_without_the_high_level_interface_and_numpy():
    code = "import sys, aimark_daemon.engines.llama_chat as _; "
    assert printed(code + "print([m for m in ('numpy', 'llama_cpp.llama') if m in sys.modules])") == "[]"


@pytest.mark.parametrize(
    "order", ["llama_cpp, aimark_daemon.engines.llama_lib", "aimark_daemon.engines.llama_lib, llama_cpp"]
)
def test_whoever_imports_the_whole_binding_shares_the_library_with_the_engine(order):
    code = f"import {order} as _; import sys, llama_cpp; from aimark_daemon.engines.llama_lib import lib; "
    code += "print(llama_cpp.llama_decode is lib.llama_decode, llama_cpp.Llama.__name__)"
    assert printed(code) == "True Llama"


def test_a_binding_that_is_not_installed_is_told_by_its_name(monkeypatch):
    monkeypatch.setattr(llama_lib, "_PACKAGE", "no_such_binding")
    with pytest.raises(ModuleNotFoundError) as caught:
        llama_lib.low_level("llama_cpp")
    assert caught.value.name == "no_such_binding"
