"""Progress of downloads on stderr: a bar on a terminal, a line each tenth elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress

_TENTHS = 10


class Downloads:
    """Shows any number of downloads; `update(model, done, total)` in bytes may be called as often as one likes."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[str, Any] = {}
        self._tenths: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, model: str, done: int, total: int) -> None:
        """Tell how far a download is. Of a model that was there already nothing is shown."""
        if total <= 0 or (done >= total and model not in self._tenths):
            return
        if sys.stderr.isatty():
            self._draw(model, done, total)
        tenth = done * _TENTHS // total
        if tenth > self._tenths.get(model, -1):
            self._tenths[model] = tenth
            if not sys.stderr.isatty():
                print(f"{model}: {tenth * _TENTHS} % of {total / 1e6:.0f} MB", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def _draw(self, model: str, done: int, total: int) -> None:
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=Console(file=sys.stderr),
            )
            self._bars.start()
        if model not in self._tasks:
            self._tasks[model] = self._bars.add_task(model, total=total)
        self._bars.update(self._tasks[model], completed=done)
        if self._bars.finished:
            self.close()  # or it would go on drawing for as long as the daemon runs
