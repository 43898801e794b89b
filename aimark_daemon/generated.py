"""Generated files: written from what the code declares, and checked to be what would be written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]


class Generated:
    """The files that the module `name` generates. `make` gives their text by the path from the repository's root."""

    def __init__(self, name: str, make: Callable[[], Mapping[Path, str]]) -> None:
        self._name = name
        self._make = make

    def stale(self, root: Path = ROOT) -> list[Path]:
        """The files under `root` that are missing or not current."""
        return [
            path
            for path, text in self._make().items()
            if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
        ]

    def write(self, root: Path = ROOT) -> None:
        """Write every file under `root`."""
        for path, text in self._make().items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8", newline="\n")

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Write, or with `--check` write nothing and say what is not current; returns the exit code."""
        parser = argparse.ArgumentParser(prog=f"python -m {self._name}")
        parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is not current")
        if not parser.parse_args(arguments).check:
            self.write()
            return 0
        old = self.stale()
        for path in old:
            sys.stderr.write(f"{path} is not current: run `python -m {self._name}`\n")
        return 1 if old else 0
