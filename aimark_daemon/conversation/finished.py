"""Whether words sound finished: the end of a Korean or English utterance, judged by its last words. Pure.

Speech recognition writes a full stop after nearly everything, so words count more than marks. A wrong "unfinished"
costs a moment of silence, a wrong "finished" cuts somebody off: what is ambiguous is `UNKNOWN`.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final

from aimark_daemon.conversation.language import has_hangul


class Ending(StrEnum):
    """How an utterance's last words sound."""

    FINISHED = "finished"
    UNKNOWN = "unknown"
    OPEN = "open"
    """More follows."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_QUOTES: Final = " \t\r\n\"'“”‘’()[]「」『』"
_MARKS: Final = ".?!,;:…~—–-。？！、，"
_TRAILING_OFF: Final = re.compile(r"(\.\.+|…|[,;:—–-]|、|，)$")

_KO_OPEN_WORDS: Final = _set(
    "음 으음 어 엄 흠 그 저 저기 에 그게 그니까 그러니까 그래서 그리고 그런데 근데 하지만 그러면 그럼 "
    "또 또는 혹은 및 만약 만일 왜냐하면 아니면 그러나 따라서 "
    "이제 약간 막 뭐랄까 저는요 그게요 근데요 그런데요 저기요 있잖아 있잖아요"
)
_KO_UNKNOWN_WORDS: Final = _set(
    "광고 사고 창고 보고 최고 경고 냉장고 참고 충고 신고 재고 금고 화면 장면 표면 측면 방면 정면 수면 냉면 짜장면 "
    "라면 가을 마을 노을 부서 비서 필요 수요 중요 개요 주요 바다 다 보다 마다 올해 이해 오해 피해 동해 남해 서해 하나"
)
_KO_OPEN: Final = re.compile(
    r"(고|으며|하며|면서|는데|은데|지만|니까|아서|어서|여서|라서|에서|에게|한테|려고|도록|자마자|다가|느라|든지|거나|더니"
    r"|길래|므로|듯이|면|으로|을|를|은|는|에|랑|처럼|부터|(하|보|사|으)러)$"
)
_KO_FINISHED: Final = re.compile(
    r"(다|요|까|죠|네|군|구나|자|라|냐|니|줘|줄래|해|봐|켜|꺼|돼|야|어|았지|었지|했지|겠지|는가|은가|인가|던가|거든|잖아|을래|할래|할게|을게)$"
)
_KO_SOFT: Final = re.compile(r"(는데요|은데요|고요|구요|는요|은요)$")
_WORD_ENDS_SUFFIX: Final = re.compile(r"(보다|마다|까지)$")

_EN_FILLERS: Final = _set("um umm uh uhh uhm er erm hmm hm mm mmm eh ah")
_EN_OPEN: Final = _set(
    "and or but because if whether although unless nor than as the a an my your our their its every very "
    "i we they he she i'm i'd i'll i've you're you'd you'll we're we'll we've they're let's gonna wanna "
    "which whose plus versus into onto of toward towards between among during despite"
)
_EN_PREPOSITIONS: Final = _set("to for from at with about against without after before until since near than")
_EN_AUXILIARIES: Final = _set(
    "is are was were am be been will would can could should shall may might must have has had do does did"
)
"""At the end of a question's answer ("Yes, it is.") as often as before the rest: a closing mark leaves it unknown."""
_EN_CLOSED_BY_MARK: Final = _set(
    "so like well that when where who some any no this these those his her more most just then though while "
    "on in by over up out off down through around"
)
"""End a sentence as often as they do not: a closing mark decides."""
_EN_FILLER_PHRASES: Final = ("you know", "i mean", "sort of", "kind of")
_EN_QUESTION: Final = _set("what who whom where when why how which whose")

_HANGUL_BASE, _HANGUL_LAST, _FINALS = 0xAC00, 0xD7A3, 28
_OPEN_VOWELS: Final = frozenset((0, 1, 4, 5, 6, 9, 14))
"""Medial ㅏ ㅐ ㅓ ㅔ ㅕ ㅘ ㅝ: of syllables in which 아/어 has merged with the stem (가서, 해서, 와서, 켜서)."""
_FINAL_N, _FINAL_B = 4, 17


def ending_of(text: str) -> Ending:
    """How the words sound so far: finished, open, or neither for sure. No words are `UNKNOWN`."""
    text = unicodedata.normalize("NFC", text).strip(_QUOTES)
    bare = text.rstrip(_MARKS + " ")
    words = bare.casefold().replace("’", "'").split()
    if not words:
        return Ending.UNKNOWN
    if _TRAILING_OFF.search(text):
        return Ending.OPEN
    mark = text[len(bare) :].strip()[-1:]
    mark = {"？": "?", "！": "!", "。": "."}.get(mark, mark)
    if has_hangul(words[-1]):
        return _korean(words, mark)
    return _english(words, mark)


def _korean(words: list[str], mark: str) -> Ending:  # noqa: PLR0911 - one rule a line, first match wins
    last = words[-1].strip(_MARKS)
    if last in _KO_OPEN_WORDS:
        return Ending.FINISHED if mark == "?" and len(words) > 1 and len(last) > 1 else Ending.OPEN
    if mark in {"?", "!"}:
        return Ending.FINISHED
    if last in _KO_UNKNOWN_WORDS or _WORD_ENDS_SUFFIX.search(last) or _KO_SOFT.search(last):
        return Ending.UNKNOWN
    if last.endswith("니까") and _final(last[-3:-2]) == _FINAL_B:
        return Ending.FINISHED
    if _KO_OPEN.search(last) or _merged_seo(last) or _final_n_de(last):
        return Ending.OPEN
    if len(last) > 1 and _KO_FINISHED.search(last):
        return Ending.FINISHED
    return Ending.FINISHED if last in {"네", "해", "줘", "켜", "꺼", "봐", "자", "야"} else Ending.UNKNOWN


def _english(words: list[str], mark: str) -> Ending:  # noqa: PLR0911 - one rule a line, first match wins
    last = words[-1].strip(_MARKS)
    closed = mark in {".", "?", "!"}
    if last in _EN_FILLERS or last in _EN_OPEN or words in (["so"], ["well"]):
        return Ending.OPEN
    if mark == "?":
        return Ending.FINISHED
    if " ".join(words[-2:]) in _EN_FILLER_PHRASES:
        return Ending.OPEN
    if last in _EN_PREPOSITIONS:
        return Ending.UNKNOWN if _EN_QUESTION & set(words[:-1]) else Ending.OPEN
    if last in _EN_AUXILIARIES:
        return Ending.UNKNOWN if closed else Ending.OPEN
    if last in _EN_CLOSED_BY_MARK and not closed:
        return Ending.OPEN
    return Ending.FINISHED if closed else Ending.UNKNOWN


def _final(syllable: str) -> int | None:
    """Number of the syllable's final consonant, 0 if it has none; None for what is no syllable."""
    code = ord(syllable) if len(syllable) == 1 else 0
    return (code - _HANGUL_BASE) % _FINALS if _HANGUL_BASE <= code <= _HANGUL_LAST else None


def _merged_seo(word: str) -> bool:
    """Whether it ends like 가서, 해서, 와서: the connective -아서/-어서 merged with its stem."""
    if not word.endswith("서") or _final(word[-2:-1]) != 0:
        return False
    return (ord(word[-2]) - _HANGUL_BASE) // _FINALS % 21 in _OPEN_VOWELS


def _final_n_de(word: str) -> bool:
    """Whether it ends like 인데, 한데, 건데: -ㄴ데 merged with its stem."""
    return word.endswith("데") and _final(word[-2:-1]) == _FINAL_N
