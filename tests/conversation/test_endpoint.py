"""The end of a turn, on tracks of voice and words in virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.audio import spans
from aimark_daemon.conversation import endpoint
from aimark_daemon.conversation.endpoint import (
    LONGEST_S,
    MANY,
    Began,
    Dropped,
    Ended,
    Endpoint,
    Paused,
    Pauses,
    Resumed,
    Rules,
)

BLOCK_S = 0.032


class Track:
    """Says and pauses, block by block; words come `late_s` after a pause began."""

    def __init__(self, late_s=0.1, rules=None, pauses=None):
        self.endpoint = Endpoint(rules, pauses)
        self.blocks, self.late_s = 0, late_s
        self.decisions = []

    @property
    def now(self):
        return self.blocks * BLOCK_S

    def block(self, probability):
        self.blocks += 1
        self.decisions += self.endpoint.voice(probability, self.now)

    def say(self, seconds, probability=0.95):
        for _ in range(round(seconds / BLOCK_S)):
            self.block(probability)
        return self

    def pause(self, seconds, text=None):
        since, told = self.now, text is None
        for _ in range(round(seconds / BLOCK_S)):
            self.block(0.02)
            if not told and self.now - since >= self.late_s:
                told = True
                self.decisions += self.endpoint.words(text, since)
        return self

    def of(self, kind):
        return [decision for decision in self.decisions if isinstance(decision, kind)]

    def hold(self, text):
        """How long a pause after these words is held until the turn ends."""
        self.say(1.0).pause(5.0, text)
        ended = self.of(Ended)[-1]
        return ended.at_s - ended.voiced_end_s


def test_the_thresholds_are_those_of_the_detector():
    assert (endpoint.VOICED, endpoint.UNVOICED) == (spans.VOICED, spans.UNVOICED)


@pytest.mark.parametrize("text", ["지금 몇 시예요?", "불 꺼 줘.", "What time is it?"])
def test_words_that_sound_finished_end_soon(text):
    assert 0.25 <= Track().hold(text) <= 0.25 + BLOCK_S


@pytest.mark.parametrize("text", ["어제 친구를 만났는데", "음", "I want to go to the"])
def test_words_that_sound_unfinished_are_given_time(text):
    assert 0.9 <= Track().hold(text) <= 1.2 + BLOCK_S


@pytest.mark.parametrize("text", ["오늘 날씨", "the weather tomorrow"])
def test_words_that_sound_neither_way_are_given_some_time(text):
    assert 0.5 <= Track().hold(text) <= 0.5 + BLOCK_S


def test_words_that_are_late_are_waited_for_and_end_the_turn_at_once():
    track = Track(late_s=0.8).say(1.0).pause(2.0, "지금 몇 시예요?")
    (ended,) = track.of(Ended)
    assert ended.at_s - ended.voiced_end_s == pytest.approx(0.8, abs=2 * BLOCK_S)


def test_words_that_never_come_hold_nothing_for_long():
    track = Track().say(1.0).pause(5.0)
    assert track.of(Ended)[0].at_s - track.of(Ended)[0].voiced_end_s <= 1.2 + BLOCK_S


def test_the_soft_end_comes_first_and_speech_takes_it_back():
    track = Track().say(1.0).pause(0.2).say(1.0).pause(2.0, "불 꺼 줘")
    assert [type(d) for d in track.decisions] == [Began, Paused, Resumed, Paused, Ended]
    assert track.of(Paused)[0].voiced_end_s == pytest.approx(1.0, abs=BLOCK_S)


def test_a_hesitation_after_unfinished_words_does_not_cut_the_speaker_off():
    track = Track().say(1.2).pause(0.8, "내일 비가 오면").say(1.0).pause(2.0, "내일 비가 오면 집에 있을게요")
    assert len(track.of(Ended)) == 1


def test_the_gap_inside_a_word_is_no_pause():
    track = Track().say(0.5).pause(0.064).say(0.5).pause(1.0, "네.")
    assert [type(d) for d in track.decisions] == [Began, Paused, Ended]


def test_who_pauses_long_is_given_longer():
    quick, slow = Track(), Track()
    for _ in range(6):
        slow.say(0.8).pause(0.45, "그래서")
    slow.pause(3.0)
    assert slow.hold("불 꺼 줘.") > quick.hold("불 꺼 줘.") + 0.2


def test_an_end_that_came_too_early_teaches_patience():
    track = Track()
    before = track.hold("불 꺼 줘.")
    for _ in range(4):
        track.say(0.6).pause(0.5, "불 꺼 줘.")
    track.pause(3.0)
    assert track.hold("불 꺼 줘.") > before + 0.2


def test_clicks_are_no_speech():
    track = Track()
    for _ in range(50):
        track.say(0.064).pause(0.3)
    assert track.decisions == []


def test_sound_without_words_is_dropped():
    track = Track().say(3.0).pause(2.0, "")
    assert [type(d) for d in track.decisions] == [Began, Paused, Dropped]
    assert not track.endpoint.speaking


def test_voice_that_flickers_in_the_pause_holds_the_question_no_longer():
    track = Track().say(1.0)
    for _ in range(100):
        track.pause(0.032).say(0.032)
    ended = track.of(Ended)[0]
    assert ended.at_s - ended.voiced_end_s <= LONGEST_S + 2 * BLOCK_S


def test_noise_that_adds_no_words_holds_the_question_no_longer_than_the_cap():
    track = Track(late_s=0.1).say(1.0)
    for _ in range(30):
        track.pause(0.2, "내일 비가 오면").say(0.1)
    ended = track.of(Ended)[0]
    assert ended.why == "cap"
    assert ended.at_s <= 1.0 + Rules().cap_s + 0.5


def test_ten_minutes_without_a_pause_end_at_the_limit_each_time():
    track = Track().say(600.0)
    assert {ended.why for ended in track.of(Ended)} == {"limit"}
    assert len(track.of(Ended)) == 5
    assert all(e.at_s - e.start_s <= Rules().limit_s + BLOCK_S for e in track.of(Ended))


def test_words_of_an_earlier_pause_decide_nothing():
    track = Track().say(1.0).pause(0.2).say(1.0)
    track.pause(0.3)
    assert track.endpoint.words("불 꺼 줘.", 1.0) == []
    assert not track.of(Ended)


def test_the_next_utterance_is_heard_after_the_end_of_the_first():
    track = Track()
    for _ in range(5):
        track.say(0.7).pause(3.0, "네.")
    assert [type(d) for d in track.decisions] == [Began, Paused, Ended] * 5


@given(st.lists(st.floats(0.0, 1.0), max_size=400), st.sampled_from(["", "네.", "그리고", None]))
def test_whatever_is_heard_decisions_follow_each_other_in_order(probabilities, text):
    track, open_, paused = Track(), False, False
    for probability in probabilities:
        track.block(probability)
        if text is not None:
            track.decisions += track.endpoint.words(text, track.now)
    for decision in track.decisions:
        match decision:
            case Began():
                assert not open_
                open_ = True
            case Paused():
                assert open_
                assert not paused
                paused = True
            case Resumed():
                assert paused
                paused = False
            case Ended() | Dropped():
                assert open_
                open_ = paused = False
    assert track.endpoint.speaking == open_


@given(st.floats(0.3, 3.0), st.sampled_from(["네.", "그리고", "오늘 날씨", "and", ""]), st.floats(0.0, 3.0))
def test_silence_always_ends_a_turn_within_the_bounds(spoken, text, late):
    track = Track(late_s=late).say(spoken).pause(6.0, text)
    ended = track.of(Ended) + track.of(Dropped)
    assert len(ended) == 1
    assert 0.25 <= ended[0].at_s - ended[0].voiced_end_s <= 1.2 + 2 * BLOCK_S


@given(st.lists(st.floats(-1.0, 100.0), max_size=200))
def test_the_usual_pause_is_bounded_whatever_is_learnt(lengths):
    pauses = Pauses()
    for length in lengths:
        pauses.learn(length)
    assert 0.0 <= pauses.usual_s <= LONGEST_S
    assert len(pauses._lengths) <= MANY
