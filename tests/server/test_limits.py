"""The token bucket."""

from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.server.limits import TokenBucket

steps = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 20)), min_size=1, max_size=40)


@given(st.floats(0.5, 50), st.floats(1, 50), steps)
def test_over_any_time_no_more_is_taken_than_the_burst_and_the_rate_allow(rate, burst, moves):
    bucket, now, taken = TokenBucket(rate, burst), 0.0, 0.0
    for passed, amount in moves:
        now += passed
        if bucket.try_take(amount, now):
            taken += amount
    assert taken <= burst + rate * now + 1e-6


@given(st.floats(0.5, 50), st.floats(1, 50), steps)
def test_who_waits_as_told_keeps_the_pace(rate, burst, moves):
    bucket, now, taken = TokenBucket(rate, burst), 0.0, 0.0
    for passed, amount in moves:
        now += passed
        now += bucket.take(amount, now)
        taken += amount
        assert taken <= burst + rate * now + 1e-6


def test_a_clock_that_goes_back_gives_nothing_away():
    bucket = TokenBucket(1.0, 2.0)
    assert bucket.try_take(2.0, 100.0)
    assert not bucket.has(1.0, 50.0)
    assert bucket.has(1.0, 51.0)
