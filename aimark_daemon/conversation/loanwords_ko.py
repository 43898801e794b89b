"""Latin letters in a Korean sentence: acronyms by the Korean names of their letters, common words as Korean says them.

Pure. Words that are not here stay as they are: a Korean voice reads them letter by letter or as English.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = (
    "에이 비 씨 디 이 에프 지 에이치 아이 제이 케이 엘 엠 엔 오 피 큐 알 에스 티 유 브이 더블유 엑스 와이 지"
)
_LETTERS: Final = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _NAMES.split(), strict=True))


def _table(lines: str) -> dict[str, str]:
    """A table from "Word 말, ..."."""
    return {written: said for entry in lines.split(",") for written, said in [entry.strip().split(" ", 1)]}


_SYMBOLS: Final = _table("C++ 씨 플러스 플러스, C# 씨 샵, F# 에프 샵, .NET 닷넷, Node.js 노드 제이에스")
_WHOLE: Final = _table(
    """MP3 엠피쓰리, MP4 엠피포, A4 에이포, 3D 쓰리디, 2D 투디, 5G 파이브지, 4K 포케이, B2B 비투비, B2C 비투씨,
    K-pop 케이팝, Wi-Fi 와이파이, e-mail 이메일"""
)
_WORDS: Final = _table(
    """NASA 나사, RAM 램, ROM 롬, LAN 랜, SIM 심, NATO 나토, FIFA 피파, JSON 제이슨,
    OPEC 오펙, UNESCO 유네스코, UNICEF 유니세프, COVID 코비드, OK 오케이, WIFI 와이파이,
    PYTHON 파이썬, JAVA 자바, JAVASCRIPT 자바스크립트, LINUX 리눅스, WINDOWS 윈도우,
    GOOGLE 구글, YOUTUBE 유튜브, APPLE 애플, SAMSUNG 삼성, EMAIL 이메일,
    INTERNET 인터넷, APP 앱, WEB 웹, DATA 데이터, FILE 파일, SERVER 서버,
    COMPUTER 컴퓨터, CHATGPT 챗지피티, FACEBOOK 페이스북, MICROSOFT 마이크로소프트,
    ANDROID 안드로이드, IPHONE 아이폰"""
)
"""By the word in capitals, however it is written."""
_LONGEST_SPELLED = 4
_SYMBOL = re.compile(r"(?<![A-Za-z0-9.])(?:" + "|".join(map(re.escape, _SYMBOLS)) + r")(?![A-Za-z0-9+#])")
_WHOLE_WORD = re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(map(re.escape, _WHOLE)) + r")(?![A-Za-z0-9])")
_WORD = re.compile(r"(?<![A-Za-z'’])[A-Za-z]+(?![A-Za-z]|['’][A-Za-z])")


def symbols(text: str) -> str:
    """Names that hold signs or digits, before those are read for themselves."""
    text = _SYMBOL.sub(lambda match: _SYMBOLS[match.group()], text)
    return _WHOLE_WORD.sub(lambda match: _WHOLE[match.group()], text)


def words(text: str) -> str:
    """Acronyms and common words in Hangul."""
    return _WORD.sub(_word, text)


def _word(match: re.Match[str]) -> str:
    word = match.group()
    if known := _WORDS.get(word.upper()):
        return known
    spoken = len(word) <= _LONGEST_SPELLED or not set(word) & set("AEIOU")
    return "".join(_LETTERS[letter] for letter in word) if word.isupper() and spoken else word
