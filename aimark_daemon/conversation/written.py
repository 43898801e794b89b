"""Written forms: what numbers, clock times, dates and addresses look like on paper, in either language. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
"""A pattern and what is said for what it matches. Patterns are bounded: hostile text costs no more than other text."""

NUMBER: Final = r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
"""A number, thousands with commas or without."""
SIGN: Final = r"(?P<sign>(?<![0-9A-Za-z가-힣)\-])-)?"
DATE: Final = (
    r"(?<![0-9.\-/])(?P<y>[12][0-9]{3})(?P<k>[-/]|\.\s?)(?P<m>[0-9]{1,2})(?P=k)(?P<d>[0-9]{1,2})(?![0-9])"
    r"(?:\.(?!\s*$))?"
)
"""Year, month and day: 2024-01-05, 2024/1/5, 2024. 1. 5."""
CLOCK: Final = (
    r"(?<![0-9:.])(?P<h>[0-9]{1,2}):(?P<m>[0-9]{2})(?::(?P<s>[0-9]{2}))?(?![0-9:])"
    r"(?:\s?(?P<half>[AaPp]\.?\s?[Mm])\b\.?)?"
)
EMAIL: Final = r"(?<![\w.+-])(?P<who>[\w.+-]{1,64})@(?P<where>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})"
TOP_DOMAIN: Final = r"(?:com|net|org|io|kr|dev|ai|app|edu|gov|info|me|co|jp|uk)"
DOMAIN: Final = rf"(?<![\w.@-])(?:[A-Za-z0-9-]{{1,63}}\.){{1,5}}{TOP_DOMAIN}(?![A-Za-z0-9-])"
VERSION: Final = r"(?<![0-9.])[0-9]{1,5}(?:\.[0-9]{1,5}){2,5}(?![0-9])"
"""Numbers with more than one dot: a version, an address."""
FRACTION: Final = r"(?<![0-9/])(?P<n>[0-9]{1,3})/(?P<d>[1-9][0-9]{0,2})(?![0-9/])"
BARE_FRACTION: Final = r"(?<![\w.])\.(?P<n>[0-9]+)"
"""The decimals alone, as in .25."""
GLUED: Final = r"(?<=[A-Za-z])-?(?=[0-9])|(?<=[0-9])(?=[A-Za-z])"
"""Between a word and its number: GPT-4, H2O."""

HOURS, MINUTES, MONTHS, DAYS = 24, 59, 12, 31
"""The largest of each that is a time or date."""

_PLAIN_DIGITS: Final = {ord("０") + digit: ord("0") + digit for digit in range(10)} | {0x2212: "-"}


def plain_digits(text: str) -> str:
    """Full-width digits and the minus sign as the ordinary ones."""
    return text.translate(_PLAIN_DIGITS)


def rules(*table: tuple[str, Callable[[re.Match[str]], str] | str]) -> tuple[Rule, ...]:
    """Rules from patterns and what is said: a function of the match, or words."""
    return tuple((re.compile(pattern), said if callable(said) else _always(said)) for pattern, said in table)


def _always(words: str) -> Callable[[re.Match[str]], str]:
    return lambda _: words
