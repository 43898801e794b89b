"""Whether words sound finished, in both languages."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.finished import Ending, ending_of

KOREAN = {
    Ending.FINISHED: [
        "오늘 날씨 어때요",
        "지금 몇 시야?",
        "커피 한 잔 줘",
        "불 좀 꺼 줘.",
        "파란색으로 바꿔줘",
        "내일 비가 올까",
        "서울까지 얼마나 걸립니까",
        "어디로 가면 됩니까?",
        "그건 제가 할게요",
        "이게 맞죠",
        "회의는 세 시에 시작합니다",
        "벌써 다 먹었다",
        "음악 틀어 주세요",
        "알람을 여섯 시로 맞춰 줄래",
        "이게 뭐라고?",
        "지금 뭐 하는데?",
        "이것은 무엇인가",
        "괜찮네",
        "같이 가자",
        "최고!",
        "네",
        "창문을 열어",
    ],
    Ending.OPEN: [
        "어제 친구를 만났는데",
        "날씨가 좋아서",
        "비가 오니까",
        "밥을 먹고",
        "밥을 먹고.",
        "그리고",
        "음",
        "오늘은 음...",
        "어",
        "서울에서",
        "시간이 없지만",
        "내일 비가 오면",
        "집에 가서",
        "운동해서",
        "영화를 보면서",
        "내가 말한 건데",
        "좋은 생각인데.",
        "친구한테",
        "숙제를 하려고",
        "커피를",
        "오늘 날씨는",
        "그러니까",
        "사과, 배,",
        "길을 걷다가",
        "불을 켜고",
    ],
    Ending.UNKNOWN: [
        "오늘 날씨",
        "서울",
        "새로 나온 광고",
        "휴대폰 화면",
        "질문이 있는데요",
        "아름다운 바다",
        "다섯 시까지",
        "컴퓨터",
        "이 문서",
        "",
    ],
}
ENGLISH = {
    Ending.FINISHED: [
        "What time is it?",
        "Turn the light on.",
        "Tell me a joke.",
        "What is it about?",
        "Where are you from?",
        "Who are you talking to?",
        "Yes!",
        "Thank you.",
        "in being comparatively modern.",
        "has never been surpassed.",
        "Do you know?",
        "What is it like?",
        "I think so.",
        "Play it more.",
        "Do you like that?",
        "Call my mother, please.",
        "It does not work that well.",
        "What did he do?",
        "Is that all there is?",
        "Set a timer for ten minutes.",
    ],
    Ending.OPEN: [
        "I was thinking and",
        "I was thinking and.",
        "Tell me about the",
        "Tell me about the.",
        "Can you um",
        "Um.",
        "Uh",
        "I want to go to",
        "I want to go to.",
        "Because",
        "It is raining but",
        "So",
        "Well,",
        "Turn on the light in my",
        "What I mean is",
        "It is, you know",
        "I mean",
        "If",
        "one, two,",
        "I was going...",
        "And then I",
        "Let's",
        "a story of",
        "She said that",
        "produced the block books,",
    ],
    Ending.UNKNOWN: [
        "what time",
        "the weather tomorrow",
        "Yes it is.",
        "hello",
        "what are you waiting for",
        "",
        "...",
    ],
}
CASES = [(text, ending) for table in (KOREAN, ENGLISH) for ending, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "ending"), CASES, ids=[text or "nothing" for text, _ in CASES])
def test_the_last_words_tell_whether_more_follows(text, ending):
    assert ending_of(text) is ending
    assert ending_of(unicodedata.normalize("NFD", text)) is ending
    assert ending_of(f'  "{text}" ') is ending


def test_the_tables_are_large_enough_to_mean_something():
    for table in (KOREAN, ENGLISH):
        assert sum(map(len, table.values())) >= 40


@given(st.text(max_size=60))
def test_any_text_has_an_ending(text):
    assert ending_of(text) in Ending


@given(st.sampled_from(KOREAN[Ending.OPEN]), st.text(alphabet="가나다 라마바", max_size=20))
def test_what_was_said_before_a_korean_connective_does_not_finish_it(last, before):
    if last != "음":
        assert ending_of(f"{before} {last}") is Ending.OPEN


@given(st.sampled_from([e for e in ENGLISH[Ending.OPEN] if len(e.split()) > 1]), st.sampled_from(["?", "."]))
def test_an_article_is_never_the_end_of_an_english_sentence(before, mark):
    assert ending_of(f"{before} the{mark}") is Ending.OPEN
