"""How Korean is read aloud: numbers, counters, times, money, units, addresses, and particles that fit."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimark_daemon.conversation.numbers_ko import agree, decimal, native, sino
from aimark_daemon.conversation.reading_ko import read_korean
from aimark_daemon.conversation.speakable import speakable

READ = """
3개 | 세 개
사과 1개와 배 2개 | 사과 한 개와 배 두 개
5명이 왔어요 | 다섯 명이 왔어요
20명 | 스무 명
21살이에요 | 스물한 살이에요
99살 | 아흔아홉 살
100개 | 백 개
7마리 | 일곱 마리
1번 | 한 번
1번째, 2번째, 20번째 | 첫 번째, 두 번째, 스무 번째
제1번 | 제일번
커피 2잔 | 커피 두 잔
책 12권 | 책 열두 권
3시간 | 세 시간
24시간 | 이십사 시간
3개월 | 삼개월
4개국 | 사개국
1달 | 한 달
2배 | 두 배
20대 | 이십대
자동차 2대 | 자동차 두 대
제3장 | 제삼장
제2과 | 제이과
3시 15분 | 세 시 십오분
12시 30분에 | 열두 시 삼십분에
10:30에 만나요 | 열 시 삼십 분에 만나요
오후 3:00 | 오후 세 시
14:05 | 십사 시 오 분
10:30:15 | 열 시 삼십 분 십오 초
9:15 AM | 오전 아홉 시 십오 분
10:00~11:30 | 열 시에서 열한 시 삼십 분
30초 | 삼십초
15분 | 십오분
2024년 3월 5일 | 이천이십사년 삼월 오일
6월 10일 | 유월 십일
10월 6일 | 시월 육일
2024-01-05 | 이천이십사년 일월 오일
2024.10.6 | 이천이십사년 시월 육일
2024. 1. 5.에 | 이천이십사년 일월 오일에
3층 | 삼층
2위 | 이위
12345 | 만 이천삼백사십오
10000 | 만
100000000 | 일억
1억 2,000만 원 | 일억 이천만 원
3만 5천 원 | 삼만 오천 원
9,999,999원 | 구백구십구만 구천구백구십구원
1,000원 | 천원
₩5,000을 | 오천 원을
$5 | 오 달러
$3.50 | 삼 달러 오십 센트
$15억 | 십오억 달러
€20 | 이십 유로
3.14 | 삼 점 일사
0.5 | 영 점 오
.25 | 점 이오
50% | 오십 퍼센트
12.5%가 | 십이 점 오 퍼센트가
5%은 | 오 퍼센트는
3이 좋아요 | 삼이 좋아요
2이 좋아요 | 이가 좋아요
2을 | 이를
3를 | 삼을
6는 | 육은
1으로 | 일로
3로 | 삼으로
7으로 | 칠로
2이에요 | 이예요
3예요 | 삼이에요
3과 4 | 삼과 사
010-1234-5678로 | 공일공, 일이삼사, 오육칠팔로
02-123-4567 | 공이, 일이삼, 사오육칠
1588-1234 | 일오팔팔, 일이삼사
+82-10-1234-5678 | 플러스 팔이, 일공, 일이삼사, 오육칠팔
119에 전화하세요 | 일일구에 전화하세요
007 | 공공칠
3~5개 | 세 개에서 다섯 개
3-5명 | 세 명에서 다섯 명
10~20% | 십 퍼센트에서 이십 퍼센트
2020~2024년 | 이천이십년에서 이천이십사년
25°C | 이십오 도
-5°C | 영하 오 도
-5 | 마이너스 오
5km | 오 킬로미터
100km/h | 시속 백 킬로미터
16GB는 | 십육 기가바이트는
2.4GHz | 이 점 사 기가헤르츠
30m² | 삼십 제곱미터
1/2 | 이 분의 일
3:2 | 삼 대 이
2+3=5 | 이 더하기 삼은 오
5 - 3 = 2 | 오 빼기 삼은 이
1.2.3 | 일 점 이 점 삼
GPT-4는 좋아요 | 지피티 사는 좋아요
AI가 | 에이아이가
NASA | 나사
C++로 | 씨 플러스 플러스로
MP3 | 엠피쓰리
Python은 | 파이썬은
kim.a@naver.com | kim 점 a 골뱅이 naver 닷컴
naver.com을 | naver 닷컴을
R&D | 알 앤 디
3·1절 | 삼일절
6.25 전쟁 | 육이오 전쟁
채널 3개와 4채널 | 채널 세 개와 사채널
4대강 | 사대강
20만 개 | 이십만 개
0시 | 영 시
1박 2일 | 일박 이일
빨강·파랑 | 빨강 파랑
좋아요ㅋㅋ | 좋아요
그래요~ | 그래요
""".strip().splitlines()
CASES = [tuple(line.split(" | ")) for line in READ]
PLAIN_WORDS = ["안녕하세요", "사과", "오늘은", "hello", "Visual", "정말", "값이", "닭을"]
PARTS = st.sampled_from(
    [*"0123456789", "3.14", "1,000", "10:30", "2024-01-05", "010-1234-5678", "%", "$", "₩", "km", "개", "시"]
)
ANY = st.lists(
    PARTS | st.sampled_from([*" ~-./:@#&+=()", "번째", "를", "으로", "만", "A", "GPT"]) | st.text(max_size=3),
    max_size=25,
)


@pytest.mark.parametrize(("written", "said"), CASES, ids=[written for written, _ in CASES])
def test_what_is_written_is_said_as_a_korean_would(written, said):
    assert read_korean(written) == said


@pytest.mark.parametrize(("written", "said"), CASES, ids=[written for written, _ in CASES])
def test_decomposed_text_is_said_alike_and_what_was_said_stays(written, said):
    assert speakable(unicodedata.normalize("NFD", written), "ko") == said
    assert speakable(said, "ko") == said


def test_there_are_enough_cases():
    assert len(set(CASES)) >= 60


@given(ANY.map("".join))
@example("1" * 5000 + "번째")
@example("٣개")
@example("²")
def test_no_text_fails_and_no_digit_is_left_to_the_voice(text):
    said = speakable(text, "ko")
    assert not set(said) & set("0123456789")


@given(st.lists(st.sampled_from(PLAIN_WORDS) | st.integers(0, 10**9).map(str), min_size=1, max_size=12))
def test_no_word_is_lost_and_their_order_stays(words):
    said = speakable(" ".join(words), "ko")
    at = 0
    for word in words:
        spoken = sino(int(word)) if word.isdigit() else word
        at = said.index(spoken, at) + len(spoken)


@given(st.integers(0, 10**20 - 1))
def test_a_number_can_be_reckoned_back_from_its_words(number):
    assert reckoned(sino(number)) == number


def reckoned(said):
    total = group = digit = 0
    for char in said.replace(" ", ""):
        if char in "영일이삼사오육칠팔구":
            digit = "영일이삼사오육칠팔구".index(char)
        elif char in "십백천":
            group, digit = group + (digit or 1) * 10 ** ("십백천".index(char) + 1), 0
        else:
            total, group, digit = total + (group + digit or 1) * 10 ** (4 * ("만억조경".index(char) + 1)), 0, 0
    return total + group + digit


def test_native_numbers_differ_and_twenty_is_a_word_of_its_own():
    said = [native(number) for number in range(1, 100)]
    assert len(set(said)) == 99
    assert (said[0], said[3], said[19], said[20], said[98]) == ("한", "네", "스무", "스물한", "아흔아홉")


@pytest.mark.parametrize(
    ("said", "particle", "fits"),
    [
        ("삼", "가", "이"),
        ("이", "은", "는"),
        ("칠", "으로", "로"),
        ("삼", "로", "으로"),
        ("오", "과", "와"),
        ("abc", "은", "은"),
    ],
)
def test_a_particle_fits_the_sound_before_it(said, particle, fits):
    assert agree(said, particle) == fits


@given(st.integers(0, 10**6), st.sampled_from(["이", "가", "은", "는", "을", "를", "으로", "로", "과", "와"]))
def test_a_particle_behind_a_number_fits_in_either_form(number, particle):
    said = read_korean(f"{number}{particle} 좋다").removesuffix(" 좋다")
    number_said = decimal(str(number))
    assert said == number_said + agree(number_said, particle)
