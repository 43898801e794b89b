"""llama.cpp's server as a peer: started with its own Python, spoken to over HTTP as any client would."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from aimark_daemon.cli.bench_figures import Samples
from aimark_daemon.cli.bench_script import SHORT, STORY, Talk
from aimark_daemon.cli.faults import BENCH_PEER_FAILED
from aimark_daemon.engines.base import ChatMessage

_LOAD_S: Final = 180.0
_ANSWER_S: Final = 600.0
_POLL_S: Final = 0.02
_LAST_WORDS: Final = 2000


class Peer:
    """The server's process. Its methods block."""

    def __init__(self, python: Path, script: Path, model: Path, threads: int, tokens: int) -> None:
        self._port = _free_port()
        self._command = [str(python), str(script), str(model), str(self._port), str(threads)]
        self._tokens = tokens
        self._process: subprocess.Popen[bytes] | None = None
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self.samples: Samples = {}

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            AimarkError: `bench_peer_failed`.
        """
        began = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._words
            )
        except OSError as error:
            raise BENCH_PEER_FAILED(detail=str(error), command=self._command[0]) from error
        while not self._healthy():
            if self._process.poll() is not None or time.perf_counter() - began > _LOAD_S:
                raise self._failed()
            time.sleep(_POLL_S)
        self._add("load_s", time.perf_counter() - began)

    def stop(self) -> None:
        """End it. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._words.close()

    def decode(self, number: int) -> None:
        """One answer."""
        times, usage, _ = self._ask([ChatMessage("user", f"{STORY} ({number},)")], self._tokens)
        said = int(usage.get("completion_tokens") or len(times))
        if len(times) > 1 and times[-1] > times[0]:
            self._add("decode_tokens_per_s", (said - 1) / (times[-1] - times[0]))

    def sessions(self, number: int, words: int) -> None:
        """The conversations that the engine has, in the same order."""
        first, second, third = (Talk(f"{name} {number}", words) for name in ("Mina", "Jun", "Ada"))
        for talk in (first, second):
            took, usage = self._turn(talk)
            self._add("first_token_cold_s", took)
            self._add("prefill_tokens_per_s", int(usage.get("prompt_tokens", 0)) / took)
        self._add("first_token_warm_s", self._turn(second)[0])
        self._add("first_token_switch_s", self._turn(first)[0])
        self._add("first_token_switch_s", self._turn(second)[0])
        self._turn(third)
        self._add("first_token_restored_s", self._turn(first)[0])

    def _turn(self, talk: Talk) -> tuple[float, dict[str, Any]]:
        times, usage, text = self._ask(talk.ask(), SHORT)
        talk.heard(text)
        return times[0], usage

    def _ask(self, messages: Sequence[ChatMessage], tokens: int) -> tuple[list[float], dict[str, Any], str]:
        """Seconds until each piece of the answer, what the server says of its tokens, and the text.

        Raises:
            AimarkError: `bench_peer_failed`.
        """
        body = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        times: list[float] = []
        usage: dict[str, Any] = {}
        text = ""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(body).encode(), headers)
            for line in connection.getresponse():
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line[6:])
                usage = event.get("usage") or usage
                for choice in event.get("choices", ()):
                    if piece := choice.get("delta", {}).get("content"):
                        times.append(time.perf_counter() - began)
                        text += piece
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(str(error)) from error
        finally:
            connection.close()
        if not times:
            raise self._failed("it gave no answer")
        return times, usage, text

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        return False

    def _failed(self, what: str = "") -> Exception:
        self._words.seek(0)
        words = self._words.read().decode("utf-8", errors="replace")[-_LAST_WORDS:]
        return BENCH_PEER_FAILED(detail=f"{what}\n{words}".strip(), command=" ".join(self._command[:2]))

    def _add(self, name: str, value: float) -> None:
        self.samples.setdefault(name, []).append(value)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
