"""Watchdog and backoff on virtual time."""

from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.workers.base import WorkerSpec
from aimark_daemon.workers.patience import DELAYS_S, MAX_FAILED_STARTS, Backoff, Overdue, Watch

SPEC = WorkerSpec("llm", "m:C", hello_timeout_s=5, load_timeout_s=30, heartbeat_timeout_s=4, progress_timeout_s=20)


def run(watch: Watch, start: float, seconds: float, *, stalled_from: float | None = None, beats: bool = True):
    """Ask every interval, with heartbeats in between; the time and kind of the first overdue."""
    now = start
    while now < start + seconds:
        now += watch.interval_s
        if beats:
            watch.beat(now, 0.0 if stalled_from is None else now - stalled_from)
        if found := watch.overdue(now):
            return found, now - start
    return None, now - start


def ready(now: float = 0.0) -> Watch:
    watch = Watch(SPEC, now)
    watch.hello(now)
    watch.loaded(now)
    return watch


def test_a_child_that_says_no_hello_is_overdue_after_the_hello_timeout():
    found, after = run(Watch(SPEC, 0.0), 0.0, 60, beats=False)
    assert found is Overdue.HELLO
    assert 5 < after <= 6


def test_a_silent_child_is_overdue_after_the_heartbeat_timeout():
    found, after = run(ready(), 0.0, 60, beats=False)
    assert found is Overdue.HEARTBEAT
    assert 4 < after <= 5


def test_a_beating_idle_child_is_never_overdue():
    assert run(ready(), 0.0, 1000)[0] is None


def test_a_load_without_progress_is_overdue_after_the_load_timeout():
    watch = Watch(SPEC, 0.0)
    watch.hello(0.0)
    found, after = run(watch, 0.0, 60, stalled_from=0.0)
    assert found is Overdue.LOAD
    assert 30 < after <= 31


def test_work_without_progress_is_overdue_after_the_progress_timeout():
    found, after = run(ready(), 0.0, 60, stalled_from=0.0)
    assert found is Overdue.PROGRESS
    assert 20 < after <= 21


@given(st.floats(10, 1e6))
def test_a_suspended_computer_kills_no_child(asleep):
    watch = ready()
    assert watch.overdue(watch.interval_s) is None
    assert watch.overdue(watch.interval_s + asleep) is None
    assert run(watch, watch.interval_s + asleep, 100)[0] is None


@given(st.lists(st.floats(0, 59), max_size=20))
def test_the_delay_grows_with_every_death_and_stays_at_the_longest(lives):
    backoff = Backoff()
    delays = [backoff.after_death(ready_s) for ready_s in lives]
    assert delays == [DELAYS_S[min(n, len(DELAYS_S) - 1)] for n in range(len(lives))]


def test_a_minute_of_health_resets_the_delay():
    backoff = Backoff()
    for _ in range(4):
        backoff.after_death(1.0)
    assert backoff.after_death(60.0) == 0.0


def test_a_child_that_worked_is_replaced_at_once():
    backoff = Backoff()
    for _ in range(4):
        backoff.after_death(1.0)
    assert [backoff.after_death(1.0, worked=True) for _ in range(3)] == [0.0] * 3
    assert backoff.after_death(1.0) == DELAYS_S[1]


def test_a_child_that_never_gets_ready_is_given_up():
    backoff = Backoff()
    delays = [backoff.after_death(None) for _ in range(MAX_FAILED_STARTS)]
    assert delays[-1] is None
    assert None not in delays[:-1]


def test_one_good_start_among_failed_ones_begins_the_count_anew():
    backoff = Backoff()
    for _ in range(3 * MAX_FAILED_STARTS):
        assert backoff.after_death(None) is not None
        assert backoff.after_death(0.1) is not None
