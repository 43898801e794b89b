"""`aimark demo`: a spoken exchange without microphone or speakers. The voice asks, the assistant hears and answers."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from aimark_daemon.audio.wav import read_wav, wav_bytes
from aimark_daemon.cli.connection import call_daemon, engines_ready, run_async
from aimark_daemon.cli.say import JOBS, print_exchange, speak, writable_file
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.starter import fetch_starter
from aimark_daemon.client import DaemonClient
from aimark_daemon.engine_specs import engine_spec, fake_spec
from aimark_daemon.engines.base import SPEAK, SpeakRequest
from aimark_daemon.engines.voice_sources import ESPEAK
from aimark_daemon.models.choice import choose
from aimark_daemon.models.store import ModelStore
from aimark_daemon.names import named
from aimark_daemon.provision import NO_MODEL
from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.supervisor import Supervisor

QUESTION = "What is the capital of France?"


def run(shell: Shell, arguments: Namespace) -> int:
    """Ask the question in real time and write the answer as WAV."""
    out = Path(arguments.out)
    writable_file(out)
    if not shell.fake_engines:
        fetch_starter(shell, JOBS)
    question = run_async(spoken(_voice(shell), QUESTION))

    async def work(client: DaemonClient) -> int:
        await engines_ready(shell, client, JOBS)
        if not shell.json:
            shell.out(f"{shell.text('Question', '질문')}: {QUESTION}")
        exchange = await speak(shell, client, question, None)
        line = {"question": QUESTION, **exchange.as_json(shell, out)}
        if shell.json:
            shell.emit(line)
        else:
            print_exchange(shell, line, exchange.fault)
        return exchange.fault.exit_code if exchange.fault else 0

    return call_daemon(shell, work, jobs=JOBS)


async def spoken(voice: WorkerSpec, text: str) -> bytes:
    """The text as a microphone would hear it, 16 kHz mono s16le, spoken by an engine of this call's own.

    Raises:
        AimarkError: the voice cannot be loaded or cannot speak.
    """
    worker, pcm = Supervisor(voice), bytearray()
    await worker.start()
    try:
        await worker.ready()
        call = worker.call(SPEAK, SpeakRequest(text, "en"))
        async for piece in call:
            pcm += piece.pcm
        rate = (await call.result()).sample_rate
    finally:
        await worker.stop()
    return read_wav(wav_bytes(bytes(pcm), rate)).pcm


def _voice(shell: Shell) -> WorkerSpec:
    """The English voice that the configuration asks for, or any that is installed."""
    if shell.fake_engines:
        return fake_spec("tts")
    import psutil

    store, config = ModelStore(shell.paths.models), shell.loaded.config
    if config.tts.model == ESPEAK:
        return engine_spec("tts", ESPEAK, Path(ESPEAK), config)
    choice = choose("tts", config.tts.model, store.list(), None, psutil.virtual_memory().available, "en")
    if not choice.model and not choice.path:
        raise NO_MODEL(job=named("tts"))
    path = Path(choice.path) if choice.path else store.path(choice.model)
    return engine_spec("tts", choice.model or path.stem, path, config)
