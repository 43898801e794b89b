"""How English is read aloud: numbers, dates, times, money, units, addresses and abbreviations."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimark_daemon.conversation.numbers_en import cardinal, ordinal, year
from aimark_daemon.conversation.reading_en import read_english
from aimark_daemon.conversation.speakable import speakable

READ = """
3 apples | three apples
21 | twenty-one
100 | one hundred
115 | one hundred fifteen
1234 | one thousand two hundred thirty-four
1,234,567 | one million two hundred thirty-four thousand five hundred sixty-seven
10000 | ten thousand
0 | zero
3.14 | three point one four
0.5 | zero point five
.5 | point five
1,234.5 | one thousand two hundred thirty-four point five
1st | first
22nd | twenty-second
13th | thirteenth
20th | twentieth
the 21st century | the twenty-first century
100th | one hundredth
In 1905 | In nineteen oh five
2024 | twenty twenty-four
2008 | two thousand eight
2000 | two thousand
1900 | nineteen hundred
the 1990s | the nineteen nineties
in her 20s | in her twenties
1990-1995 | nineteen ninety to nineteen ninety-five
2020–2024 | twenty twenty to twenty twenty-four
50% | fifty percent
12.5% | twelve point five percent
10–20% | ten to twenty percent
$5 | five dollars
$1 | one dollar
$3.50 | three dollars and fifty cents
$1,234.56 | one thousand two hundred thirty-four dollars and fifty-six cents
$5 million | five million dollars
$5-10 | five dollars to ten dollars
€20 | twenty euros
₩1,000 | one thousand won
£0.99 | zero pounds and ninety-nine pence
10:30 | ten thirty
10:05 | ten oh five
10:00 | ten o'clock
3pm | three PM
10:30 AM | ten thirty AM
9 a.m. today | nine AM today
14:00 | fourteen hundred
January 5, 2024 | January fifth, twenty twenty-four
Jan. 5 | January fifth
March 3rd | March third
May 2024 | May twenty twenty-four
2024-01-05 | January fifth, twenty twenty-four
1/5/2024 | January fifth, twenty twenty-four
555-123-4567 | five five five, one two three, four five six seven
(555) 123-4567 | five five five, one two three, four five six seven
+82-10-1234-5678 | plus eight two, one zero, one two three four, five six seven eight
3-5 days | three to five days
5 km | five kilometers
1 km | one kilometer
100 km/h | one hundred kilometers per hour
16GB | sixteen gigabytes
2.4 GHz | two point four gigahertz
12 ft | twelve feet
25°C | twenty-five degrees Celsius
-5°C | minus five degrees Celsius
It is -5 | It is minus five
1/2 | one half
3/4 | three quarters
2/3 | two thirds
7/2 | seven over two
#1 | number one
No. 5 | number five
R&D | R and D
2+3=5 | two plus three equals five
5 - 3 = 2 | five minus three equals two
Dr. Kim | Doctor Kim
Mr. and Mrs. Lee | Mister and Missus Lee
e.g. this | for example this
and so on, etc. | and so on, et cetera.
a.kim@naver.com | a dot kim at naver dot com
naver.com is | naver dot com is
1.2.3 | one point two point three
GPT-4 | GPT four
H2O | H two O
C++ and C# | C plus plus and C sharp
and/or | and or
007 | zero zero seven
It is 5. | It is five.
""".strip().splitlines()
CASES = [tuple(line.split(" | ")) for line in READ]
PLAIN_WORDS = ["apples", "Seoul", "the", "and", "snake_case", "it's", "안녕"]
PARTS = st.sampled_from(
    [*"0123456789", "3.14", "1,000", "10:30", "2024-01-05", "555-123-4567", "%", "$", "km", "st", "s", "am"]
)
ANY = st.lists(
    PARTS | st.sampled_from([*" ~-./:@#&+=()", "Dr.", "Jan. ", "A", "C++"]) | st.text(max_size=3), max_size=25
)


@pytest.mark.parametrize(("written", "said"), CASES, ids=[written for written, _ in CASES])
def test_what_is_written_is_said_as_a_speaker_of_english_would(written, said):
    assert read_english(written) == said
    assert speakable(said) == said


def test_there_are_enough_cases():
    assert len(set(CASES)) >= 60


def test_what_is_no_date_is_read_as_numbers():
    assert "January" not in read_english("2024-13-05")


@given(ANY.map("".join))
@example("1" * 5000 + "th")
@example("٣")
@example("1/0")
def test_no_text_fails_and_no_digit_is_left_to_the_voice(text):
    assert not set(speakable(text)) & set("0123456789")


@given(st.lists(st.sampled_from(PLAIN_WORDS) | st.integers(3000, 10**9).map(str), min_size=1, max_size=12))
def test_no_word_is_lost_and_their_order_stays(words):
    said = speakable(" ".join(words))
    at = 0
    for word in words:
        spoken = cardinal(int(word)) if word.isdigit() else word
        at = said.index(spoken, at) + len(spoken)


@given(st.integers(0, 10**15 - 1), st.integers(0, 10**15 - 1))
def test_numbers_that_differ_are_said_differently(one, other):
    assert (cardinal(one) == cardinal(other)) == (one == other)
    assert (ordinal(one) == ordinal(other)) == (one == other)


@given(st.integers(1000, 2999))
def test_a_year_has_no_more_words_than_the_number(number):
    assert len(year(number).split()) <= len(cardinal(number).split())
