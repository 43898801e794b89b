"""Search in titles and messages."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.store import Store
from tests.store.helpers import plans, talk

CONVERSATIONS = {
    "여행": ("서울에서 부산까지 KTX로 얼마나 걸리나요?", "두 시간 반쯤 걸립니다."),
    "업무": ("내일 회의에 가져갈 자료를 정리해 줘", "회의록과 예산표가 필요합니다."),
    "가족": ("엄마 생일이 다음 주예요 🎂", "케이크는 어떠세요?"),
    "Code": ("Explain generators in Python", "A generator yields values; café() is one. See snake_case."),
    "C++ 질문": ("소수 구하기", "100% 됩니다: a*b"),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("search") / "sessions.db")
    for title, (question, answer) in CONVERSATIONS.items():
        talk(store, store.create_session(title).id, question, answer)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("서울", {"여행"}),
        ("회의", {"업무"}),
        ("생일", {"가족"}),
        ("산", {"여행", "업무"}),
        ("회의록", {"업무"}),
        ("다음 주", {"가족"}),
        ("자료 내일", {"업무"}),
        ("KTX로", {"여행"}),
        ("ktx", {"여행"}),
        ("업무", {"업무"}),
        ("PYTHON", {"Code"}),
        ("gener", {"Code"}),
        ("CAFÉ", {"Code"}),
        (unicodedata.normalize("NFD", "café"), {"Code"}),
        (unicodedata.normalize("NFD", "서울"), {"여행"}),
        ("snake_case", {"Code"}),
        ("🎂", {"가족"}),
        ("C++", {"C++ 질문"}),
        ("a*b", {"C++ 질문"}),
        ("ython", set()),
        ("울서", set()),
        ("회록", set()),
        ("없는말", set()),
        ("서울 회의", set()),
    ],
)
def test_words_are_found_where_they_are_and_only_there(library, query, titles):
    found = {hit.title for hit in library.search(query)}
    if query in ("C++", "a*b"):
        assert titles <= found
    else:
        assert found == titles


@pytest.mark.parametrize("query", ["", " ", '"', "''", "*", "(", "NEAR(", "-", ":", "^", "\x00", "\ud800", ";--", "%"])
def test_a_query_without_words_finds_nothing(library, query):
    assert {hit.title for hit in library.search(query)} <= {"Code"}
    assert len(library.search(query)) <= 1


@settings(max_examples=150, deadline=None)
@given(query=st.text(st.characters()) | st.text("서울회의 \"'*()-:^ANDORNOTNEAR{}[]+,.~\\"), limit=st.integers(-5, 5))
def test_no_query_is_an_error(library, query, limit):
    assert len(library.search(query, limit)) <= max(0, limit)


def test_a_very_long_query_is_no_error(library):
    assert library.search("서울" * 50_000) == []


def test_a_hit_names_its_message_or_is_the_title(library):
    (hit,) = library.search("생일")
    assert "엄마 생일이" in hit.excerpt
    assert hit.message in {message.id for message in library.messages(hit.session)}
    (hit,) = library.search("가족")
    assert hit.message is None
    assert hit.excerpt == "가족"


def test_a_new_title_is_found_and_the_old_one_is_not(store):
    session = store.create_session("옛날 이름").id
    store.rename_session(session, "새로운 이름")
    assert store.search("옛날") == []
    assert [hit.session for hit in store.search("새로운")] == [session]


def test_imported_conversations_are_found(store):
    store.import_text('{"version":1,"sessions":[{"messages":[{"role":"user","content":"김치찌개를 끓이는 법"}]}]}')
    assert [hit.message is None for hit in store.search("찌개")].count(True) == 1
    assert len(store.search("찌개")) == 2


def test_the_search_goes_through_indexes(library):
    plan = plans(library, library.search, "서울")
    assert any(step.startswith("SCAN search VIRTUAL TABLE INDEX") for step in plan)
    assert [step for step in plan if step.startswith("SEARCH")] == [
        "SEARCH message USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
    ]
    assert not any("TEMP B-TREE" in step for step in plan)


hangul = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(before=hangul, word=hangul, particle=hangul)
def test_any_part_of_a_hangul_word_is_found(library, before, word, particle):
    session = library.create_session(f"{before}{word}{particle}").id
    assert session in {hit.session for hit in library.search(word, 10_000)}
    library.delete_session(session)
