"""A policy that changes on the way: from the next round on, said in an event, and nothing else is touched."""

import pytest
import torch

from nayer.config import Config
from nayer.distillation.state import revise
from nayer.errors import ConfigError
from nayer.events import DiversityMeasured, GeneratorStep, LayerRedrawn, PolicyChanged, RoundFinished, RunStarted
from nayer.runs.run import Run, open_run
from tests.support.tiny import all_same, tiny_config, tiny_state, tiny_task


def quick(**changes: object) -> Run:
    values = {"teacher": "digits", "rounds": 5, "warmup_rounds": 1, "generator_steps": 2, "student_steps": 2}
    return open_run(Config.parse({**values, "noisy_width": 32, "synthesis_batch": 20, "device": "cpu", **changes}))


def changing_after(run: Run, round_: int, values: dict[str, object]) -> list:
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, RoundFinished) and event.round == round_:
            run.change(values)
    return events


def test_a_changed_policy_holds_from_the_next_round_on():
    events = changing_after(quick(generator_reset_every=0), 1, {"noisy_reset_every": 0})
    [changed] = [event for event in events if isinstance(event, PolicyChanged)]
    assert (changed.round, changed.changes) == (2, {"noisy_reset_every": (1, 0)})
    assert [event.round for event in events if isinstance(event, LayerRedrawn)] == [0, 1]
    untouched = list(quick(generator_reset_every=0).events())
    before = [event for event in events if event.round < 2 and not isinstance(event, RunStarted)]
    assert all_same(before, [event for event in untouched if event.round < 2 and not isinstance(event, RunStarted)])


def test_the_last_change_before_a_round_counts_and_one_that_changes_nothing_is_not_told():
    run = quick()
    run.change({"generator_steps": 7})
    run.change({"generator_steps": 1})
    events = list(run.events())
    assert [event.changes for event in events if isinstance(event, PolicyChanged)] == [{"generator_steps": (2, 1)}]
    assert {event.steps for event in events if isinstance(event, GeneratorStep)} == {1}
    same = quick()
    same.change({"generator_steps": 2})
    assert all_same(list(same.events()), list(quick().events()))


@pytest.mark.parametrize(
    "values",
    [
        {"latent": "one-hot"},
        {"latent": "random"},
        {"routing": "single"},
        {"z_size": 8},
        {"z_size": 8, "z_combine": "add"},
        {"noisy_width": 16},
        {"latent": "none", "z_size": 9, "noisy_layer": False, "redraw": "first layer"},
        {"synthesis_batch": 35},
        {"generator_adam": "kept"},
        {"memory": "online"},
        {"rounds": 3},
    ],
)
def test_every_kind_of_change_goes_on_to_the_end(values):
    run = quick()
    events = changing_after(run, 1, values)
    assert events[-2].round == (2 if "rounds" in values else 4)
    assert {name: after for name, (_, after) in events[-1:] and _changes(events).items()} == values
    assert all(torch.isfinite(weight).all() for weight in run.student.parameters())


def _changes(events: list) -> dict[str, tuple[object, object]]:
    return next(event.changes for event in events if isinstance(event, PolicyChanged))


def test_weights_that_still_fit_are_kept():
    before = tiny_task(tiny_config(routing="k-to-1"))
    after = tiny_task(tiny_config(routing="single"))
    state = tiny_state(before)
    old = {name: weight.clone() for name, weight in state.generator.state_dict().items()}
    revise(state, before, after)
    new = state.generator.state_dict()
    assert {name for name in old if not torch.equal(old[name], new[name])} == {"noisy.weight", "noisy.bias"} - {
        name for name in ("noisy.bias",) if torch.equal(old[name], new[name])
    }
    assert new["noisy.weight"].shape[0] == 1


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"seed": 5}, "seed=5 cannot change while a run goes on; start a new run with it."),
        ({"teacher": "fashion"}, "teacher='fashion' cannot change"),
        ({"routing": "both"}, "routing='both' does not work"),
        ({"latent": "none"}, "latent=none leaves the noise alone"),
    ],
)
def test_what_cannot_change_is_refused_in_a_sentence_and_the_run_goes_on(values, says):
    run = quick()
    with pytest.raises(ConfigError, match=says):
        run.change(values)
    assert all_same(list(run.events()), list(quick().events()))


def test_a_change_of_the_whole_table_brings_its_diversity_along():
    events = changing_after(quick(), 2, {"latent": "shuffled"})
    assert [event.round for event in events if isinstance(event, DiversityMeasured)] == list(range(5))
