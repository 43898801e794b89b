"""What the planner is told of this machine: cards that can be used, and the engine's backends without importing it."""

import subprocess
import sys

import pytest

from aimark_daemon.gpu import available
from aimark_daemon.protocol.messages import GpuInfo, GpuProcess

GIB = 1 << 30
CARD = GpuInfo(index=0, vram_total=8 * GIB, vram_free=5 * GIB)


def library(folder, *files):
    lib = folder / "fake_engine" / "lib"
    lib.mkdir(parents=True)
    (folder / "fake_engine" / "__init__.py").write_text("raise RuntimeError('imported')")
    for file in files:
        (lib / file).touch()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], set()),
        (["libggml-base.so", "libggml-cpu.so.0.25.3", "libllama.so"], set()),
        (["libggml-cuda.so.0"], {"cuda"}),
        (["ggml-vulkan.dll", "ggml-cuda.dll"], {"cuda", "vulkan"}),
        (["libggml-metal.dylib"], {"metal"}),
    ],
)
def test_backends_are_told_by_the_librarys_files(tmp_path, monkeypatch, files, expected):
    library(tmp_path, *files)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert available.backends("fake_engine") == expected


def test_a_library_that_is_not_there_has_no_backends_and_no_version():
    assert available.backends("aimark_no_such_library") == frozenset()
    assert available.engine_version("aimark-no-such-distribution") == ""
    assert available.engine_version()


@pytest.mark.parametrize(
    ("engine", "gpus", "cards", "offload"),
    [
        (set(), (CARD,), 0, False),
        ({"cuda"}, (), 0, False),
        ({"cuda"}, (CARD,), 1, True),
        ({"vulkan"}, (), 0, True),
        ({"vulkan"}, (CARD,), 1, True),
        ({"cuda"}, (GpuInfo(index=0, name="tells nothing"),), 0, False),
    ],
)
def test_a_card_counts_if_the_engine_can_use_it_and_the_driver_tells_what_is_free(engine, gpus, cards, offload):
    memory = available.memory(gpus, frozenset(engine), reserve=7)
    assert (len(memory.cards), memory.offload, memory.reserve) == (cards, offload, 7)
    assert memory.ram_free > 0
    if memory.cards:
        assert (memory.vram_free, memory.held) == (5 * GIB, 3 * GIB)


def test_looking_at_the_machine_imports_no_engine_library():
    code = (
        "import sys; from aimark_daemon.gpu import available; available.backends(); available.engine_version(); "
        "available.identity(); print(sorted({'llama_cpp', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_program_that_holds_most_of_the_cards_is_named_and_it_is_none_of_ours():
    ours = GpuProcess(1, "python", 4 * GIB, "llm")
    game, browser, nameless = (
        GpuProcess(2, "게임.exe", GIB),
        GpuProcess(3, "browser", GIB + 1),
        GpuProcess(4, "", 3 * GIB),
    )
    first = GpuInfo(index=0, vram_free=GIB, processes=(ours, game, browser, nameless))
    second = GpuInfo(index=1, vram_free=GIB, processes=(game, GpuProcess(5, "untold")))
    memory = available.memory((first, second), frozenset({"cuda"}))
    assert (memory.program, memory.program_bytes) == ("게임.exe", 2 * GIB)
    alone = available.memory((CARD,), frozenset({"cuda"}))
    assert (alone.program, alone.program_bytes) == ("", 0)


def test_a_worker_is_taken_off_the_cards_by_what_the_driver_tells_of_it_else_by_what_it_should_hold():
    told = GpuInfo(index=1, vram_total=8 * GIB, vram_free=GIB, processes=(GpuProcess(1, "python", 2 * GIB, "llm"),))
    assert [card.vram_free for card in available.without((CARD, told), "llm", GIB)] == [5 * GIB, 3 * GIB]
    assert [card.vram_free for card in available.without((CARD, CARD), "llm", GIB)] == [6 * GIB, 5 * GIB]
    assert [card.vram_free for card in available.without((CARD,), "llm", 4 * GIB)] == [8 * GIB]
    unknown = GpuInfo(index=0)
    assert available.without((unknown,), "llm", GIB) == (unknown,)
    assert available.without((), "llm", GIB) == ()
