"""What worked is kept across restarts and damage."""

import msgspec
import pytest

from aimark_daemon.gpu.last_good import MOST, Key, LastGoodPlans
from aimark_daemon.gpu.plan import Card, Memory, Wish, plan
from aimark_daemon.gpu.recall import LastGood
from bench.plan_table import SHAPES, facts_of

GOOD = LastGood(plan(facts_of(SHAPES["4B"]), Memory(cards=(Card(8 << 30),)), Wish()), 3 << 30, 8 << 30)
KEY = Key("abc", Wish(), "0.3.36", "GPU-1 570.1")


def test_a_plan_comes_back_as_it_was(tmp_path):
    LastGoodPlans(tmp_path / "새 폴더" / "plans.json").put(KEY, GOOD)
    assert LastGoodPlans(tmp_path / "새 폴더" / "plans.json").get(KEY) == GOOD
    assert [path.name for path in (tmp_path / "새 폴더").iterdir()] == ["plans.json"]


@pytest.mark.parametrize(
    "change",
    [{"model": "abd"}, {"wish": Wish(context=512)}, {"engine": "0.3.37"}, {"machine": "GPU-2 570.1"}],
    ids=["model", "wish", "engine", "machine"],
)
def test_any_other_key_has_no_plan(tmp_path, change):
    plans = LastGoodPlans(tmp_path / "plans.json")
    plans.put(KEY, GOOD)
    assert plans.get(msgspec.structs.replace(KEY, **change)) is None


def test_the_newest_plan_of_a_key_counts_and_old_keys_make_room(tmp_path):
    plans = LastGoodPlans(tmp_path / "plans.json")
    plans.put(KEY, GOOD)
    plans.put(KEY, msgspec.structs.replace(GOOD, taken=1))
    assert plans.get(KEY).taken == 1
    for n in range(MOST):
        plans.put(msgspec.structs.replace(KEY, model=f"m{n}"), GOOD)
    assert plans.get(KEY) is None
    assert len(msgspec.json.decode((tmp_path / "plans.json").read_bytes())) == MOST


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'[{"key": {}}]'])
def test_a_damaged_file_counts_as_empty_and_is_written_anew(tmp_path, content):
    (tmp_path / "plans.json").write_bytes(content)
    plans = LastGoodPlans(tmp_path / "plans.json")
    assert plans.get(KEY) is None
    plans.put(KEY, GOOD)
    assert plans.get(KEY) == GOOD


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    plans = LastGoodPlans(tmp_path / "data" / "plans.json")
    plans.put(KEY, GOOD)
    assert plans.get(KEY) is None
