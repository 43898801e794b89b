"""Manifests: a plugin's constants are read without running it, and say what is missing and what comes first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.plugins.manifest import Manifest, in_order, missing, read_manifest
from aimark_daemon.plugins.strikes import TOO_OFTEN, WITHIN_S, Strikes


def test_constants_are_read_and_nothing_is_run():
    source = '"""글"""\nraise RuntimeError\nAIMARK_API = 1\nREQUIRES = ["a>=2"]\nNEEDS = ("notes",)\nOTHER = open("x")'
    assert read_manifest(source) == Manifest(1, ("a>=2",), ("notes",))
    assert read_manifest("x = 1") == Manifest()


@pytest.mark.parametrize("source", ["REQUIRES = 'httpx'", "NEEDS = [1]", "AIMARK_API = None or 1", "AIMARK_API = '1'"])
def test_a_constant_of_another_kind_is_refused(source):
    with pytest.raises(ValueError, match=r"REQUIRES|api|Expected|AIMARK_API"):
        read_manifest(source)


@pytest.mark.parametrize(
    ("requirements", "unmet"),
    [
        (["here"], []),
        (["here>=1.2", "Here<2"], []),
        (["here>=2"], ["here>=2"]),
        (["gone"], ["gone"]),
        (["gone; python_version < '3'"], []),
        (["gone; extra == 'more'"], []),
        (["here>=2.0.dev0", "gone[x]>=1"], ["here>=2.0.dev0", "gone[x]>=1"]),
    ],
)
def test_only_what_is_not_met_is_missing(requirements, unmet):
    assert missing(requirements, {"here": "1.5", "Here": "1.5"}.get) == unmet


NAMES = st.sampled_from("가나다라마")


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3), max_size=5))
def test_each_comes_after_what_it_needs_unless_it_needs_itself_in_the_end(needs):
    order, cyclic = in_order(needs)
    assert sorted([*order, *cyclic]) == sorted(needs)
    for place, name in enumerate(order):
        assert all(want in order[:place] or want in cyclic or want not in needs for want in needs[name])
    for name in cyclic:
        reached, todo = set(), list(needs[name])
        while todo:
            want = todo.pop()
            if want in needs and want not in reached:
                reached.add(want)
                todo += needs[want]
        assert name in reached


@given(st.lists(st.floats(0, 300), min_size=1, max_size=20))
def test_too_often_is_three_times_within_ten_minutes(gaps):
    strikes, now, times = Strikes(), 0.0, []
    for gap in gaps:
        now += gap
        times.append(now)
        recent = times[-TOO_OFTEN:]
        assert strikes.add("p", now) == (len(recent) == TOO_OFTEN and recent[-1] - recent[0] <= WITHIN_S)
    strikes.forget("p")
    assert not strikes.add("p", now)
