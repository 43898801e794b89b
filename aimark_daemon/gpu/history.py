"""History: the last minutes of samples in a ring, thinned to one a step. Pure; time is an argument."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

Row = Mapping[str, float]
"""The figures of one sample that are known, by the name of their series."""


class History:
    """Keeps `span_s` seconds of rows, about one each `step_s`; older ones fall out as newer ones come.

    Times are monotonic seconds. A row that comes less than half a step after the last one kept is left out, so the
    ring never holds more than `2 * span_s / step_s + 1` rows, however often there are samples.
    """

    def __init__(self, span_s: float = 600.0, step_s: float = 1.0) -> None:
        self._span_s = span_s
        # A timer is late or early by a little: half a step of tolerance keeps the rows of a steady one.
        self._least_s = step_s / 2
        self._rows: deque[tuple[float, Row]] = deque()

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[float, Row]]:
        return iter(self._rows)

    def add(self, now: float, row: Row) -> bool:
        """Keep the row of `now`; False when it is left out."""
        self._forget(now)
        if self._rows and now - self._rows[-1][0] < self._least_s:
            return False
        self._rows.append((now, row))
        return True

    def series(self, now: float) -> tuple[tuple[float, ...], dict[str, tuple[float | None, ...]]]:
        """Each row's age at `now` in seconds, oldest first, and every series with one value for each of them."""
        self._forget(now)
        names = sorted({name for _, row in self._rows for name in row})
        ages = tuple(now - at for at, _ in self._rows)
        return ages, {name: tuple(row.get(name) for _, row in self._rows) for name in names}

    def _forget(self, now: float) -> None:
        while self._rows and now - self._rows[0][0] > self._span_s:
            self._rows.popleft()
