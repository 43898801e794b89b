"""Engine calls for tests: they record what an engine does, and cancel at a chosen moment."""

from collections.abc import Iterator
from typing import Any

from aimark_daemon.engines.base import TextDelta


class RecordedCall:
    """Records events; is cancelled after so many events, signs of progress, or looks at `cancelled`."""

    def __init__(
        self,
        *,
        cancel_after_events: int | None = None,
        cancel_after_progress: int | None = None,
        cancel_after_looks: int | None = None,
        data: tuple[bytes, ...] = (),
    ) -> None:
        self.events: list[Any] = []
        self.progressed = 0
        self.looks = 0
        self._limits = (cancel_after_events, cancel_after_progress, cancel_after_looks)
        self._callbacks: list[Any] = []
        self._cancelled = False
        self._data = data

    @property
    def cancelled(self) -> bool:
        self.looks += 1
        self._check()
        return self._cancelled

    def emit(self, event: Any) -> None:
        self.events.append(event)
        self._check()

    def progress(self) -> None:
        self.progressed += 1
        self._check()

    def on_cancel(self, callback: Any) -> None:
        self._callbacks.append(callback)
        if self._cancelled:
            callback()

    @property
    def input(self) -> Iterator[bytes]:
        yield from self._data

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            for callback in self._callbacks:
                callback()

    def _check(self) -> None:
        counts = (len(self.events), self.progressed, self.looks)
        if any(limit is not None and count >= limit for limit, count in zip(self._limits, counts, strict=True)):
            self.cancel()

    @property
    def text(self) -> str:
        """All text that was streamed."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))
