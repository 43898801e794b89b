"""One utterance of an open microphone: voice is told block by block while another thread understands the words."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from aimark_daemon.audio.silero import SileroStream
from aimark_daemon.audio.spans import UNVOICED, VOICED, WINDOW
from aimark_daemon.conversation.endpoint import Onset, Rules
from aimark_daemon.engines.base import Attention, EngineCall, Language, Transcript
from aimark_daemon.engines.whisper_decoder import Decoder, Heard
from aimark_daemon.engines.whisper_hearing import MIN_VOICED
from aimark_daemon.engines.whisper_pieces import Piece, PieceCutter
from aimark_daemon.engines.whisper_samples import Samples
from aimark_daemon.protocol.audio import MIC_RATE

PAUSE = 4 * WINDOW
"""At a pause this long the words so far are understood, samples."""
QUICK_S = 0.08
"""Words are understood in the middle of speech only where that takes no longer: those at a pause must not wait."""
EVERY = MIC_RATE
"""How often that is, samples."""
WAITING_PIECES = 2
"""Complete pieces that may wait to be understood; until then no more sound is taken."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Sound to understand. `whole`: a complete piece, else the words so far."""

    key: tuple[int, int]
    voiced_start: int
    voiced_end: int
    sound: Any
    whole: bool


class Attending:
    """Takes the stream of one call in its thread; `finish` gives all words, `close` ends the other thread."""

    def __init__(self, decoder: Decoder, vad: SileroStream, language: Language, call: EngineCall) -> None:
        self._decoder = decoder
        self._vad = vad
        self._language = language
        self._call = call
        self._samples = Samples()
        self._cutter = PieceCutter()
        self._onset = Onset(Rules().min_speech_s)
        self._begun = False
        self._held: list[float] = []
        self._first_voiced: int | None = None
        self._tried: tuple[int, int] | None = None
        """The start and end of the words that were last given to be understood."""
        self._took_s = 1.0
        self._changed = threading.Condition()
        self._pieces: deque[_Job] = deque()
        self._so_far: _Job | None = None
        self._working = self._closed = False
        self._failure: BaseException | None = None
        self._understood: list[Heard] = []
        self._ahead: tuple[tuple[int, int], Heard] | None = None
        call.on_cancel(self.close)
        self._thread = threading.Thread(target=self._understand_all, name="attend", daemon=True)
        self._thread.start()

    def feed(self, data: bytes) -> None:
        """Take more s16le bytes; a sample may be split between two calls.

        Raises:
            Exception: what the decoder raised.
        """
        for part in self._samples.feed(data):
            self._listen(self._vad.feed(part))

    def finish(self) -> Transcript:
        """All that was said, after the last byte; nothing if the call was cancelled.

        Raises:
            Exception: what the decoder raised.
        """
        ended = time.monotonic()
        total = self._samples.total
        self._listen(self._vad.finish())
        piece = self._cutter.finish(total)
        if piece is not None:
            self._give(piece, whole=True)
        with self._changed:
            self._so_far = None
            self._changed.wait_for(lambda: self._closed or self._failure or not (self._pieces or self._working))
        self._check()
        if self._call.cancelled:
            return Transcript("", audio_s=total / MIC_RATE)
        return self._transcript(self._understood, self._cutter.voiced_end, ended, total)

    def close(self) -> None:
        """Understand nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _listen(self, probabilities: list[float]) -> None:
        if not probabilities:
            return
        for probability in probabilities:
            self._push(probability)
        self._call.emit(Attention(blocks=tuple(round(p, 3) for p in probabilities)))
        cutter = self._cutter
        self._samples.forget(cutter.start)
        if cutter.voiced_start is None:
            return
        at_pause = cutter.quiet >= PAUSE
        in_between = self._took_s <= QUICK_S and cutter.voiced_end - self._last_tried() >= EVERY
        if at_pause or in_between:
            self._give(Piece(cutter.start, cutter.now, cutter.voiced_start, cutter.voiced_end), whole=False)

    def _push(self, probability: float) -> None:
        """Give a block to the cutter. Clicks before the first word are silence to it."""
        if not self._begun:
            until = (self._cutter.now + (len(self._held) + 1) * WINDOW) / MIC_RATE
            self._begun = self._onset.push(probability, until - WINDOW / MIC_RATE, until)
            self._held.append(probability)
            if self._onset.since is not None and not self._begun:
                return
            blocks = self._held if self._begun else [0.0] * len(self._held)
            self._held = []
        else:
            # Voice that ended begins again at the higher of the two thresholds.
            blocks = [
                probability if probability >= VOICED or not self._cutter.quiet else min(probability, UNVOICED / 2)
            ]
        for block in blocks:
            piece = self._cutter.push(block)
            if self._first_voiced is None:
                self._first_voiced = self._cutter.voiced_start
            if piece is not None:
                self._give(piece, whole=True)

    def _last_tried(self) -> int:
        return self._tried[1] if self._tried is not None else (self._cutter.voiced_start or 0)

    def _give(self, piece: Piece, *, whole: bool) -> None:
        key = (piece.start, piece.voiced_end)
        if not whole and key == self._tried:
            return
        self._tried = key
        sound = self._samples.of(piece).copy()
        job = _Job(key, piece.voiced_start, piece.voiced_end, sound, whole)
        self._check()
        with self._changed:
            if whole:
                # What was tried of it is part of it.
                self._so_far = None
                self._changed.wait_for(lambda: self._closed or self._failure or len(self._pieces) < WAITING_PIECES)
                self._pieces.append(job)
            else:
                self._so_far = job
            self._changed.notify_all()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    # The other thread

    def _understand_all(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._understand(job)
        except Exception as error:  # noqa: BLE001 - raised where the call is
            self._failure = error
        finally:
            with self._changed:
                self._working = False
                self._changed.notify_all()

    def _next(self) -> _Job | None:
        with self._changed:
            self._working = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._pieces or self._so_far)
            if self._closed:
                return None
            self._working = True
            if self._pieces:
                return self._pieces.popleft()
            job, self._so_far = self._so_far, None
            return job

    def _understand(self, job: _Job) -> None:
        began = time.monotonic()
        if self._ahead is not None and self._ahead[0] == job.key:
            heard = self._ahead[1]
        elif job.voiced_end - job.voiced_start < MIN_VOICED:
            heard = Heard()
        else:
            heard = self._decoder.hear(job.sound, self._language)
            self._took_s = time.monotonic() - began
        self._call.progress()
        if job.whole:
            self._understood.append(heard)
        else:
            self._ahead = (job.key, heard)
        if not self._closed:
            heards = self._understood if job.whole else [*self._understood, heard]
            self._call.emit(Attention(transcript=self._transcript(heards, job.voiced_end, began)))

    def _transcript(self, heards: list[Heard], voiced_end: int, began: float, total: int | None = None) -> Transcript:
        said = [heard for heard in heards if heard.text]
        main = max(said, key=lambda heard: len(heard.text), default=Heard())
        voiced = self._first_voiced is not None
        return Transcript(
            " ".join(heard.text for heard in said),
            language=main.language,
            probability=main.probability,
            audio_s=(voiced_end if total is None else total) / MIC_RATE,
            voiced_start_s=(self._first_voiced or 0) / MIC_RATE if voiced else None,
            voiced_end_s=voiced_end / MIC_RATE if voiced else None,
            took_s=time.monotonic() - began,
            fallback=any(heard.fallback for heard in heards),
        )
