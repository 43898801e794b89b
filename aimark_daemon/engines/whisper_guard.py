"""Whisper's short window and its guard: how long to listen, and when not to trust what was heard. Pure.

Whisper was trained on windows of 30 s (3000 feature frames). A shorter one holding the utterance and some silence
gives the same words in a fraction of the time; now and then the decoder loops on it, which shows in the text.
"""

from __future__ import annotations

import re
import unicodedata
import zlib

HOP = 160
"""Samples of one feature frame."""
FULL_FRAMES = 3000
MIN_FRAMES = 1000
SILENCE_FRAMES = 200
STEP = 100
MAX_COMPRESSION = 2.4
MIN_LOGPROB = -1.0
NO_SPEECH = 0.6
UNSURE_LOGPROB = -0.5

PHANTOMS = frozenset(
    {
        "시청해주셔서감사합니다",
        "시청해주셔서고맙습니다",
        "지금까지시청해주셔서감사합니다",
        "오늘도시청해주셔서감사합니다",
        "구독과좋아요부탁드립니다",
        "구독과좋아요알림설정부탁드립니다",
        "다음영상에서만나요",
        "다음영상에서뵙겠습니다",
        "한글자막by박진희",
        "자막제공배달의민족",
        "mbc뉴스이덕영입니다",
        "감사합니다",
        "아멘",
        "you",
        "bye",
        "thankyou",
        "thankyouverymuch",
        "thankyouforwatching",
        "thankyousomuchforwatching",
        "thanksforwatching",
        "pleasesubscribe",
        "pleasesubscribetomychannel",
        "subtitlesbytheamaraorgcommunity",
        "seeyouinthenextvideo",
    }
)
"""Sentences of subtitles that Whisper puts where nobody speaks, without blanks and punctuation, in lower case."""

_LOOP = re.compile(r"(.{1,60}?)\1{3,}", re.DOTALL)
_LOOP_CHARS = 12


def window_frames(samples: int) -> int:
    """Feature frames of the window for `samples` at 16 kHz: 1000 (10 s) to 3000 (30 s)."""
    wanted = -(-samples // HOP) + SILENCE_FRAMES
    return min(FULL_FRAMES, max(MIN_FRAMES, -(-wanted // STEP) * STEP))


def max_tokens(samples: int) -> int:
    """More tokens than anyone says in `samples` at 16 kHz; an answer that needs them all is a loop."""
    return min(440, 32 + 25 * samples // 16_000)


def compression_ratio(text: str) -> float:
    """How well the text compresses; repetitive text gives a high ratio."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def repeats(text: str) -> bool:
    """Whether something is said four times or more in a row, twelve characters or more of it."""
    return any(len(match.group()) >= _LOOP_CHARS for match in _LOOP.finditer(text))


def loops(text: str, *, cut_off: bool) -> bool:
    """Whether the decoder went round in circles; `cut_off`: it used all the tokens it was allowed."""
    return cut_off or compression_ratio(text) > MAX_COMPRESSION or repeats(text)


def doubtful(text: str, avg_logprob: float, *, cut_off: bool) -> bool:
    """Whether the short window's text must be checked against the full one's."""
    return avg_logprob < MIN_LOGPROB or loops(text, cut_off=cut_off)


def is_silence(no_speech: float, avg_logprob: float) -> bool:
    """Whisper's own rule: probably no speech, and what was written for it is improbable."""
    return no_speech > NO_SPEECH and avg_logprob < MIN_LOGPROB


def is_phantom(text: str, no_speech: float, avg_logprob: float) -> bool:
    """Whether the text is one of the known phantoms and the model itself doubts that anyone spoke.

    A person who really says "감사합니다" is heard with a low probability of no speech, and is kept.
    """
    if no_speech < NO_SPEECH or avg_logprob > UNSURE_LOGPROB:
        return False
    bare = "".join(c for c in unicodedata.normalize("NFC", text).casefold() if c.isalnum())
    return not bare or bare in PHANTOMS
