"""One utterance on its way in: voice activity while it streams, pieces and pauses understood before it ends."""

from __future__ import annotations

import time

from aimark_daemon.audio.silero import SileroStream
from aimark_daemon.audio.spans import SpeechSpans
from aimark_daemon.engines.base import EngineCall, Language, Partial, Transcript
from aimark_daemon.engines.whisper_decoder import Decoder, Heard
from aimark_daemon.engines.whisper_pieces import Piece, PieceCutter
from aimark_daemon.engines.whisper_samples import Samples
from aimark_daemon.protocol.audio import MIC_RATE

MIN_VOICED = MIC_RATE * 6 // 100
"""Shorter sounds than this are clicks, not words; samples."""
SOFT_END = MIC_RATE // 5
"""A pause as long as this may be the end: the words so far are understood at once, samples."""
REAL_TIME = 0.5
"""Sound that comes faster than this share of its own length is a file, and is not understood at every pause."""


class Hearing:
    """Takes the stream of one call; `finish` gives the transcript."""

    def __init__(self, decoder: Decoder, vad: SileroStream, language: Language, call: EngineCall) -> None:
        self._decoder = decoder
        self._vad = vad
        self._language = language
        self._call = call
        self._began = time.monotonic()
        self._samples = Samples()
        self._spans = SpeechSpans()
        self._cutter = PieceCutter()
        self._understood: list[tuple[Piece, Heard]] = []
        self._ahead: tuple[tuple[int, int], Heard] | None = None

    def feed(self, data: bytes) -> None:
        """Take more s16le bytes; a sample may be split between two calls."""
        for part in self._samples.feed(data):
            self._listen(self._vad.feed(part))

    def finish(self) -> Transcript:
        """What was said, after the last byte; nothing if the call was cancelled, as half a question is another one."""
        ended = time.monotonic()
        total = self._samples.total
        self._listen(self._vad.finish())
        piece = self._cutter.finish(total)
        if piece is not None and not self._call.cancelled:
            self._understand(piece)
        spans = self._spans.ended(total)
        texts = [heard.text for _, heard in self._understood if heard.text]
        if not texts or self._call.cancelled:
            return Transcript("", audio_s=total / MIC_RATE, took_s=time.monotonic() - ended)
        main = max((heard for _, heard in self._understood), key=lambda heard: len(heard.text))
        return Transcript(
            " ".join(texts),
            language=main.language,
            probability=main.probability,
            audio_s=total / MIC_RATE,
            voiced_start_s=spans[0][0] / MIC_RATE if spans else None,
            voiced_end_s=spans[-1][1] / MIC_RATE if spans else None,
            took_s=time.monotonic() - ended,
            fallback=any(heard.fallback for _, heard in self._understood),
        )

    def _listen(self, probabilities: list[float]) -> None:
        for probability in probabilities:
            self._spans.push(probability)
            if piece := self._cutter.push(probability):
                self._understand(piece)
        self._samples.forget(self._cutter.start)
        if probabilities and self._cutter.quiet >= SOFT_END and self._live():
            self._understand_ahead()

    def _live(self) -> bool:
        heard_s = self._samples.total / MIC_RATE
        return time.monotonic() - self._began >= heard_s * REAL_TIME

    def _understand_ahead(self) -> None:
        """Understand the words before a pause: if the pause is the end, the transcript is ready with it."""
        cutter = self._cutter
        if cutter.voiced_start is None or (self._ahead and self._ahead[0] == (cutter.start, cutter.voiced_end)):
            return
        piece = Piece(cutter.start, cutter.now, cutter.voiced_start, cutter.voiced_end)
        heard = self._hear(piece)
        self._ahead = ((piece.start, piece.voiced_end), heard)
        texts = [h.text for _, h in self._understood] + [heard.text]
        if text := " ".join(t for t in texts if t):
            self._call.emit(Partial(text))

    def _understand(self, piece: Piece) -> None:
        if self._call.cancelled:
            return
        if self._ahead and self._ahead[0] == (piece.start, piece.voiced_end):
            heard = self._ahead[1]
        else:
            heard = self._hear(piece)
        self._understood.append((piece, heard))
        self._call.progress()

    def _hear(self, piece: Piece) -> Heard:
        if piece.voiced_end - piece.voiced_start < MIN_VOICED:
            return Heard()
        return self._decoder.hear(self._samples.of(piece), self._language)
