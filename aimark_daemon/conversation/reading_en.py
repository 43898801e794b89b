"""English reading: what stands for words in an English text - numbers, times, money, units, addresses - as it is said.

Pure. The rules go one after another; each leaves words, which no later one reads again.
"""

from __future__ import annotations

import re
from typing import Final

from aimark_daemon.conversation.numbers_en import cardinal, decimal, ordinal, plural, spelled, year
from aimark_daemon.conversation.units import CURRENCIES, SYMBOL, UNITS
from aimark_daemon.conversation.written import (
    BARE_FRACTION,
    CLOCK,
    DATE,
    DAYS,
    DOMAIN,
    EMAIL,
    FRACTION,
    GLUED,
    HOURS,
    MINUTES,
    MONTHS,
    NUMBER,
    SIGN,
    VERSION,
    plain_digits,
    rules,
)

_N: Final = rf"(?<![0-9])(?P<n>{NUMBER})"
_MONTH_NAMES: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
_MONTH: Final = "|".join(rf"{name}\b|{name[:3]}\b\.?" for name in _MONTH_NAMES)
_BIG: Final = r"(?:thousand|million|billion|trillion)"
_ABBREVIATIONS: Final = {
    "dr": "Doctor",
    "mr": "Mister",
    "mrs": "Missus",
    "ms": "Miz",
    "prof": "Professor",
    "jr": "Junior",
    "sr": "Senior",
    "vs": "versus",
    "etc": "et cetera",
    "approx": "approximately",
    "dept": "department",
    "e.g": "for example",
    "i.e": "that is",
    "a.m": "AM",
    "p.m": "PM",
    "u.s": "US",
    "u.k": "UK",
    "ph.d": "PhD",
}
_NOON, _TEN = 12, 10


def read_english(text: str) -> str:
    """`text`, already plain, with everything in it as words. Never raises."""
    text = plain_digits(text)
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return text


def _email(match: re.Match[str]) -> str:
    return _address(match["who"]) + " at " + _address(match["where"])


def _address(text: str) -> str:
    return text.replace(".", " dot ").replace("_", " underscore ").replace("-", " dash ").replace("+", " plus ")


def _abbreviation(match: re.Match[str]) -> str:
    said = _ABBREVIATIONS[match["word"].lower()]
    # A stop that ends the sentence too is kept.
    return said + ("." if match["word"].lower() == "etc" and not match.string[match.end() :].strip() else "")


def _date(match: re.Match[str]) -> str:
    month, day = int(match["m"]), int(match["d"])
    if not (1 <= month <= MONTHS and 1 <= day <= DAYS):
        return match.group()
    return f"{_MONTH_NAMES[month - 1]} {ordinal(day)}, {year(int(match['y']))}"


def _named_date(match: re.Match[str]) -> str:
    name = next(full for full in _MONTH_NAMES if full.startswith(match["month"][:3]))
    day = int(match["d"])
    if not 1 <= day <= DAYS:
        return match.group()
    return f"{name} {ordinal(day)}" + (f", {year(int(match['y']))}" if match["y"] else "")


def _clock(match: re.Match[str]) -> str:
    hour, minute, second = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    if hour > HOURS or minute > MINUTES or second > MINUTES:
        return match.group()
    half = f" {match['half'][0].upper()}M" if match["half"] else ""
    if minute:
        said = f"{cardinal(hour)} {'oh ' if minute < _TEN else ''}{cardinal(minute)}"
    else:
        said = cardinal(hour) + ("" if half else " hundred" if hour > _NOON else " o'clock")
    if second:
        said += f" and {_counted(str(second), 'second', 'seconds')}"
    return said + half


def _telephone(match: re.Match[str]) -> str:
    said = ", ".join(spelled(group) for group in re.findall(r"[0-9]+", match["n"]))
    return "plus " * match["n"].startswith("+") + said


def _money(match: re.Match[str]) -> str:
    unit, hundredth = CURRENCIES[match["sign"]]
    whole, _, cents = match["n"].partition(".")
    if match["big"]:
        return f"{decimal(match['n'])} {match['big']} {unit.many}"
    if hundredth and len(cents) == 2:  # noqa: PLR2004 - as in 3.50
        said = _counted(whole, unit.one, unit.many)
        return said + (f" and {_counted(cents.lstrip('0'), hundredth.one, hundredth.many)}" if int(cents) else "")
    return _counted(match["n"], unit.one, unit.many)


def _measured(match: re.Match[str]) -> str:
    unit = UNITS[match["u"]]
    return ("minus " if match["sign"] else "") + _counted(match["n"], unit.one, unit.many)


def _counted(number: str, one: str, many: str) -> str:
    return f"{decimal(number)} {one if number == '1' else many}"


def _fraction(match: re.Match[str]) -> str:
    top, bottom = int(match["n"]), int(match["d"])
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    if not 0 < top < bottom:
        return f"{cardinal(top)} over {cardinal(bottom)}"
    one, many = names.get(bottom) or (ordinal(bottom), ordinal(bottom) + "s")
    return f"{cardinal(top)} {one if top == 1 else many}"


def _years(match: re.Match[str]) -> str:
    said = year(int(match["n"]))
    return plural(said) if match["s"] else said


def _number(match: re.Match[str]) -> str:
    return ("minus " if match["sign"] else "") + decimal(match["n"])


_ABBREVIATION = (
    r"(?i:(?<![A-Za-z0-9.])(?P<word>" + "|".join(map(re.escape, sorted(_ABBREVIATIONS, key=len, reverse=True))) + r"))"
    r"\.(?![A-Za-z0-9])"
)
_YEAR = r"(?:1[5-9]|20)[0-9]{2}"
_US_DATE = r"(?<![0-9.\-/])(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[12][0-9]{3})(?![0-9])"
_NAMED_DATE = rf"\b(?P<month>{_MONTH})\s(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9:])(?:,?\s(?P<y>{_YEAR})(?![0-9,]))?"
_HOUR = r"(?<![0-9])(?P<h>[0-9]{1,2})\s?(?P<half>[AaPp]\.?[Mm])\b\.?"
_TELEPHONE = (
    r"(?<![0-9-])(?P<n>(?:\+[0-9]{1,3}[- .]?)?\(?[0-9]{3}\)?[- .][0-9]{3,4}[- .][0-9]{4}"
    r"|\+[0-9]{1,3}[- .]?[0-9]{1,2}[- .][0-9]{3,4}[- .][0-9]{4}|[0-9]{3}-[0-9]{4})(?![0-9-])"
)
_MONEY_RANGE = rf"(?P<sign>[$€£¥₩￦])(?P<a>{NUMBER})\s?[-–~]\s?(?P=sign)?(?=[0-9])"
_MONEY = rf"(?P<sign>[$€£¥₩￦])\s?(?P<n>{NUMBER})(?:\s(?P<big>{_BIG})\b)?"
_RULES: Final = rules(
    (EMAIL, _email),
    (DOMAIN, lambda match: _address(match.group())),
    (r"(?<![A-Za-z0-9])[Nn]os?\.\s?(?=[0-9])|#(?=[0-9])", "number "),
    (_ABBREVIATION, _abbreviation),
    (DATE, _date),
    (_US_DATE, _date),
    (_NAMED_DATE, _named_date),
    (CLOCK, _clock),
    (_HOUR, lambda match: f"{cardinal(int(match['h']))} {match['half'][0].upper()}M"),
    (_TELEPHONE, _telephone),
    (_MONEY_RANGE, lambda match: f"{match['sign']}{match['a']} to {match['sign']}"),
    (_MONEY, _money),
    (r"(?<=[0-9%°])\s?[–~]\s?(?=[0-9])", " to "),
    (r"(?<![0-9.,-])(?P<a>[0-9]{1,4}(?:\.[0-9]+)?)-(?=[0-9]{1,4}(?![0-9-]))", lambda match: f"{match['a']} to "),
    (rf"{SIGN}{_N}\s?(?P<u>{SYMBOL})", _measured),
    (FRACTION, _fraction),
    (r"(?<![0-9.,])(?P<n>[0-9]{1,15})(?:st|nd|rd|th)\b", lambda match: ordinal(int(match["n"]))),
    (rf"(?<![0-9.,$-])(?P<n>{_YEAR})(?P<s>s)?(?![0-9A-Za-z]|[.,][0-9])", _years),
    (r"(?:['’]|(?<![0-9.,]))(?P<n>[1-9]0)s\b", lambda match: plural(cardinal(int(match["n"])))),
    (VERSION, lambda match: " point ".join(map(decimal, match.group().split(".")))),
    (r"(?<=[0-9])\s?\+\s?(?=[0-9])", " plus "),
    (r"(?<=[0-9])\s-\s(?=[0-9])", " minus "),
    (r"(?<=[0-9])\s?[×✕]\s?(?=[0-9])", " times "),
    (r"(?<=[0-9])\s?÷\s?(?=[0-9])", " divided by "),
    (r"(?<=[0-9])\s?=\s?(?=-?[0-9])", " equals "),
    (GLUED, " "),
    (BARE_FRACTION, lambda match: "point " + spelled(match["n"])),
    (rf"{SIGN}{_N}", _number),
    (r"%", " percent"),
    (r"\s*&\s*", " and "),
    (r"(?<![\w+])C\+\+(?!\w)", "C plus plus"),
    (r"(?<!\w)(?P<n>[CF])#(?!\w)", lambda match: f"{match['n']} sharp"),
    (r"(?<=[A-Za-z])/(?=[A-Za-z])", " "),
    (r"#(?=\w)", ""),
    (r"@(?=\w)", "at "),
)
