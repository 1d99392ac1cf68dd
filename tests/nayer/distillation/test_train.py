"""The algorithm's laws: determinism, what a re-draw does, data-freeness of what it needs, and how it fails."""

import math
from itertools import count

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nayer.common.stopwatch import Stopped, Stopwatch
from nayer.distillation.evaluation import Measurement
from nayer.distillation.train import train
from nayer.errors import ConfigError, DivergedError
from nayer.events import (
    Evaluated,
    GeneratorStep,
    LayerRedrawn,
    Note,
    RoundFinished,
    RoundSynthesized,
    RunFinished,
    RunStarted,
    StudentStep,
)
from nayer.presets import PRESETS
from tests.support.tiny import all_same, tiny_config, tiny_run, tiny_state, tiny_task


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_the_same_seed_gives_the_same_events_and_another_seed_others():
    first, again = list(tiny_run(tiny_task())), list(tiny_run(tiny_task()))
    other = list(tiny_run(tiny_task(tiny_config(seed=1))))
    assert all_same(first, again)
    assert not all_same(of(StudentStep, first), of(StudentStep, other))


def test_global_randomness_does_not_reach_a_run():
    def with_global_seed(seed):
        torch.manual_seed(seed)
        for event in tiny_run(tiny_task()):
            torch.rand(3)  # someone else draws in between, as a second run in another thread would
            yield event

    assert all_same(list(with_global_seed(1)), list(with_global_seed(2)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("batchnorm", [True, False])
def test_every_kind_of_teacher_runs_and_the_absent_term_is_said(channels, batchnorm):
    events = list(tiny_run(tiny_task(channels=channels, batchnorm=batchnorm)))
    bn = [event.bn for event in of(GeneratorStep, events)]
    said = any("no BatchNorm" in note.message for note in of(Note, events))
    assert said is not batchnorm
    assert all(value > 0 for value in bn) if batchnorm else set(bn) == {0.0}
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)


def test_the_loss_is_the_weighted_sum_of_its_terms():
    config = tiny_config(ce_weight=0.7, bn_weight=3.0, adversarial_weight=2.0)
    for step in of(GeneratorStep, tiny_run(tiny_task(config))):
        assert step.loss == pytest.approx(0.7 * step.ce + 3.0 * step.bn + 2.0 * step.adversarial, rel=1e-5)


def test_the_adversarial_term_waits_for_the_student_and_then_is_not_zero():
    task = tiny_task(tiny_config(warmup_rounds=2))
    state = tiny_state(task)
    state.student.load_state_dict(task.teacher.state_dict())  # agrees everywhere …
    with torch.no_grad():
        state.student[-1].weight.mul_(1.5)  # … but is surer
    steps = of(GeneratorStep, tiny_run(task, state))
    assert {s.adversarial for s in steps if s.round < 2} == {0.0}
    assert any(s.adversarial < 0 for s in steps if s.round >= 2)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_first_step_equals_a_plain_reference(temperature):
    """Cross-entropy, BatchNorm distance and hit rate of round 0, step 0, computed again without this package."""
    config = tiny_config(crop_share=0.0, flip=False, ce_temperature=temperature)
    task = tiny_task(config)
    state = tiny_state(task)
    labels = torch.arange(7) % 3
    images = state.generator(labels).detach()
    convolution, norm = task.teacher[0], task.teacher[1]
    logits = task.teacher(images)
    at_norm = convolution(images)
    distance = torch.dist(at_norm.mean((0, 2, 3)), norm.running_mean) + torch.dist(
        at_norm.var((0, 2, 3), correction=0), norm.running_var
    )
    step = of(GeneratorStep, tiny_run(task, tiny_state(task)))[0]
    expected = temperature * F.cross_entropy(logits / temperature, labels)
    assert step.ce == pytest.approx(expected.item(), rel=1e-4)
    assert step.bn == pytest.approx(distance.item(), rel=1e-4)
    assert step.label_accuracy == pytest.approx((logits.argmax(1) == labels).float().mean().item())


def test_images_between_classes_are_recognized_less_often():
    quick = {"bn_weight": 0.0, "crop_share": 0.0, "flip": False, "generator_lr": 0.02, "rounds": 1, "warmup_rounds": 1}

    def recognized(boundary):
        config = tiny_config(seed=1, generator_steps=100, noisy_width=64, ce_boundary=boundary, **quick)
        return of(GeneratorStep, tiny_run(tiny_task(config)))[-1].label_accuracy

    assert recognized(0.0) == 1.0
    assert recognized(1.0) < 0.5


def test_redraws_follow_the_policy():
    def whats(**changes):
        events = tiny_run(tiny_task(tiny_config(rounds=6, warmup_rounds=1, generator_steps=1, **changes)))
        return {event.round: event.what for event in of(LayerRedrawn, events)}

    noisy, whole = "noisy layer", "generator"
    assert whats(generator_reset_every=2) == {0: whole, 1: whole, 2: noisy, 3: whole, 4: noisy, 5: whole}
    assert whats(generator_reset_every=0) == {0: whole} | dict.fromkeys(range(1, 6), noisy)
    assert whats(generator_reset_every=0, noisy_reset_every=3) == {0: whole, 3: noisy}
    assert whats(generator_reset_every=0, noisy_reset_every=0) == {0: whole}


def test_a_redraw_sends_cross_entropy_back_up_and_the_steps_bring_it_down():
    plain = {"bn_weight": 0.0, "crop_share": 0.0, "flip": False, "generator_reset_every": 0, "generator_lr": 0.02}
    task = tiny_task(tiny_config(rounds=6, warmup_rounds=6, generator_steps=40, noisy_width=64, **plain))
    with torch.no_grad():
        task.teacher[-1].weight.mul_(20.0)  # a teacher that can be sure
    steps = of(GeneratorStep, tiny_run(task))
    by_round = {r: [s.ce for s in steps if s.round == r] for r in range(6)}
    assert all(by_round[r][-1] < by_round[r][0] / 2 for r in by_round)
    assert all(by_round[r + 1][0] > by_round[r][-1] for r in range(5))


def test_the_best_batch_of_a_round_is_kept_or_the_last():
    steps, rounds = {}, {}
    for keep in ("best", "last"):
        events = list(tiny_run(tiny_task(tiny_config(keep=keep, generator_lr=0.5))))
        steps[keep], rounds[keep] = of(GeneratorStep, events), of(RoundSynthesized, events)
    for batch in rounds["best"]:
        losses = [s.loss for s in steps["best"] if s.round == batch.round]
        assert batch.loss == pytest.approx(min(losses))
        assert batch.best_step == int(np.argmin(losses))
    assert all(batch.best_step == 2 for batch in rounds["last"])


def test_the_batches_of_all_late_steps_are_kept_and_none_of_a_place_that_is_held_back():
    config = tiny_config(keep="all", keep_from_step=1, pool_capacity=100, held_back=0.3, rounds=2, warmup_rounds=2)
    task = tiny_task(config)
    state = tiny_state(task)
    batches = of(RoundSynthesized, tiny_run(task, state))
    assert [batch.pool_size for batch in batches] == [0, 2 * 5]  # steps 1 and 2, at 5 of 7 places
    assert len(state.held_back) == 2
    places = {bytes(image): place for place, image in enumerate(batches[1].images)}
    held = {places[bytes(image)] for image in state.held_back.images.numpy()}
    learned = [places[bytes(image)] for image in state.pool.images[:10].numpy() if bytes(image) in places]
    assert len(held) == 2
    assert held.isdisjoint(learned)
    if batches[1].best_step >= 1:
        assert len(learned) == 5


def test_a_batch_has_every_class_as_evenly_as_can_be():
    batch = of(RoundSynthesized, tiny_run(tiny_task()))[0]
    counts = np.bincount(batch.labels, minlength=3)
    assert set(counts) <= {2, 3}
    assert batch.images.shape == (7, 1, 8, 8)


def test_the_pool_grows_by_what_is_not_held_back_from_its_first_round_on():
    events = list(tiny_run(tiny_task()))
    sizes = [batch.pool_size for batch in of(RoundSynthesized, events)]
    assert sizes == [0, 6, 12, 12]  # 7 images a round, 1 held back, round 0 not kept, capacity 12
    assert [e.images for e in of(Evaluated, events)] == [0, 1, 2, 3]
    assert of(Evaluated, events)[0].agreement is None


def test_the_evaluator_changes_what_is_measured_and_nothing_else():
    measured = tiny_task(evaluator=lambda student: Measurement(0.5, 0.9, 0.6, 10))
    with_test, without = list(tiny_run(measured)), list(tiny_run(tiny_task()))
    assert all(e.accuracy == 0.5 and e.measured_on == "test images" for e in of(Evaluated, with_test))
    for kind in (GeneratorStep, RoundSynthesized, StudentStep):
        assert all_same(of(kind, with_test), of(kind, without))


def test_the_students_learning_rate_falls_along_half_a_cosine_over_the_whole_run():
    rates = [
        s.learning_rate for s in of(StudentStep, tiny_run(tiny_task(tiny_config(student_lr=0.4, student_lr_end=0.0))))
    ]
    assert rates == pytest.approx([0.2 * (1 + math.cos(math.pi * i / 9)) for i in range(9)])


def test_fewer_events_do_not_change_the_run():
    often, seldom = list(tiny_run(tiny_task())), list(tiny_run(tiny_task(tiny_config(event_every=3))))
    assert len(of(GeneratorStep, seldom)) < len(of(GeneratorStep, often))
    assert all_same(of(RoundSynthesized, often), of(RoundSynthesized, seldom))


LONG_STEPS = {"generator_steps": 2000, "student_steps": 10_000, "warmup_rounds": 0, "pool_from_round": 0}


@pytest.mark.parametrize("event_every", [1, 1000])
@pytest.mark.parametrize("long", ["generator_steps", "student_steps"])
def test_a_time_limit_holds_between_two_steps(long, event_every):
    steps = {"generator_steps": 3, "student_steps": 3, long: LONG_STEPS[long]}
    config = tiny_config(**LONG_STEPS | steps, rounds=1, seconds=60.0, event_every=event_every, evaluate_every=1000)
    task = tiny_task(config)
    state = tiny_state(task)
    events = list(tiny_run(task, state))  # the clock ticks once a look, and there are a few looks a step
    assert [type(event) for event in events[-4:]] == [Evaluated, RoundFinished, Note, RunFinished]
    assert "cannot be repeated" in events[-2].message
    assert (events[-1].reason, state.round) == ("time is up", 1)
    assert all(event.seconds < 80.0 for event in events)
    kind = {"generator_steps": GeneratorStep, "student_steps": StudentStep}[long]
    assert 3 < of(kind, events)[-1].step < 60  # the last step is told, however seldom steps are


def test_a_run_that_its_limit_cut_short_can_go_on_with_more_time():
    task = tiny_task(tiny_config(**LONG_STEPS, seconds=30.0))
    state = tiny_state(task)
    list(tiny_run(task, state))
    longer = tiny_task(tiny_config(rounds=2, generator_steps=3, student_steps=3))
    events = list(tiny_run(longer, state))
    assert [event.round for event in of(RoundFinished, events)] == [1]
    assert events[-1].reason == "rounds done"


@pytest.mark.parametrize("steps", [1, 3, 5, 7])
def test_a_stop_comes_between_two_steps_however_seldom_steps_are_told(steps):
    looks = count()
    task = tiny_task(tiny_config(generator_steps=4, student_steps=5, pool_from_round=0, warmup_rounds=0, event_every=9))
    watch = Stopwatch(stopped=lambda: next(looks) > steps)
    state = tiny_state(task)
    with pytest.raises(Stopped):
        list(train(task, state, watch))
    assert next(looks) == steps + 2  # nobody asks again
    assert state.round == 0
    assert all(torch.isfinite(p).all() for p in state.student.parameters())


def test_a_run_without_a_limit_never_asks_for_the_time_between_steps():
    """So that it gives the same events, seconds and all, whatever its clock does in between."""
    looks = count()
    watch = Stopwatch(now=lambda: float(next(looks)))
    assert not watch.reached(0.0)
    assert next(looks) == 0


@pytest.mark.parametrize(
    ("factor", "said"),
    [(1e38, "loss became inf"), (1e33, r"loss became 5[.]82\d*e\+33"), (1e28, "gradient became inf")],
)
def test_a_students_loss_that_is_not_finite_or_soon_will_not_be_stops_the_run_before_it_reaches_the_weights(
    factor, said
):
    task = tiny_task(tiny_config(warmup_rounds=0, pool_from_round=0, adversarial_weight=0.0))
    state = tiny_state(task)
    with torch.no_grad():
        state.student[-1].weight.mul_(factor)
    with pytest.raises(DivergedError, match=f"the student's {said} in step 0 of round 0; use a smaller student_lr"):
        list(tiny_run(task, state))
    assert all(torch.isfinite(p).all() for p in state.student.parameters())


def test_a_generators_loss_that_is_not_finite_stops_the_run():
    task = tiny_task()
    with torch.no_grad():
        task.teacher[-1].weight.fill_(math.nan)
    with pytest.raises(DivergedError, match="the generator's loss became nan in step 0 of round 0"):
        list(tiny_run(task))


def test_networks_get_their_modes_and_gradients_back():
    task = tiny_task()
    state = tiny_state(task)
    list(tiny_run(task, state))
    assert all(p.requires_grad for p in state.student.parameters())
    assert not any(p.requires_grad or p.grad is not None for p in task.teacher.parameters())
    assert not any(m.training for m in task.teacher.modules())
    assert not any(m._forward_pre_hooks for m in task.teacher.modules())


def test_a_task_that_cannot_work_says_what_would():
    with pytest.raises(ConfigError, match="synthesis_batch=2 is smaller than the 3 classes; use at least 3"):
        tiny_task(tiny_config(synthesis_batch=2))


@pytest.mark.parametrize("routing", ["k-to-1", "1-to-1", "single"])
def test_every_routing_runs(routing):
    events = list(tiny_run(tiny_task(tiny_config(rounds=2, routing=routing))))
    assert isinstance(events[-1], RunFinished)
    assert all(e.outputs.shape == (2, 3, 16) for e in of(LayerRedrawn, events))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_runs_in_miniature(name):
    shrunk = {"rounds": 3, "warmup_rounds": 1, "generator_steps": 2, "student_steps": 2, "generator_width": 2}
    config = PRESETS[name].config.model_copy(
        update={**shrunk, "student_every": 1, "noisy_width": 8, "synthesis_batch": 6}
    )
    events = list(tiny_run(tiny_task(config)))
    phases = 1 if config.overlap else 2  # beside a generator it learns from the rounds before: at first there is none
    assert len(of(StudentStep, events)) == 2 * phases
    assert isinstance(events[-1], RunFinished)
