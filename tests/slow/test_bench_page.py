"""The bench's view of the page: a real one, started, asked and ended."""

import pytest

from app.benchmark import import_facts, page_facts, viewer_facts


@pytest.mark.slow
def test_the_page_is_started_asked_and_measured():
    facts = page_facts("digits")
    assert all(value is None or value > 0.0 for value in facts.values())
    assert facts["page_answers_beside_two_runs_seconds_median"] <= facts["page_answers_beside_two_runs_seconds_longest"]
    assert facts["pad_answers_beside_two_runs_seconds_median"] <= facts["pad_answers_beside_two_runs_seconds_p95"]
    assert import_facts()["import_torch_seconds"] > 0.0


@pytest.mark.slow
def test_what_viewers_cost_is_a_share_of_a_runs_rounds():
    facts = viewer_facts("digits", viewers=(5,), span=2.0)
    assert facts.keys() == {"slower_with_5_viewers"}
    assert -1.0 < facts["slower_with_5_viewers"] < 1.0  # it went on, and no twice as fast for being watched
