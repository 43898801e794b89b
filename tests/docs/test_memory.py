"""The tables on the page about memory are what the planner does."""

import pytest

from bench.plan_table import CARDS_GB, SHAPES, table
from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs" / "explanation" / "memory.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("error", [1.0, 1.5])
def test_the_table_of_rungs_is_what_the_planner_does(error):
    lines = table(error)
    assert len(lines) == 2 + len(SHAPES)
    assert all(line.count(" | ") == len(CARDS_GB) for line in (lines[0], *lines[2:]))
    assert "\n".join(lines) in PAGE, "python bench/plan_table.py prints the present ones"
