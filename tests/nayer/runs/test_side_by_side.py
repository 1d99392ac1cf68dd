"""A lab's arms are the runs they would be alone; the reset strip changes nothing it looks at."""

import dataclasses

import numpy as np
import pytest
import torch

from nayer.common.stopwatch import Stopped
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.events import (
    Evaluated,
    EvaluatedAtStart,
    Event,
    GeneratorStep,
    PolicyChanged,
    RoundFinished,
    RunFailed,
    RunFinished,
    RunStarted,
)
from nayer.runs.run import open_run
from nayer.runs.side_by_side import Lab
from tests.support.tiny import QUICK, all_same


def quick(**changes: object) -> Config:
    return Config.parse(changes, QUICK)


def alone(config: Config, arm: int) -> list[Event]:
    return [dataclasses.replace(event, arm=arm) for event in open_run(config).events()]


def test_every_arm_is_the_run_it_would_be_alone():
    configs = [quick(), quick(noisy_reset_every=0), quick(latent="one-hot", rounds=5)]
    events = list(Lab(configs).events())
    for arm, config in enumerate(configs):
        assert all_same([event for event in events if event.arm == arm], alone(config, arm))


def test_arms_take_turns_by_the_seconds_they_have_spent():
    spent = {0: 0.0, 1: 0.0}
    rounds = [event for event in Lab([quick(rounds=8), quick(rounds=8)]).events() if isinstance(event, RoundFinished)]
    assert len(rounds) == 16
    for event in rounds:
        if spent[event.arm]:  # until both have had their first it is one after the other
            assert spent[event.arm] <= spent[1 - event.arm]
        spent[event.arm] = event.seconds
        if event.round == 7:  # its last: from here on the other one is alone
            break


def test_an_arm_that_cannot_go_on_says_so_and_the_others_end_as_planned():
    broken = quick(generator_lr=1.0, student_lr=10.0, ce_weight=100.0, temperature=0.1, rounds=40)
    events = list(Lab([broken, quick(teacher="nobody"), quick()]).events())
    failed = {event.arm: event.message for event in events if isinstance(event, RunFailed)}
    assert "nobody" in failed[1]
    assert isinstance([event for event in events if event.arm == 2][-1], RunFinished)
    assert {event.arm for event in events if isinstance(event, (RunFailed, RunFinished))} == {0, 1, 2}


def test_seeds_are_run_one_after_the_other():
    events = list(Lab([quick(rounds=1), quick(rounds=1, latent="one-hot")], seeds=(3, 5)).events())
    started = [(event.config["seed"], event.arm) for event in events if isinstance(event, RunStarted)]
    assert started == [(3, 0), (3, 1), (5, 0), (5, 1)]


def test_a_limit_in_seconds_holds_between_two_steps_for_every_arm_and_seed():
    """Phases that would take minutes each, seldom told."""
    endless = quick(
        rounds=1, warmup_rounds=0, generator_steps=2000, student_steps=10_000, seconds=0.2, event_every=1000
    )
    events = list(Lab([endless, quick(rounds=1, seconds=0.0)], seeds=(1, 2)).events())
    ends = [(event.arm, event.reason) for event in events if isinstance(event, RunFinished)]
    assert ends == [(1, "rounds done"), (0, "time is up")] * 2 or ends == [(0, "time is up"), (1, "rounds done")] * 2
    cut = [event for event in events if event.arm == 0]
    assert max(event.step for event in cut if isinstance(event, GeneratorStep)) < 1999
    assert (
        sum(isinstance(event, Evaluated) and not isinstance(event, EvaluatedAtStart) for event in cut)
        == sum(isinstance(event, RoundFinished) for event in cut)
        == 2
    )


def test_a_stop_comes_between_two_steps_and_leaves_a_student_that_can_be_used():
    lab = Lab([quick(rounds=1, warmup_rounds=0, generator_steps=2000, student_steps=10_000, event_every=1000)])
    events = lab.events()
    assert isinstance(next(events), RunStarted)
    lab.stop()
    told = []
    with pytest.raises(Stopped):
        told.extend(events)
    assert not [event for event in told if isinstance(event, (RoundFinished, RunFinished))]
    assert len(lab.student(0)) > 1000


def test_of_a_thousand_changes_before_a_round_the_last_one_holds():
    lab = Lab([quick(rounds=3)])
    events, changed = lab.events(), []
    for event in events:
        if isinstance(event, RoundFinished) and event.round == 0:
            for number in range(1000):
                assert lab.change(0, {"noisy_reset_every": number}).noisy_reset_every == number
        if isinstance(event, PolicyChanged):
            changed.append((event.round, event.changes))
    assert [(round_, list(changes)) for round_, changes in changed] == [(1, ["noisy_reset_every"])]
    assert lab._run(0).task.config.noisy_reset_every == 999


def test_an_arm_that_has_not_begun_cannot_be_asked():
    with pytest.raises(ConfigError, match="arm=0 has not started"):
        Lab([quick()]).redraws(0, 1, 16)


def test_the_strip_varies_what_is_redrawn_and_nothing_where_it_is_held():
    run = open_run(quick(rounds=1))
    list(run.events())
    before = {name: weight.clone() for name, weight in run.state.generator.state_dict().items()}
    drawn = run.state.rng.get_state()
    strips = run.redraws(4, 16)
    assert strips.redrawn.images.shape == strips.held.images.shape == (16, 1, 8, 8)
    assert len(np.unique(strips.redrawn.images.reshape(16, -1), axis=0)) == 16
    assert np.abs(strips.held.images.astype(int) - strips.held.images[0]).max() <= 1  # but for rounding
    assert strips.held.diversity.vendi[4] == pytest.approx(1.0, abs=1e-3)
    assert strips.redrawn.diversity.vendi[4] > strips.held.diversity.vendi[4]
    assert strips.varied == "noisy layer"
    assert all(torch.equal(weight, before[name]) for name, weight in run.state.generator.state_dict().items())
    assert torch.equal(run.state.rng.get_state(), drawn)


def test_without_a_noisy_layer_the_noise_is_what_is_redrawn():
    run = open_run(quick(rounds=1, latent="none", z_size=16, noisy_layer=False, redraw="first layer"))
    list(run.events())
    strips = run.redraws(0, 8)
    assert strips.varied == "noise"
    assert len(np.unique(strips.redrawn.images.reshape(8, -1), axis=0)) == 8
    assert np.abs(strips.held.images.astype(int) - strips.held.images[0]).max() <= 1


def test_an_arm_by_itself_fails_as_a_run_does():
    with pytest.raises(ConfigError, match="nobody"):
        list(Lab([quick(teacher="nobody")]).events())
