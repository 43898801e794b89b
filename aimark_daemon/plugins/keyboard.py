"""Keyboard layouts: what was typed on 두벌식 or QWERTY, as the same keys read on the other one.

`/ㅗ디ㅔ` are the keys of `/help`, and `/dlalwl` those of `/이미지`. Syllables are put together as Korean keyboards do
it (KS X 5002): a consonant before a vowel begins a syllable, others end the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_KEYS: Final = "qQwWeErRtTyuioOpPasdfghjklzxcvbnm"
_JAMO: Final = "ㅂㅃㅈㅉㄷㄸㄱㄲㅅㅆㅛㅕㅑㅐㅒㅔㅖㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ"
_INITIALS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS: Final = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_PAIRS: Final = {
    "ㅗㅏ": "ㅘ",
    "ㅗㅐ": "ㅙ",
    "ㅗㅣ": "ㅚ",
    "ㅜㅓ": "ㅝ",
    "ㅜㅔ": "ㅞ",
    "ㅜㅣ": "ㅟ",
    "ㅡㅣ": "ㅢ",
    "ㄱㅅ": "ㄳ",
    "ㄴㅈ": "ㄵ",
    "ㄴㅎ": "ㄶ",
    "ㄹㄱ": "ㄺ",
    "ㄹㅁ": "ㄻ",
    "ㄹㅂ": "ㄼ",
    "ㄹㅅ": "ㄽ",
    "ㄹㅌ": "ㄾ",
    "ㄹㅍ": "ㄿ",
    "ㄹㅎ": "ㅀ",
    "ㅂㅅ": "ㅄ",
}
"""Two keys that make one vowel or one final consonant."""
_SPLIT: Final = {whole: pair for pair, whole in _PAIRS.items()}
_FIRST: Final = ord("가")
_LAST: Final = ord("힣")
_TO_JAMO: Final = dict(zip(_KEYS, _JAMO, strict=True))
_TO_KEY: Final = {jamo: key for key, jamo in _TO_JAMO.items()}


def jamo_of(syllable: str) -> str:
    """The letters of one Hangul syllable: "한" is "ㅎㅏㄴ". Any other character is itself."""
    if not _FIRST <= ord(syllable) <= _LAST:
        return syllable
    initial, rest = divmod(ord(syllable) - _FIRST, len(_VOWELS) * len(_FINALS))
    vowel, final = divmod(rest, len(_FINALS))
    return (_INITIALS[initial] + _VOWELS[vowel] + _FINALS[final]).strip()


def to_latin(text: str) -> str:
    """The keys of `text` (NFC) read as QWERTY; what has no Hangul stays as it is."""
    letters = (letter for syllable in text for jamo in jamo_of(syllable) for letter in _SPLIT.get(jamo, jamo))
    return "".join(_TO_KEY.get(letter, letter) for letter in letters)


def to_hangul(text: str) -> str:
    """The keys of `text` read as 두벌식; a capital that has no letter of its own counts as its small one."""
    jamo = [_TO_JAMO.get(key) or _TO_JAMO.get(key.lower()) or key for key in text]
    written: list[str] = []
    at = 0
    while at < len(jamo):
        syllable, used = _syllable(jamo, at)
        written.append(syllable)
        at += used
    return "".join(written)


def _syllable(jamo: Sequence[str], at: int) -> tuple[str, int]:
    """The syllable that begins at `at`, or the single letter there, and how many letters it takes."""
    if not (jamo[at] in _INITIALS and _is_vowel(jamo, at + 1)):
        return _vowel(jamo, at) if _is_vowel(jamo, at) else (jamo[at], 1)
    vowel, used = _vowel(jamo, at + 1)
    final, more = _final(jamo, at + 1 + used)
    code = (_INITIALS.index(jamo[at]) * len(_VOWELS) + _VOWELS.index(vowel)) * len(_FINALS) + _FINALS.index(final)
    return chr(_FIRST + code), 1 + used + more


def _vowel(jamo: Sequence[str], at: int) -> tuple[str, int]:
    pair = _PAIRS.get("".join(jamo[at : at + 2]), "")
    return (pair, 2) if pair in _VOWELS and pair else (jamo[at], 1)


def _final(jamo: Sequence[str], at: int) -> tuple[str, int]:
    """The consonants that end a syllable: those that no vowel follows."""
    if at >= len(jamo) or jamo[at] not in _FINALS[1:] or _is_vowel(jamo, at + 1):
        return " ", 0
    pair = _PAIRS.get("".join(jamo[at : at + 2]), "")
    if pair and pair in _FINALS and not _is_vowel(jamo, at + 2):
        return pair, 2
    return jamo[at], 1


def _is_vowel(jamo: Sequence[str], at: int) -> bool:
    return at < len(jamo) and jamo[at] in _VOWELS
