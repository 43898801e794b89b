"""Child's side of the pipe: reads the daemon's messages, drives the engine host, and beats."""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Final, NoReturn

from aimark_daemon.workers.host import EngineHost, make_engine
from aimark_daemon.workers.messages import (
    VERSION,
    FrameDecoder,
    FromChild,
    Hello,
    Log,
    Start,
    Stop,
    ToChild,
    frame,
)

log = logging.getLogger("aimark.worker")

_READ: Final = 256 * 1024


class Outbox:
    """The writing end of the pipe: whole frames, from any thread. A broken pipe ends the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = Lock()

    def send(self, message: FromChild) -> None:
        """Write one message; blocks while the daemon is behind."""
        data = frame(message)
        with self._lock:
            self._write(data)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            os._exit(0)


class PipeLog(logging.Handler):
    """Sends the log records of this process to the daemon."""

    def __init__(self, send: Callable[[FromChild], None]) -> None:
        super().__init__()
        self._send_message = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        self._send_message(Log(record.levelno, self.format(record)))


def serve(path: str, inbound: int, outbound: int) -> NoReturn:
    """Say hello, load the engine of "module:Class", run its calls until the stop, and end the process."""
    outbox = Outbox(outbound)
    logging.basicConfig(level=logging.INFO, handlers=[PipeLog(outbox.send)], format="%(name)s: %(message)s", force=True)
    outbox.send(Hello(os.getpid(), platform.python_version(), VERSION))

    host = EngineHost("", outbox.send)
    orders: SimpleQueue[Start] = SimpleQueue()
    stopping = Event()
    Thread(target=_read, args=(inbound, host, orders.put, stopping), name="pipe", daemon=True).start()
    order = orders.get()
    host.name = order.name
    Thread(target=_beat, args=(host, outbox, order.heartbeat_s, stopping), name="heartbeat", daemon=True).start()
    if host.load(partial(make_engine, path), order.settings):
        stopping.wait()
        host.stop()
    sys.stdout.flush()
    sys.stderr.flush()
    # Native libraries' own teardown at interpreter exit is where they hang and crash.
    os._exit(0)


def _read(inbound: int, host: EngineHost, start: Callable[[Start], None], stopping: Event) -> None:
    """Handle what the daemon sends; its end, or a pipe that makes no sense, is the end of this process."""
    decoder: FrameDecoder[ToChild] = FrameDecoder(ToChild)
    try:
        while data := os.read(inbound, _READ):
            for message in decoder.feed(data):
                match message:
                    case Start():
                        start(message)
                    case Stop() if host.loaded:
                        stopping.set()
                    case Stop():
                        os._exit(0)
                    case _:
                        host.handle(message)
    except Exception:
        log.exception("the pipe cannot be read")
    os._exit(0)


def _beat(host: EngineHost, outbox: Outbox, interval_s: float, stopping: Event) -> None:
    while not stopping.wait(interval_s):
        outbox.send(host.heartbeat())
