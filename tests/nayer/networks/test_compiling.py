"""Compiled networks are the same networks; the compiler's own code is left out, for it takes minutes."""

import copy

import pytest
import torch

from nayer.events import Evaluated
from nayer.networks import execution
from nayer.runs.run import open_run
from tests.nayer.runs.test_side_by_side import quick
from tests.support.tiny import all_same


@pytest.fixture
def traced(monkeypatch):
    """Counts the graphs that are made; runs each as it was traced."""
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(execution, "BACKEND", backend)
    torch._dynamo.reset()
    yield graphs
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # the compiler looks at it
def test_a_compiled_run_is_the_run(traced):
    wide = "lenet-16"  # of narrow layers PyTorch compiles its own pass, whose sums round in another order than ours
    straight = list(open_run(quick(rounds=2, student=wide)).events())
    assert not traced
    run = open_run(quick(rounds=2, student=wide, compiled=True))
    events = list(run.events())
    assert len(traced) >= 2  # a generator's, and a student's
    measured, expected = ([e.accuracy for e in one if isinstance(e, Evaluated)] for one in (events, straight))
    assert measured == expected
    assert all_same(events[1:], straight[1:])  # the first tells the config
    assert set(run.student.state_dict()) == set(copy.deepcopy(run.student).state_dict())
    assert not any("orig_mod" in name for name in run.student.state_dict())


def test_a_student_whose_maps_are_read_is_left_alone(traced):
    run = open_run(quick(rounds=2, compiled=True, attention_weight=1.0, generator_steps=1, warmup_rounds=0))
    list(run.events())
    assert run.student._compiled_call_impl is None
    assert run.state.generator._compiled_call_impl is not None
