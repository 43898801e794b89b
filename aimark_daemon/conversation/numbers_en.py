"""English numbers: how they are said - cardinals, ordinals, years, decimals, digit by digit. Pure."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 15
"""Digits of the largest number that has a name here; longer ones are said digit by digit."""

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_GROUPS = ("", " thousand", " million", " billion", " trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_TEN, _TWENTY, _HUNDRED, _THOUSAND = 10, 20, 100, 1000


def cardinal(number: int) -> str:
    """A number from 0 to 10**15 - 1: 1234 is "one thousand two hundred thirty-four"."""
    if number < _THOUSAND:
        return _below_thousand(number)
    said: list[str] = []
    for group in _GROUPS:
        number, rest = divmod(number, _THOUSAND)
        if rest:
            said.append(_below_thousand(rest) + group)
    return " ".join(reversed(said))


def ordinal(number: int) -> str:
    """The number's rank: 22 is "twenty-second"."""
    said = cardinal(number)
    cut = max(said.rfind(" "), said.rfind("-")) + 1
    last = said[cut:]
    if last in _ORDINALS:
        return said[:cut] + _ORDINALS[last]
    return said[:-1] + "ieth" if last.endswith("y") else said + "th"


def year(number: int) -> str:
    """A year of four digits: 1905 is "nineteen oh five", 2008 "two thousand eight", 2024 "twenty twenty-four"."""
    century, rest = divmod(number, _HUNDRED)
    if century % _TEN == 0 and rest < _TEN:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < _TEN else ''}{cardinal(rest)}"


def plural(said: str) -> str:
    """Several of a number's word: "nineties", "thousands"."""
    return said[:-1] + "ies" if said.endswith("y") else said + ("es" if said.endswith("x") else "s")


def spelled(digits: str) -> str:
    """ASCII digits one by one."""
    return " ".join(_ONES[int(digit)] for digit in digits)


def decimal(number: str) -> str:
    """An ASCII number with or without a fraction: "3.14" is "three point one four". Leading zeros are spelled."""
    whole, _, fraction = number.replace(",", "").partition(".")
    named = len(whole) <= LONGEST and (len(whole) == 1 or whole[0] != "0")
    said = cardinal(int(whole)) if named else spelled(whole)
    return f"{said} point {spelled(fraction)}" if fraction else said


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, _HUNDRED)
    said = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if rest >= _TWENTY:
        tens, ones = divmod(rest, _TEN)
        said.append(_TENS[tens] + (f"-{_ONES[ones]}" if ones else ""))
    elif rest or not hundreds:
        said.append(_ONES[rest])
    return " ".join(said)
