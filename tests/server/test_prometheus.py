"""The Prometheus text: read back by a strict parser, nothing lost, nothing invented, nothing private."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.gpu.card import reasons
from aimark_daemon.gpu.faults import GPU_LOST
from aimark_daemon.protocol.messages import (
    EngineInfo,
    GpuInfo,
    GpuProcess,
    MigInstance,
    ProcessShare,
    Telemetry,
)
from aimark_daemon.server.prometheus import exposition
from tests.protocol.strategies import structs

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)')


def parse(text):
    """The values by name and labels, of text in exposition format 0.0.4; anything else fails."""
    assert text.endswith("\n")
    values, family, kinds = {}, "", {}
    for line in text.removesuffix("\n").split("\n"):
        if match := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            family = match[1]
            assert family not in kinds, "a family comes once"
        elif match := re.fullmatch(rf"# TYPE ({NAME}) (gauge|counter)", line):
            assert match[1] == family
            kinds[family] = match[2]
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name == family, "samples stand below their family's TYPE"
            assert name in kinds
            assert name.endswith("_total") == (kinds[name] == "counter")
            found, rest = {}, labels or ""
            while rest:
                match = LABEL.match(rest)
                assert match, rest
                assert match[1] not in found
                found[match[1]] = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), match[2])
                rest = rest[match.end() :]
            key = (name, frozenset(found.items()))
            assert key not in values, "a series comes once"
            values[key] = float(value)
    return values


def text_of(sample, engines=None, fault=None):
    return exposition(sample, engines or {}, version="1.2", uptime_s=3.5, gpu_fault=fault)


def value(values, name, /, **labels):
    return values.get((name, frozenset(labels.items())))


def distinct(sample):
    """Card and part numbers, as a driver gives them, are each given once."""
    cards = [card.index for card in sample.gpu]
    parts = all(len({part.index for part in card.mig or ()}) == len(card.mig or ()) for card in sample.gpu)
    reasons_once = all(len({r.code for r in card.throttle or ()}) == len(card.throttle or ()) for card in sample.gpu)
    workers = all(len({p.worker for p in card.processes or ()}) == len(card.processes or ()) for card in sample.gpu)
    return len(set(cards)) == len(cards) and parts and reasons_once and workers and "daemon" not in sample.workers


@given(structs(Telemetry).filter(distinct), st.dictionaries(st.sampled_from(["llm", "음성"]), structs(EngineInfo)))
def test_any_sample_is_text_that_prometheus_can_read(sample, engines):
    values = parse(text_of(sample, engines))
    assert value(values, "aimark_memory_available_bytes") == sample.memory_available
    for card in sample.gpu:
        assert value(values, "aimark_gpu_memory_used_bytes", gpu=str(card.index)) == card.vram_used
        assert value(values, "aimark_gpu_temperature_celsius", gpu=str(card.index)) == card.temperature_c
    for job, info in engines.items():
        assert value(values, "aimark_worker_state", worker=job, state=info.state) == 1
        assert value(values, "aimark_worker_restarts_total", worker=job) == info.restarts


def test_what_is_known_is_there_in_the_units_of_prometheus():
    card = GpuInfo(
        index=1,
        name='카드 "큰"\\\n',
        uuid="GPU-1",
        driver="580",
        vram_free=5,
        utilisation=42.0,
        power_w=61.5,
        clock_mhz=1830,
        throttle=reasons(4),
        processes=(GpuProcess(7, "llm", 900, "llm"),),
        mig=(MigInstance(3, vram_free=9),),
    )
    sample = Telemetry(time=1.0, gpu=(card,), cpu=50.0, waiting=2, workers={"llm": ProcessShare(7, 187.5, 1000)})
    values = parse(text_of(sample, fault=GPU_LOST.fault(card="0")))
    assert value(values, "aimark_info", version="1.2") == 1
    assert value(values, "aimark_cpu_ratio") == 0.5
    assert value(values, "aimark_turns_waiting") == 2
    assert value(values, "aimark_process_cpu_ratio", process="llm") == 1.875
    assert value(values, "aimark_process_resident_memory_bytes", process="llm") == 1000
    assert value(values, "aimark_gpu_info", gpu="1", name='카드 "큰"\\\n', uuid="GPU-1", driver="580") == 1
    assert value(values, "aimark_gpu_utilisation_ratio", gpu="1") == 0.42
    assert value(values, "aimark_gpu_clock_hertz", gpu="1", clock="graphics") == 1_830_000_000
    assert value(values, "aimark_gpu_throttled", gpu="1", reason="power_cap") == 1
    assert value(values, "aimark_worker_gpu_memory_bytes", gpu="1", worker="llm") == 900
    assert value(values, "aimark_gpu_instance_memory_free_bytes", gpu="1", instance="3") == 9
    assert value(values, "aimark_gpu_fault", code="gpu_lost") == 1


def test_what_is_not_known_has_no_line_and_no_heading():
    text = text_of(Telemetry(time=1.0, gpu=(GpuInfo(index=0),)))
    assert {name for name, _ in parse(text)} == {
        "aimark_info",
        "aimark_uptime_seconds",
        "aimark_turns",
        "aimark_turns_waiting",
        "aimark_gpu_info",
    }
    assert "vram" not in text
    assert "memory_used" not in text


def test_of_other_programs_and_of_conversations_nothing_is_told():
    card = GpuInfo(index=0, processes=(GpuProcess(4711, "secret-game", 1_000),))
    text = text_of(Telemetry(time=1.0, gpu=(card,), model="모델"), {"llm": EngineInfo(state="busy", model="모델")})
    assert "secret-game" not in text
    assert "4711" not in text


@pytest.mark.parametrize(
    "text", ["aimark_x 1\n", '# HELP a b\n# TYPE a gauge\na{x="\n"} 1\n', "# HELP a b\n# TYPE a gauge\na 1\na 1\n"]
)
def test_the_parser_refuses_what_prometheus_would(text):
    with pytest.raises((AssertionError, AttributeError)):
        parse(text)
