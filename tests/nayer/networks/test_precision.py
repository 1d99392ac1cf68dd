"""bfloat16 changes what the networks count in, and neither what they are nor what a run does."""

import pytest
import torch

from nayer.events import GeneratorStep, Note, RunFinished
from nayer.networks import execution
from nayer.networks.execution import autocast, uses_bf16
from nayer.networks.hooks import BatchNormStatsHook
from tests.support.tiny import all_same, tiny_config, tiny_network, tiny_run, tiny_state, tiny_task

CPU = torch.device("cpu")


@pytest.mark.parametrize("has", [True, False])
def test_auto_lowers_where_the_device_has_instructions_for_it(has, monkeypatch):
    monkeypatch.setattr(execution, "supports_bf16", lambda device: has)
    assert [uses_bf16(asked, CPU) for asked in ("float32", "bfloat16", "auto")] == [False, True, has]


def test_networks_count_in_bfloat16_and_only_inside():
    network, images = tiny_network(1).eval(), torch.rand(2, 1, 8, 8)
    with autocast("bfloat16", CPU):
        assert network(images).dtype == torch.bfloat16
    with autocast("float32", CPU):
        assert network(images).dtype == torch.float32
    assert network(images).dtype == torch.float32


def test_statistics_are_summed_in_float32():
    layer = torch.nn.BatchNorm2d(3).eval()
    features = (torch.randn(50, 3, 16, 16, generator=torch.Generator().manual_seed(0)) + 100.0).bfloat16()
    with BatchNormStatsHook(layer) as inputs:
        layer(features)
    [(mean, variance)] = inputs.batch
    torch.testing.assert_close(mean, features.double().mean(dim=(0, 2, 3)).float(), rtol=1e-5, atol=0.0)
    torch.testing.assert_close(
        variance, features.double().var(dim=(0, 2, 3), correction=0).float(), rtol=1e-3, atol=0.0
    )


def test_a_run_in_bfloat16_starts_as_in_float32_keeps_float32_weights_and_says_so():
    runs = {}
    for asked in ("float32", "bfloat16"):
        task = tiny_task(tiny_config(precision=asked))
        state = tiny_state(task)
        runs[asked] = list(tiny_run(task, state=state))
        assert {p.dtype for net in (state.student, state.generator) for p in net.parameters()} == {torch.float32}
    exact, coarse = runs.values()
    steps = [[event for event in events if isinstance(event, GeneratorStep)] for events in (exact, coarse)]
    assert steps[1][0].loss == pytest.approx(steps[0][0].loss, rel=0.05)
    assert steps[1][0].loss != steps[0][0].loss
    assert isinstance(coarse[-1], RunFinished)
    told = [[note.message for note in events if isinstance(note, Note)] for events in (exact, coarse)]
    assert ["bfloat16" in " ".join(messages) for messages in told] == [False, True]
    assert all_same(coarse, list(tiny_run(tiny_task(tiny_config(precision="bfloat16")))))
