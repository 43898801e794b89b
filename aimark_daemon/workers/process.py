"""One child process and its pipes, seen from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from aimark_daemon.errors import AimarkError
from aimark_daemon.names import named
from aimark_daemon.workers import faults, job
from aimark_daemon.workers.messages import FrameDecoder, FromChild, ToChild, frame

WORDS_LINES: Final = 60
WORDS_CHARS: Final = 400
DRAIN_S: Final = 0.5
"""Patience for the rest of a dead child's output: a grandchild may hold its pipe open."""
GOMP_SPINS: Final = "1000"
"""How long threads of GNU OpenMP wait actively for each other, in loops: some 30 microseconds.

That covers the waits between two operations of a model. By default they go on for milliseconds, which gains nothing on
an idle machine and starves them beside any other busy program: with all cores of a two-core machine in use, decoding
with two threads went from 0.5 to 4-5 tokens/s by this, and stayed at 48 on the idle one (100 loops: 33).
"""
_STDIN, _STDOUT, _STDERR = 0, 1, 2


def child_environment() -> dict[str, str]:
    """The child's environment: this process's own, the same import path, and engine libraries that are good company."""
    return (
        {"GOMP_SPINCOUNT": GOMP_SPINS}
        | os.environ
        | {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
            "GGML_NO_BACKTRACE": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
    )


class ChildProcess(asyncio.SubprocessProtocol):
    """A spawned child. `on_message` gets every message, in order; nothing is delivered after `close`."""

    def __init__(self, name: str, on_message: Callable[[FromChild], None]) -> None:
        self.log = logging.getLogger(f"aimark.worker.{name}")
        self.broken: AimarkError | None = None
        """Set when the child wrote what is no message; it is killed then."""
        self._name = name
        self._on_message = on_message
        self._decoder: FrameDecoder[FromChild] = FrameDecoder(FromChild)
        self._transport: asyncio.SubprocessTransport | None = None
        self._lines: deque[str] = deque(maxlen=WORDS_LINES)
        self._partial = b""
        self._open = {_STDOUT, _STDERR}
        self._exited = asyncio.Event()
        self._drained = asyncio.Event()

    async def spawn(self, engine: str) -> None:
        """Create the process.

        Raises:
            AimarkError: `worker_spawn_failed`, the system refused.
        """
        options: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            options = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
        command = (sys.executable, "-P", "-m", "aimark_daemon.workers.child", engine, str(os.getpid()))
        try:
            transport, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: self, *command, env=child_environment(), **options
            )
        except OSError as error:
            raise faults.SPAWN_FAILED(str(error), name=named(self._name)) from error
        job.adopt(transport.get_pid())

    @property
    def pid(self) -> int | None:
        """The child's process id, once it is spawned."""
        return self._transport.get_pid() if self._transport else None

    @property
    def returncode(self) -> int | None:
        """The exit code, as `subprocess` gives it; None while it runs."""
        return self._transport.get_returncode() if self._transport else None

    @property
    def words(self) -> str:
        """The last lines it wrote to stderr, and its last words."""
        rest = self._partial.decode(errors="replace").strip()
        return "\n".join([*self._lines, rest] if rest else self._lines)

    def hear_last_words(self, text: str) -> None:
        """Keep an error that the child told over the pipe."""
        self._keep(text)

    def send(self, message: ToChild) -> None:
        """Send one message; one to a dead child is lost."""
        pipe = self._transport.get_pipe_transport(_STDIN) if self._transport else None
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(frame(message))

    def kill(self) -> None:
        """End it now."""
        if self._transport is not None and not self._exited.is_set():
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; False when it still runs after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._exited.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Read the rest of a dead child's output and give its descriptors back."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._drained.wait()
        if self._transport is not None:
            self._transport.close()

    # asyncio.SubprocessProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Decode messages, keep words."""
        if fd == _STDERR:
            self._hear(data)
        elif self.broken is None:
            try:
                for message in self._decoder.feed(data):
                    self._on_message(message)
            except AimarkError as error:
                self.broken = error
                self.kill()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Note that a pipe has ended."""
        self._open.discard(fd)
        if not self._open:
            self._drained.set()

    def process_exited(self) -> None:
        """Wake who waits for the end."""
        self._exited.set()

    def _hear(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).replace(b"\r", b"\n").split(b"\n")
        self._partial = self._partial[-WORDS_CHARS * 4 :]
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            if text:
                self._keep(text)
                self.log.info("%s", text[: 4 * WORDS_CHARS])

    def _keep(self, text: str) -> None:
        self._lines.extend(line[:WORDS_CHARS] for line in text.splitlines() if line.strip())
