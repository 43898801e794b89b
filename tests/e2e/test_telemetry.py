"""Telemetry of a real daemon whose binding loads the scripted driver: late clients, faults, and Prometheus."""

import asyncio

import pytest

from aimark_daemon.gpu.telemetry import UNWATCHED_S
from aimark_daemon.protocol.messages import Notice, Ok, Subscribe, Telemetry, TelemetryHistory
from aimark_daemon.server.token import read_token
from tests.e2e.harness import DaemonProcess, ask, ready, status
from tests.gpu.driver import GIB, NOT_LOADED, Driver, environment
from tests.server.harness import request
from tests.server.test_prometheus import parse, value


@pytest.fixture
async def machine(tmp_path):
    """A daemon with fakes for engines, and the driver that it asks."""
    driver = Driver(tmp_path)
    driver.card()
    process = DaemonProcess(tmp_path / "home", fake=True, config={"telemetry": {"interval_s": 0.1}})
    process.environment |= environment(driver)
    try:
        await process.start()
        yield process, driver
    finally:
        process.kill()


async def next_of(client, kind, condition=lambda event: True):
    async with asyncio.timeout(2 * UNWATCHED_S):
        async for event in client.events():
            if isinstance(event, kind) and condition(event):
                return event
    raise AssertionError("the connection ended")


async def subscribe(client, *topics):
    await client.request(Subscribe(id=0, topics=topics), Ok)


async def test_a_client_that_comes_late_gets_the_history_before_its_first_sample(machine):
    process, driver = machine
    async with process.connect() as early:
        await ready(early)
        await subscribe(early, "telemetry")
        assert isinstance(await next_of(early, Telemetry | TelemetryHistory), TelemetryHistory)
        for gib in (1, 2):
            driver.card(memory=f"{8 * GIB} {gib * GIB} {(8 - gib) * GIB}")
            await next_of(early, Telemetry, lambda event, gib=gib: event.gpu[0].vram_used == gib * GIB)
        # The ring keeps about one row a second, whatever the interval.
        latest = (await next_of(early, Telemetry)).time
        await next_of(early, Telemetry, lambda event: event.time > latest + 2)
        async with process.connect() as late:
            await subscribe(late, "telemetry")
            first = await next_of(late, Telemetry | TelemetryHistory)
            assert isinstance(first, TelemetryHistory)
            assert first.series["gpu.0.vram_used"][-1] == 2 * GIB
            assert first.series["worker.llm.rss"][-1] > 1_000_000
            assert list(first.times) == sorted(first.times)
            sample = await next_of(late, Telemetry)
            assert sample.time >= first.times[-1]
            assert set(sample.workers) == {"llm", "stt", "tts"}


async def test_the_status_says_what_the_driver_says_and_a_driver_that_goes_is_said_to_who_listens(machine):
    process, driver = machine
    async with process.connect("ko") as client:
        now = await ready(client)
        assert now.gpu[0].name == "NVIDIA GeForce RTX 4060"
        assert now.gpu_fault is None
        await subscribe(client, "telemetry", "notices")
        await next_of(client, Telemetry, lambda event: event.gpu)
        driver.set(count=NOT_LOADED, init=NOT_LOADED)
        notice = await next_of(client, Notice)
        assert (notice.level, notice.fault.code) == ("warning", "gpu_driver_not_loaded")
        now = await status(client)
        assert (now.gpu, now.gpu_fault.code, now.state) == ((), "gpu_driver_not_loaded", "ready")
        driver.set(count="1", init=None)
        await next_of(client, Telemetry, lambda event: event.gpu)
        assert (await status(client)).gpu_fault is None


async def test_metrics_come_with_the_token_and_hold_no_word_of_a_conversation(machine):
    process, _ = machine
    async with process.connect() as client:
        await ready(client)
        await ask(client, "비밀스러운 질문")
    token = read_token(process.paths.token)
    answer = await request(process.port, "/metrics", ("Authorization", f"Bearer {token}"))
    text = answer.body.decode()
    values = parse(text)
    assert value(values, "aimark_gpu_memory_free_bytes", gpu="0") == 5 * GIB
    assert value(values, "aimark_worker_state", worker="llm", state="ready") == 1
    assert value(values, "aimark_process_resident_memory_bytes", process="daemon") > 1_000_000
    assert "비밀" not in text
    assert (await request(process.port, "/metrics")).status == 401


@pytest.mark.models
async def test_a_sample_says_how_the_model_is_laid_out_in_the_language_of_the_daemon(tmp_path, tiny_gguf):
    config = {
        "language": "ko",
        "download_starter_models": False,
        "llm": {"model": str(tiny_gguf)},
        "telemetry": {"interval_s": 0.1},
    }
    process = DaemonProcess(tmp_path / "home", fake=True, config=config)
    process.environment["AIMARK_FAKE_ENGINES"] = ""
    try:
        await process.start()
        async with process.connect() as client:
            await subscribe(client, "telemetry")
            sample = await next_of(client, Telemetry, lambda event: event.plan)
            plan = (await status(client)).engines["llm"].plan
            assert sample.plan == plan.reason.ko
            assert "CPU" in sample.plan
    finally:
        process.kill()
