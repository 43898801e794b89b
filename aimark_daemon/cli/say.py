"""`aimark say`: recordings are spoken to the assistant, as by a microphone in real time, and answered in speech."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from aimark_daemon.audio.faults import FILE_UNWRITABLE
from aimark_daemon.audio.wav import check_wav, read_wav, write_wav
from aimark_daemon.cli.ask import cancel_turn, note_interruption
from aimark_daemon.cli.connection import call_daemon, engines_ready
from aimark_daemon.cli.faults import CANCELLED, OUT_FOR_ONE
from aimark_daemon.cli.hands_free import listen_to
from aimark_daemon.cli.identity import resolve_session
from aimark_daemon.cli.microphone import Microphone
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.turns import TurnRecord
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import AimarkError, Exit, Fault
from aimark_daemon.protocol.messages import EndListen, Listen, Listening, Ok

JOBS = ("stt", "llm", "tts")


def run(shell: Shell, arguments: Namespace) -> int:
    """Speak each file; a bad one is told and the others go on."""
    outs = out_paths(arguments.files, arguments.out)
    if faults := _all_refused(arguments.files):
        # Nothing to say: no daemon has to start, and no model to load, for that.
        for file, refused in zip(arguments.files, faults, strict=True):
            _announce(shell, file)
            _print(shell, {"file": file, **_failed(shell, refused)}, refused)
        return faults[0].exit_code

    jobs = JOBS if shell.loaded.config.tts.enabled else tuple(job for job in JOBS if job != "tts")

    async def work(client: DaemonClient) -> int:
        session = await resolve_session(client, arguments.session)
        await engines_ready(shell, client, jobs)
        code, listened = 0, None
        for file, out in zip(arguments.files, outs, strict=True):
            _announce(shell, file)
            try:
                pcm = read_wav(file).pcm
                if arguments.hands_free:
                    if listened is not None:
                        await listened.played_out()
                    listened, microphone = await listen_to(shell, client, pcm, session)
                    exchange = Exchange(listened.record, microphone)
                    more = {"utterances": [r.heard.text for r in listened.records if r.heard is not None]}
                else:
                    exchange, more = await speak(shell, client, pcm, session), {}
                session = exchange.record.session or session
                line = exchange.as_json(shell, out) | more
                fault = exchange.fault
            except AimarkError as error:
                fault = error.fault
                line = _failed(shell, fault)
            _print(shell, {"file": file, **line}, fault)
            code = code or (fault.exit_code if fault else 0)
            if code == Exit.CANCELLED:
                break
        return code

    return call_daemon(shell, work, jobs=jobs)


class Exchange:
    """A spoken question and its answer."""

    def __init__(self, record: TurnRecord, microphone: Microphone) -> None:
        self.record = record
        heard = record.heard
        self._voiced_end = microphone.sent_at(heard.voiced_end_s if heard else None) if microphone.sent else None

    @property
    def fault(self) -> Fault | None:
        """Why it failed."""
        return self.record.fault or (CANCELLED.fault() if self.record.finish == "cancelled" else None)

    def after(self, moment: float | None) -> float | None:
        """Seconds from the last voiced sample to a moment."""
        return None if moment is None or self._voiced_end is None else round(moment - self._voiced_end, 4)

    def as_json(self, shell: Shell, out: Path | None) -> dict[str, Any]:
        """The documented object, without `file`; the answer's sound is written to `out`.

        Raises:
            AimarkError: `file_unwritable`.
        """
        record = self.record
        written = out if out is not None and record.speech else None
        if written is not None:
            write_wav(written, bytes(record.speech), record.rate)
        line: dict[str, Any] = {
            "session": record.session,
            "turn": record.turn,
            "transcript": record.heard.text if record.heard else "",
            "language": record.heard.language if record.heard else "",
            "reply": record.reply,
            "audio_out": written,
            "audio_s": round(record.speech_s, 3),
            "v2v_s": self.after(record.audible_at),
            "timings": {
                "transcript_s": self.after(record.heard_at),
                "first_token_s": self.after(record.first_token_at),
                "first_audio_s": self.after(record.first_audio_at),
            },
            "finish": record.finish,
            "interruptions": record.interruptions,
        }
        if record.fault is not None:
            line["error"] = shell.fault(record.fault)
        return line


async def speak(shell: Shell, client: DaemonClient, pcm: bytes, session: str | None) -> Exchange:
    """Speak 16 kHz samples in real time, release the key, and wait until the answer has been sent.

    Raises:
        AimarkError: the microphone stream was refused, or the connection lost.
    """
    record, microphone = TurnRecord(client.next_id()), Microphone(pcm)
    await client.request(Listen(id=record.request, session=session), Listening)
    follower = asyncio.create_task(_follow(shell, client, record))
    try:
        feeder = asyncio.create_task(_feed(client, record.request, microphone))
        try:
            # A stream that fails is refused while it is still being fed.
            await asyncio.wait({feeder, follower}, return_when=asyncio.FIRST_COMPLETED)
            if not follower.done():
                await feeder
            await follower
        finally:
            await _ended(feeder)
    except asyncio.CancelledError:
        await _ended(follower)
        await cancel_turn(client, record, listen=record.request)
    finally:
        await _ended(follower)
    return Exchange(record, microphone)


def _all_refused(files: list[str]) -> list[Fault]:
    """Why each file cannot be spoken; empty as soon as one can."""
    faults = []
    for file in files:
        try:
            check_wav(file)
        except AimarkError as error:
            faults.append(error.fault)
        else:
            return []
    return faults


def _failed(shell: Shell, fault: Fault) -> dict[str, Any]:
    return {"error": shell.fault(fault), "finish": "error"}


async def _feed(client: DaemonClient, stream: int, microphone: Microphone) -> None:
    await microphone.speak(client, stream)
    await client.request(EndListen(id=0, listen=stream), Ok)


async def _follow(shell: Shell, client: DaemonClient, record: TurnRecord) -> None:
    async for arrival in client.events():
        record.take(arrival, time.perf_counter())
        note_interruption(shell, record, arrival)
        if arrival is record.heard and not shell.json:
            shell.out(f"  > {record.heard.text}")
        if record.ended:
            return


async def _ended(task: asyncio.Task[None]) -> None:
    """End the task if it still runs; its failure was seen or does not matter any more."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, AimarkError):
        await task


def out_paths(files: list[str], out: str | None) -> list[Path | None]:
    """Where each file's answer is written; checked, and the folder made, before anything is spoken.

    Raises:
        AimarkError: `out_for_one`, `file_unwritable`.
    """
    if out is None:
        return [None] * len(files)
    target = Path(out)
    if not (target.is_dir() or out.endswith(("/", os.sep)) or target.suffix.lower() != ".wav"):
        if len(files) > 1:
            raise OUT_FOR_ONE(count=len(files))
        writable_file(target)
        return [target]
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FILE_UNWRITABLE(path=target, detail=error.strerror or str(error)) from error
    _writable(target)
    taken: dict[str, int] = {}
    paths: list[Path | None] = []
    for file in files:
        stem = Path(file).stem
        taken[stem] = taken.get(stem, 0) + 1
        number = f"-{taken[stem]}" if taken[stem] > 1 else ""
        paths.append(target / f"{stem}{number}.answer.wav")
    return paths


def writable_file(target: Path) -> None:
    """Refuse what is a folder, and a file whose folder nothing can be written to.

    Raises:
        AimarkError: `file_unwritable`.
    """
    if target.is_dir():
        raise FILE_UNWRITABLE(path=target, detail="it is a folder")
    _writable(target.parent)


def _writable(folder: Path) -> None:
    """Refuse a folder that nothing can be written to.

    Raises:
        AimarkError: `file_unwritable`.
    """
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise FILE_UNWRITABLE(path=folder, detail="no such folder" if not folder.is_dir() else "not writable")


def _announce(shell: Shell, file: str) -> None:
    if not shell.json:
        shell.out(file)


def _print(shell: Shell, line: dict[str, Any], fault: Fault | None) -> None:
    if shell.json:
        shell.emit(line)
    else:
        print_exchange(shell, line, fault)


def print_exchange(shell: Shell, line: dict[str, Any], fault: Fault | None) -> None:
    """Print the rest of an exchange for people: what was heard is printed when it is heard."""
    if line.get("reply"):
        shell.out(f"  < {line['reply']}")
    if fault is not None:
        shell.complain(fault)
        return
    times = line["timings"]
    shell.out(
        shell.text(
            f"  Seconds after your last sound: transcript {_s(times['transcript_s'])},"
            f" first word {_s(times['first_token_s'])}, audible answer {_s(line['v2v_s'])}",
            f"  마지막 소리 뒤 걸린 시간(초): 받아쓰기 {_s(times['transcript_s'])},"
            f" 첫 단어 {_s(times['first_token_s'])}, 들리는 답 {_s(line['v2v_s'])}",
        )
    )
    if line["audio_out"] is not None:
        shell.out(f"  {line['audio_out']}")


def _s(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f}"
