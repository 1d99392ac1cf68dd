"""The measurement of docs/cluster.md runs, and all its ways make the same arms. It asserts no time."""

import pytest

from tests.nayer.cluster.wall_time import WAYS, compared, table

pytestmark = pytest.mark.cluster


def test_it_measures_each_way_once_and_one_thread_gives_one_result():
    lines = compared(1, 1, 240.0).splitlines()
    assert [line.split(" | ")[:2] for line in lines[2:5]] == [[f"| {way}", "1"] for way in WAYS]
    assert lines[5].startswith("8 arms of 1 rounds.")


def test_the_ratio_is_of_the_medians():
    found = {
        way: [{"whole": scale * one, "arms": 1.0} for one in (9.0, 2.0, 4.0)]
        for way, scale in zip(WAYS, (1, 2, 3), strict=True)
    }
    assert "| two nodes | 3 | 12.0 (6.0 to 27.0) | 3.00 | 1.0 (1.0 to 1.0) | 1.00 |" in table(found)
