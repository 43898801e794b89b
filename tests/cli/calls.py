"""Calls of the real command line in processes of their own, with fake engines and a home of their own."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 90


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    def one(self) -> Any:
        (line,) = self.lines()
        return line

    def error(self) -> str:
        return str(self.one()["error"]["code"])


class Aimark:
    """`aimark` in the home `home`."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIMARK_", "LC_"))},
            "AIMARK_HOME": str(home),
            "AIMARK_FAKE_ENGINES": "1",
            "LANG": "C.UTF-8",
            "DISPLAY": "",
            "WAYLAND_DISPLAY": "",
            **variables,
        }

    def start(self, *arguments: str | bytes, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "aimark_daemon", *arguments],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def __call__(self, *arguments: str | bytes, stdin: bytes = b"") -> Ran:
        return self.finished(self.start(*arguments), stdin)

    @staticmethod
    def finished(process: "subprocess.Popen[bytes]", stdin: bytes = b"") -> Ran:
        out, err = process.communicate(stdin, timeout=PATIENCE_S)
        return Ran(process.returncode, out.decode(), err.decode())

    def together(self, calls: Sequence[Sequence[str]]) -> list[Ran]:
        """Several calls at the same time."""
        processes = [self.start(*call) for call in calls]
        results: dict[int, Ran] = {}

        def collect(number: int) -> None:
            results[number] = self.finished(processes[number])

        threads = [threading.Thread(target=collect, args=(number,)) for number in range(len(processes))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[number] for number in range(len(processes))]
