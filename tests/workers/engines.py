"""Engines that do on request what real ones do by accident."""

import ctypes
import logging
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from aimark_daemon.engines.base import Facts, Method
from aimark_daemon.errors import fault_kind


class Ask(msgspec.Struct, frozen=True):
    text: str = ""
    count: int = 1


class Piece(msgspec.Struct, frozen=True):
    text: str


class Answer(msgspec.Struct, frozen=True):
    text: str = ""
    number: int = 0


ECHO = Method("echo", Ask, Piece, Answer)
STREAM = Method("stream", Ask, Piece, Answer)
UNTIL_CANCELLED = Method("until_cancelled", Ask, Piece, Answer)
SUM = Method("sum_input", Ask, Piece, Answer)
FAIL = Method("fail", Ask, Piece, Answer)
DIE = Method("die", Ask, Piece, Answer)
NOISE = Method("noise", Ask, Piece, Answer)
BIG = Method("big", Ask, Piece, Answer)
SURROUNDINGS = Method("surroundings", Ask, Piece, Answer)
NOWHERE = Method("nowhere", Ask, Piece, Answer)

TYPED = fault_kind(
    "test_typed_fault",
    message="The test engine refused {what}.",
    message_ko="시험 엔진이 {what}을(를) 거절했습니다.",
    hint="Ask for something else.",
    hint_ko="다른 것을 요청해 주세요.",
)


class Lab:
    """One call at a time."""

    parallel: ClassVar[int] = 1
    methods = (ECHO, STREAM, UNTIL_CANCELLED, SUM, FAIL, DIE, NOISE, BIG, NOWHERE, SURROUNDINGS)

    def load(self, settings: dict[str, Any], progress: Any) -> Facts:
        progress()
        self._go = threading.Event()
        match settings.get("load", "well"):
            case "typed":
                raise TYPED(what="적재")
            case "memory":
                raise MemoryError
            case "missing":
                raise FileNotFoundError("/없는/모델.gguf")
            case "abort":
                os.abort()
            case "hang":
                self._go.wait()
            case "log and abort":
                logging.getLogger("llama").error("allocating 1365.88 MiB on device 0: cudaMalloc failed")
                os.abort()
            case "noise":
                os.write(1, b"native noise on stdout\n" * 100)
        return Facts(model=settings.get("model", "lab"), languages=("ko", "en"))

    def close(self) -> None:
        self._go.set()

    def echo(self, ask: Ask, call: Any) -> Answer:
        return Answer(ask.text, ask.count)

    def stream(self, ask: Ask, call: Any) -> Answer:
        for _ in range(ask.count):
            for character in ask.text:
                call.emit(Piece(character))
        return Answer(ask.text, ask.count)

    def until_cancelled(self, ask: Ask, call: Any) -> Answer:
        woken = threading.Event()
        call.on_cancel(woken.set)
        call.emit(Piece("시작"))
        woken.wait()
        return Answer("취소됨" if call.cancelled else "?")

    def sum_input(self, ask: Ask, call: Any) -> Answer:
        call.emit(Piece("듣는 중"))
        return Answer(ask.text, sum(len(chunk) for chunk in call.input))

    def fail(self, ask: Ask, call: Any) -> Answer:
        match ask.text:
            case "typed":
                raise TYPED(what="요청")
            case "memory":
                raise MemoryError
            case "exit":
                sys.exit(3)
        raise ValueError(ask.text)

    def die(self, ask: Ask, call: Any) -> Answer:
        call.emit(Piece("마지막"))
        match ask.text:
            case "abort":
                os.abort()
            case "out of memory":
                logging.getLogger("llama").error("CUDA error: out of memory")
                os.abort()
            case "segfault":
                ctypes.string_at(0)
            case "exit":
                os._exit(7)
            case "clean exit":
                os._exit(0)
            case "garbage":
                os.write(_pipe_of_this_process(), b"\xff" * 64)
                self._go.wait()
            case "hang":
                self._go.wait()
            case name:
                os.kill(os.getpid(), getattr(signal, name))
                self._go.wait()
        return Answer()

    def noise(self, ask: Ask, call: Any) -> Answer:
        sys.stdout.write("파이썬 print\n")
        for _ in range(ask.count):
            os.write(1, b"\x00\x01native printf on fd 1\n")
        return Answer(ask.text)

    def surroundings(self, ask: Ask, call: Any) -> Answer:
        """What the child set up before it loaded the engine."""
        seen = [
            f"core {resource.getrlimit(resource.RLIMIT_CORE)}",
            f"stdin {os.read(0, 10)!r}",
            f"backtrace {os.environ.get('GGML_NO_BACKTRACE')}",
            f"spins {os.environ.get('GOMP_SPINCOUNT')}",
            f"tokenizers {os.environ.get('TOKENIZERS_PARALLELISM')}",
            f"settings in argv {'비밀' in ' '.join(sys.orig_argv)}",
        ]
        return Answer("; ".join(seen))

    def big(self, ask: Ask, call: Any) -> Answer:
        return Answer("가" * ask.count)


class Twins(Lab):
    """Two calls at a time."""

    parallel = 2


class Unimportable:
    def __init__(self) -> None:
        import aimark_no_such_engine_library  # noqa: F401


def _pipe_of_this_process() -> int:
    """The private descriptor of the pipe's writing end: the lowest one that is a pipe and not a standard one."""
    for descriptor in range(3, 64):
        try:
            if str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith("pipe:"):
                os.write(descriptor, b"")
                return descriptor
        except OSError:
            continue
    raise AssertionError("no pipe")
