"""Text out of token pieces: whole UTF-8 characters only, ended by stop strings that are never shown, even in part."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Turns the bytes of generated tokens into text that may be shown.

    Bytes wait until their character is complete; text that may become a stop string waits until it cannot. Bytes that
    are no UTF-8 become U+FFFD.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self.stopped = False
        """A stop string was met; nothing more comes out."""

    def feed(self, piece: bytes) -> str:
        """The text that `piece` completes, perhaps none."""
        if self.stopped:
            return ""
        text = self._held + self._decode(piece)
        if not self._stop:
            return text
        cut = min((at for at in (text.find(s) for s in self._stop) if at >= 0), default=-1)
        if cut >= 0:
            self.stopped, self._held = True, ""
            return text[:cut]
        keep = max(_overlap(text, s) for s in self._stop)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """The rest, once no token follows: what waited for a stop string; an incomplete character is left out."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` are the beginning of `stop`."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
