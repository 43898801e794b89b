"""Korean reading: what stands for words in a Korean text - numbers, times, money, units, addresses - as it is said.

Pure. The rules go one after another; each leaves Hangul, which no later one reads again. A particle behind digits is
put into the form that fits what was said (3이 -> 삼이, 2이 -> 이가).
"""

from __future__ import annotations

import re
from typing import Final

from aimark_daemon.conversation import loanwords_ko
from aimark_daemon.conversation.numbers_ko import (
    NATIVE_LIMIT,
    PARTICLE,
    TELEPHONE_DIGITS,
    decimal,
    month,
    native,
    sino,
    spelled,
    with_particle,
)
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
    TOP_DOMAIN,
    VERSION,
    plain_digits,
    rules,
)

_N: Final = rf"(?<![0-9])(?P<n>{NUMBER})"
_P: Final = rf"(?P<p>{PARTICLE})?"
_INTEGER: Final = r"(?<![0-9.,제])(?P<n>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?![.,][0-9])"

NATIVE: Final = (
    r"(?:개(?!월|국|년|소|인|사|교)|명(?!령)|시간|시(?!즌|리즈|스템|장|청|도|민)|살|마리|번째|번(?!지|호|길|가)|잔|병(?!원|동|사)|권|대(?!학|륙|통령|강)"
    r"|장(?!관|군)|가지|그루|송이|켤레|벌|채(?!널|식)|척|통(?!신|합|계)|곳|군데|사람|달(?!러)|배(?!송|달)|줄|컵|그릇|접시|조각|자루|봉지|상자|다발|쌍"
    r"|차례|걸음|방울|모금|곡|편|팀|그룹|바퀴|끼|돈)"
)
"""Counters that native numbers stand before. What looks like one at the beginning of another word is left out."""
_NATIVE_UP_TO: Final = {"시": 12, "시간": 23}
_COUNTED: Final = rf"(?:{NATIVE}|{SYMBOL}|개월|년|월|일|분|초|주|층|원|회|위|점|세|단계|페이지|쪽|인|만|억|달러|도)"
"""Counters and units that tell a range from other numbers with a line between them."""
_MERIDIEM: Final = {"a": "오전", "p": "오후"}


def read_korean(text: str) -> str:
    """`text`, already plain and composed (NFC), with everything in it as words. Never raises."""
    text = loanwords_ko.symbols(plain_digits(text))
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return loanwords_ko.words(text)


def _email(match: re.Match[str]) -> str:
    return _address(match["who"]) + " 골뱅이 " + _address(match["where"])


def _address(text: str) -> str:
    head, dot, domain = text.rpartition(".")
    if dot and re.fullmatch(TOP_DOMAIN, domain, re.IGNORECASE):
        return f"{_address(head)} 닷{'컴' if domain.lower() == 'com' else ' ' + domain}"
    return text.replace(".", " 점 ").replace("_", " 밑줄 ").replace("-", " 하이픈 ").replace("+", " 플러스 ")


def _date(match: re.Match[str]) -> str:
    if not (1 <= int(match["m"]) <= MONTHS and 1 <= int(match["d"]) <= DAYS):
        return match.group()
    said = f"{sino(int(match['y']))}년 {month(int(match['m']))} {sino(int(match['d']))}일"
    return with_particle(said, match["p"])


def _clock(match: re.Match[str]) -> str:
    hour, minute, second = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    if hour > HOURS or minute > MINUTES or second > MINUTES:
        return match.group()
    said = _counted(hour, "시")
    said += f" {sino(minute)} 분" if minute or second else ""
    said += f" {sino(second)} 초" if second else ""
    half = f"{_MERIDIEM[match['half'][0].lower()]} " if match["half"] else ""
    return half + with_particle(said, match["p"])


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"[0-9]+", match["n"])
    said = ", ".join(spelled(group, TELEPHONE_DIGITS) for group in groups)
    return with_particle("플러스 " * match["n"].startswith("+") + said, match["p"])


def _money(match: re.Match[str]) -> str:
    unit, hundredth = CURRENCIES[match["sign"]]
    whole, _, cents = match["n"].partition(".")
    if hundredth and len(cents) == 2 and not match["big"]:  # noqa: PLR2004 - as in 3.50
        said = f"{decimal(whole)} {unit.ko}" + (f" {sino(int(cents))} {hundredth.ko}" if int(cents) else "")
    else:
        said = f"{decimal(match['n'])}{match['big'] or ''} {unit.ko}"
    return with_particle(said, match["p"])


def _range(match: re.Match[str]) -> str:
    unit = match["u"] or match["v"] or ""
    return f"{match['a']}{unit}에서 {match['b']}{match['v'] or ''}"


def _measured(match: re.Match[str]) -> str:
    symbol = match["u"]
    said = f"{decimal(match['n'])} {UNITS[symbol].ko}"
    if symbol in {"km/h", "mph"}:
        said = f"시속 {decimal(match['n'])} {'킬로미터' if symbol == 'km/h' else '마일'}"
    elif symbol == "°F":
        said = f"화씨 {decimal(match['n'])} 도"
    below = "영하 " if symbol.startswith(("°C", "℃")) else "마이너스 "
    return (below if match["sign"] else "") + with_particle(said, match["p"])


def _counted(number: int, counter: str) -> str:
    if counter == "번째" and number == 1:
        return "첫 번째"
    if 1 <= number <= _NATIVE_UP_TO.get(counter, NATIVE_LIMIT):
        return f"{native(number)} {counter}"
    return f"{sino(number)} {counter}"


def _native(match: re.Match[str]) -> str:
    digits, counter = match["n"].replace(",", ""), match["c"]
    if len(digits) > 2:  # noqa: PLR2004 - above 99
        return f"{decimal(digits)} {counter}"
    number = int(digits)
    if counter == "대" and number >= 10 and number % 10 == 0:  # noqa: PLR2004 - an age, as in 20대
        return f"{sino(number)}대"
    return _counted(number, counter)


def _number(match: re.Match[str]) -> str:
    # 제2과 is a lesson, its last syllable no particle.
    numbered = match.string[: match.start()].endswith("제")
    said = decimal(match["n"])
    return ("마이너스 " if match["sign"] else "") + (
        said + (match["p"] or "") if numbered else with_particle(said, match["p"])
    )


def _fraction(match: re.Match[str]) -> str:
    return with_particle(f"{decimal(match['d'])} 분의 {decimal(match['n'])}", match["p"])


_TELEPHONE = (
    r"(?<![0-9-])(?P<n>(?:\+[0-9]{1,3}[- ]?\(?[0-9]{1,3}\)?|\(?0[0-9]{1,2}\)?)[- .]?[0-9]{3,4}[- .][0-9]{4}"
    r"|1[568][0-9]{2}-[0-9]{4}|01[0-9]{8,9})(?![0-9-])"
)
_EMERGENCY = r"(?<![0-9])(?P<n>11[29])(?=[에로])(?P<p>로)?"
_MONEY = rf"(?P<sign>[$€£¥₩￦])\s?(?P<n>{NUMBER})\s?(?P<big>[천만억조]+)?{_P}"
_RANGE = rf"(?<![0-9.,])(?P<a>{NUMBER})(?P<u>\s?{_COUNTED})?\s?[~∼〜～–]\s?(?P<b>{NUMBER})(?P<v>\s?{_COUNTED})?"
_HYPHENED = rf"(?<![0-9.,-])(?P<a>{NUMBER})(?P<u>)-(?P<b>{NUMBER})(?P<v>\s?{_COUNTED})"
_RATIO = r"(?<![0-9:])(?P<a>[0-9]{1,3}):(?P<b>[0-9]{1,3})(?![0-9:])"
_MONTH = r"(?<![0-9.])(?P<n>1[0-2]|0?[1-9])월"
_HISTORIC = r"(?<![0-9.])(?P<n>3[.·]1|4[.·]19|5[.·]18|6[.·]25|8[.·]15)(?=절|\s?(?:운동|민주화|전쟁|혁명|광복|사변))"
"""Days that are known by their digits: 육이오 전쟁."""
_RULES: Final = rules(
    (EMAIL, _email),
    (DOMAIN, lambda match: _address(match.group())),
    (_HISTORIC, lambda match: spelled(re.sub(r"[.·]", "", match["n"]))),
    (DATE + _P, _date),
    (CLOCK + _P, _clock),
    (_TELEPHONE + _P, _telephone),
    (_EMERGENCY, _telephone),
    (_MONEY, _money),
    (_RANGE, _range),
    (_HYPHENED, _range),
    (rf"{SIGN}{_N}\s?(?P<u>{SYMBOL}){_P}", _measured),
    (FRACTION + _P, _fraction),
    (_RATIO, lambda match: f"{sino(int(match['a']))} 대 {sino(int(match['b']))}"),
    (rf"{_INTEGER}\s?(?P<c>{NATIVE})", _native),
    (_MONTH, lambda match: month(int(match["n"]))),
    (VERSION, lambda match: " 점 ".join(map(decimal, match.group().split(".")))),
    (r"#(?P<n>[0-9]+)", lambda match: f"{decimal(match['n'])} 번"),
    (r"(?<=[0-9])\s?\+\s?(?=[0-9])", " 더하기 "),
    (r"(?<=[0-9])\s-\s(?=[0-9])", " 빼기 "),
    (r"(?<=[0-9])\s?[×✕]\s?(?=[0-9])", " 곱하기 "),
    (r"(?<=[0-9])\s?÷\s?(?=[0-9])", " 나누기 "),
    (r"(?<=[0-9])\s?=\s?(?=-?[0-9])", "은 "),
    (GLUED, " "),
    (BARE_FRACTION, lambda match: "점 " + spelled(match["n"])),
    (rf"{SIGN}{_N}{_P}", _number),
    (r"(?<=[가-힣A-Za-z])\s?[~∼〜～]\s?(?=[가-힣A-Za-z])", "에서 "),
    (r"[~∼〜～]+", ""),
    (r"(?<=[가-힣])·(?=[가-힣])", " "),
    (r"%", " 퍼센트"),
    (r"[ㅋㅎㅠㅜ]{2,}", ""),
    (r"\s*&\s*", " 앤 "),
    (r"(?<=[가-힣A-Za-z])/(?=[가-힣A-Za-z])", " "),
    (r"[#@](?=\w)", ""),
)
