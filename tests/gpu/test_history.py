"""The ring of samples, rates and retries: pure, with time as an argument."""

from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.gpu.history import History
from aimark_daemon.gpu.rates import Retry, Share

gaps = st.lists(st.floats(0.0, 400.0), max_size=200)
names = st.sampled_from(["cpu", "gpu.0.vram_used", "worker.llm.rss"])
rows = st.dictionaries(names, st.floats(0, 1e12), max_size=3)


@given(gaps, st.data())
def test_the_ring_holds_the_last_ten_minutes_in_order_and_nothing_else(gaps, data):
    history, now, added = History(), 1000.0, []
    for gap in gaps:
        now += gap
        row = data.draw(rows)
        if history.add(now, row):
            added.append((now, row))
    ages, series = history.series(now)
    expected = [(at, row) for at, row in added if now - at <= 600.0]
    assert list(history) == expected
    assert list(ages) == [now - at for at, _ in expected]
    assert list(ages) == sorted(ages, reverse=True)
    for name, values in series.items():
        assert list(values) == [row.get(name) for _, row in expected]
    assert set(series) == {name for _, row in expected for name in row}


@given(st.floats(0.01, 30.0), st.integers(1, 3000))
def test_however_often_there_are_samples_the_ring_is_bounded(interval, count):
    history = History(span_s=100.0, step_s=1.0)
    for number in range(count):
        history.add(number * interval, {"cpu": 1.0})
    assert len(history) <= 201


def test_a_steady_second_is_kept_whole_though_the_timer_is_never_exact():
    history = History()
    kept = [history.add(1000.0 + number + (-1) ** number * 0.02, {"cpu": 0.0}) for number in range(1200)]
    assert all(kept)
    assert 600 <= len(history) <= 601


def test_a_figure_that_is_not_known_is_null_beside_those_that_are():
    history = History()
    history.add(0.0, {"cpu": 1.0})
    history.add(1.0, {"cpu": 2.0, "gpu.0.vram_used": 3.0})
    assert history.series(1.0) == ((1.0, 0.0), {"cpu": (1.0, 2.0), "gpu.0.vram_used": (None, 3.0)})


@given(st.lists(st.tuples(st.floats(0.01, 100.0), st.floats(0.0, 1.0)), min_size=1, max_size=30))
def test_a_share_is_the_part_of_the_time_that_was_busy(steps):
    share, now, busy = Share(), 0.0, 0.0
    assert share.at(now, busy) is None
    for elapsed, part in steps:
        now, busy = now + elapsed, busy + elapsed * part
        assert abs(share.at(now, busy) - 100.0 * part) < 0.01


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_share_is_never_invented_when_clock_or_counter_go_back(first, second, busy_first, busy_second):
    share = Share()
    share.at(first, busy_first)
    value = share.at(second, busy_second)
    assert (value is None) == (second <= first or busy_second < busy_first)
    assert value is None or value >= 0


@given(st.lists(st.booleans(), max_size=60))
def test_waits_double_up_to_the_longest_and_begin_anew_after_a_good_while(outcomes):
    retry, now, streak, expected = Retry(), 0.0, 0, 0.0
    for failed in outcomes:
        now += 61.0
        assert retry.due(now)
        if failed:
            expected = min(60.0, max(1.0, 2 * expected))
            retry.failed(now)
            streak = 0
            assert not retry.due(now + expected - 0.001)
            assert retry.due(now + expected)
        else:
            streak += 1
            forgotten = retry.worked(now)
            assert forgotten == (streak > 1)
            if forgotten:
                expected = 0.0


def test_a_driver_that_works_for_a_moment_is_not_trusted_at_once():
    retry = Retry()
    for now in (0.0, 10.0, 20.0):
        retry.failed(now)
    assert not retry.worked(30.0)
    retry.failed(31.0)
    assert not retry.due(31.0 + 7.9)
    assert retry.due(31.0 + 8.0)
