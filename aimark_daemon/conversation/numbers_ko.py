"""Korean numbers: how they are said - Sino-Korean, native before counters, digit by digit - and what particle follows.

Pure. Native numbers count things up to 99 (세 개, 스무 살), Sino-Korean ones measure and number (삼 층, 이십 퍼센트).
"""

from __future__ import annotations

from typing import Final

DIGITS: Final = "영일이삼사오육칠팔구"
TELEPHONE_DIGITS: Final = "공일이삼사오육칠팔구"
LONGEST: Final = 20
"""Digits of the largest number that has a name here; longer ones are said digit by digit."""
NATIVE_LIMIT: Final = 99

_PLACES = ("", "십", "백", "천")
_GROUPS = ("", "만", "억", "조", "경")
_NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_MONTHS = {6: "유월", 10: "시월"}
_RIEUL = 8
"""The final consonant ㄹ in the order of Unicode's syllables."""
_PAIRS: Final = {
    form: pair
    for pair in (
        *(("이에요", "예요"), ("이었", "였"), ("이라", "라"), ("이랑", "랑"), ("이나", "나"), ("이야", "야")),
        *(("으로", "로"), ("이", "가"), ("은", "는"), ("을", "를"), ("과", "와")),
    )
    for form in pair
}
PARTICLE: Final = (
    r"(?:이에요|예요|(?:이었|였)(?=[다던어고지으습])|이?라(?=[고는서면며도])|이?랑(?![가-힣])|이?나(?![가-힣])"
    r"|이?야(?![가-힣])|(?:으로|로)(?=[는도만서써부]|(?![가-힣]))|[이가은는을를](?![가-힣])|[과와](?=의?(?![가-힣])))"
)
"""A particle or ending whose form depends on the sound before it, in either form."""


def sino(number: int) -> str:
    """A number from 0 to 10**20 - 1 in Sino-Korean, in groups of ten thousands: 12345 is "만 이천삼백사십오"."""
    digits = str(number)
    if number == 0:
        return spelled(digits)
    groups: list[str] = []
    for index in range(0, len(digits), 4):
        group = int(digits[max(0, len(digits) - index - 4) : len(digits) - index])
        if group:
            name = _GROUPS[index // 4]
            groups.append(("" if group == 1 and name == "만" else _below_ten_thousand(group)) + name)
    return " ".join(reversed(groups))


def native(number: int) -> str:
    """A number from 1 to 99 as it stands before a counter: 3 is "세", 20 is "스무"."""
    if number == 20:  # noqa: PLR2004 - the one that changes as a whole
        return "스무"
    return _NATIVE_TENS[number // 10] + _NATIVE_ONES[number % 10]


def spelled(digits: str, names: str = DIGITS) -> str:
    """ASCII digits one by one."""
    return "".join(names[int(digit)] for digit in digits)


def decimal(number: str) -> str:
    """An ASCII number with or without a fraction: "3.14" is "삼 점 일사". A number with leading zeros is spelled."""
    whole, _, fraction = number.replace(",", "").partition(".")
    if len(whole) > 1 and whole[0] == "0":
        said = spelled(whole, TELEPHONE_DIGITS)
    else:
        said = sino(int(whole)) if len(whole) <= LONGEST else spelled(whole)
    return f"{said} 점 {spelled(fraction)}" if fraction else said


def month(number: int) -> str:
    """A month: 6 is "유월", 10 "시월"."""
    return _MONTHS.get(number) or sino(number) + "월"


def agree(said: str, particle: str) -> str:
    """`particle` in the form that fits after `said`; as it is where `said` does not end in a Hangul syllable."""
    last = said.rstrip(" )")[-1:]
    if particle not in _PAIRS or not "가" <= last <= "힣":
        return particle
    final = (ord(last) - ord("가")) % 28
    after_consonant, after_vowel = _PAIRS[particle]
    if particle in {"으로", "로"} and final == _RIEUL:
        return after_vowel
    return after_consonant if final else after_vowel


def with_particle(said: str, following: str | None) -> str:
    """`said` and the particle that stood behind its digits, in its right form."""
    return said + agree(said, following) if following else said


def _below_ten_thousand(number: int) -> str:
    said = ""
    for place, digit in enumerate(reversed(str(number))):
        if digit != "0":
            name = "" if digit == "1" and place else DIGITS[int(digit)]
            said = name + _PLACES[place] + said
    return said
