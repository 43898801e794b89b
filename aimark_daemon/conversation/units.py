"""Units of measurement: how a symbol behind a number is said in Korean and English. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """What a symbol is called: in Korean, in English for one, in English for several."""

    ko: str
    one: str
    many: str


def _metric(ko: str, en: str) -> Unit:
    return Unit(ko, en, en + "s")


_SQUARE = Unit("제곱미터", "square meter", "square meters")
_CELSIUS = Unit("도", "degree Celsius", "degrees Celsius")
UNITS: Final[dict[str, Unit]] = {
    "%": Unit("퍼센트", "percent", "percent"),
    "％": Unit("퍼센트", "percent", "percent"),
    "°C": _CELSIUS,
    "℃": _CELSIUS,
    "°F": Unit("화씨도", "degree Fahrenheit", "degrees Fahrenheit"),
    "°": Unit("도", "degree", "degrees"),
    "km/h": Unit("킬로미터 매 시", "kilometer per hour", "kilometers per hour"),
    "m/s": Unit("미터 매 초", "meter per second", "meters per second"),
    "mph": Unit("마일 매 시", "mile per hour", "miles per hour"),
    "km²": Unit("제곱킬로미터", "square kilometer", "square kilometers"),
    "m²": _SQUARE,
    "㎡": _SQUARE,
    "m³": Unit("세제곱미터", "cubic meter", "cubic meters"),
    "km": _metric("킬로미터", "kilometer"),
    "㎞": _metric("킬로미터", "kilometer"),
    "cm": _metric("센티미터", "centimeter"),
    "㎝": _metric("센티미터", "centimeter"),
    "mm": _metric("밀리미터", "millimeter"),
    "m": _metric("미터", "meter"),
    "kg": _metric("킬로그램", "kilogram"),
    "㎏": _metric("킬로그램", "kilogram"),
    "mg": _metric("밀리그램", "milligram"),
    "g": _metric("그램", "gram"),
    "t": _metric("톤", "ton"),
    "mL": _metric("밀리리터", "milliliter"),
    "ml": _metric("밀리리터", "milliliter"),
    "L": _metric("리터", "liter"),
    "KB": _metric("킬로바이트", "kilobyte"),
    "kB": _metric("킬로바이트", "kilobyte"),
    "MB": _metric("메가바이트", "megabyte"),
    "GB": _metric("기가바이트", "gigabyte"),
    "TB": _metric("테라바이트", "terabyte"),
    "Hz": Unit("헤르츠", "hertz", "hertz"),
    "kHz": Unit("킬로헤르츠", "kilohertz", "kilohertz"),
    "MHz": Unit("메가헤르츠", "megahertz", "megahertz"),
    "GHz": Unit("기가헤르츠", "gigahertz", "gigahertz"),
    "kWh": _metric("킬로와트시", "kilowatt hour"),
    "kW": _metric("킬로와트", "kilowatt"),
    "W": _metric("와트", "watt"),
    "V": _metric("볼트", "volt"),
    "mAh": Unit("밀리암페어시", "milliamp hour", "milliamp hours"),
    "ms": _metric("밀리초", "millisecond"),
    "px": _metric("픽셀", "pixel"),
    "dB": _metric("데시벨", "decibel"),
    "fps": Unit("프레임 매 초", "frame per second", "frames per second"),
    "ft": Unit("피트", "foot", "feet"),
    "lb": _metric("파운드", "pound"),
    "lbs": _metric("파운드", "pound"),
    "oz": _metric("온스", "ounce"),
}
SYMBOL: Final = (
    "(?:"
    + "|".join(re.escape(symbol) for symbol in sorted(UNITS, key=len, reverse=True))
    + ")(?![A-Za-z0-9'’²³]|-[A-Za-z])"
)
"""A unit's symbol, the longest first; it is no part of a word."""

CURRENCIES: Final[dict[str, tuple[Unit, Unit | None]]] = {
    "$": (Unit("달러", "dollar", "dollars"), Unit("센트", "cent", "cents")),
    "€": (Unit("유로", "euro", "euros"), Unit("센트", "cent", "cents")),
    "£": (Unit("파운드", "pound", "pounds"), Unit("펜스", "penny", "pence")),
    "¥": (Unit("엔", "yen", "yen"), None),
    "₩": (Unit("원", "won", "won"), None),
    "￦": (Unit("원", "won", "won"), None),
}
"""A currency by its sign, and its hundredth where there is one."""
