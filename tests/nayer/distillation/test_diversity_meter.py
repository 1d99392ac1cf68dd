"""What a run says of its diversity is what `measure` says of its images, and lies between its end-points' layouts."""

import dataclasses

import numpy as np
import torch

from nayer.analysis.baselines import end_point
from nayer.analysis.diversity import measure
from nayer.distillation.diversity_meter import labels_kept
from nayer.distillation.evaluation import predict_with_features
from nayer.events import DiversityMeasured, LayerRedrawn, RoundSynthesized
from tests.support.tiny import all_same, same, tiny_config, tiny_run, tiny_task


def measured(**changes: object) -> tuple[list[RoundSynthesized], list[DiversityMeasured], list[LayerRedrawn]]:
    events = list(tiny_run(tiny_task(tiny_config(rounds=6, **{"pool_capacity": 60, **changes}))))
    return tuple(
        [e for e in events if isinstance(e, kind)] for kind in (RoundSynthesized, DiversityMeasured, LayerRedrawn)
    )  # type: ignore[return-value]


def test_within_a_round_it_is_the_measure_of_the_rounds_images():
    batches, diversities, _ = measured()
    assert len(batches) == len(diversities) == 6
    for batch, diversity in zip(batches, diversities, strict=True):
        expected = measure(
            batch.features,
            batch.labels,
            batch.teacher_labels,
            3,
            teacher_confidence=batch.teacher_confidence,
            student_labels=batch.student_labels,
        )
        assert same(diversity.samples.within, expected)
        assert diversity.noise.within.counts.tolist() == expected.counts.tolist()
        assert diversity.real is None


def test_rounds_are_compared_within_one_generators_life_and_the_pool_when_it_has_images():
    _, diversities, redraws = measured(generator_reset_every=3, warmup_rounds=0)
    rebuilt = [event.round for event in redraws if event.what == "generator"]
    assert rebuilt == [0, 3]
    assert [d.samples.across is None for d in diversities] == [True, False, False, True, False, False]
    assert [d.noise.across is None for d in diversities] == [d.samples.across is None for d in diversities]
    assert [d.samples.pool is None for d in diversities] == [True] + [False] * 5  # round 0 is not pooled
    counts = [d.samples.pool.images for d in diversities[1:] if d.samples.pool]
    assert counts == sorted(counts)


def test_real_images_stand_in_class_by_class():
    task = tiny_task(tiny_config(rounds=2))
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (30, 1, 8, 8), dtype=np.uint8), np.repeat(np.arange(3), 10)
    seen = predict_with_features(task.teacher, torch.from_numpy(images), torch.from_numpy(labels))
    object.__setattr__(task, "real", lambda: seen)
    diversities = [event for event in tiny_run(task) if isinstance(event, DiversityMeasured)]
    for diversity in diversities:
        assert diversity.real is not None
        assert diversity.real.within.counts.tolist() == diversity.samples.within.counts.tolist()
        alike = end_point(
            np.repeat(np.arange(3), diversity.samples.within.counts),
            seen.features,
            labels,
            seen.teacher_labels,
            3,
            teacher_confidence=seen.teacher_confidence,
        )
        assert diversity.real.within.counts.tolist() == alike.counts.tolist()
        assert np.allclose(diversity.real.within.vendi, alike.vendi, atol=0.5)  # other images of the same classes


def test_measuring_is_no_part_of_the_run():
    shown = measured()[0]
    seldom = measured(report_every=2)[0]
    assert all_same(shown[::2], seldom)


def test_labels_are_kept_by_a_teacher_that_sees_one_class_only_and_not_by_one_that_looks_at_two_pixels():
    images = np.random.default_rng(0).integers(0, 256, (200, 1, 8, 8), dtype=np.uint8)
    batch = dataclasses.replace(measured()[0][0], images=images, teacher_labels=np.zeros(200, dtype=np.int64))
    task = tiny_task()
    with torch.no_grad():
        task.teacher[-1].weight.zero_()
        task.teacher[-1].bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    assert labels_kept(task, batch) == 1.0
    corners = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2, bias=False))
    with torch.no_grad():
        corners[1].weight.zero_()
        corners[1].weight[0, 0], corners[1].weight[1, 63] = 1.0, 1.0
        seen = corners(torch.from_numpy(images).float()).argmax(dim=1).numpy()
    object.__setattr__(task, "teacher", corners)
    assert labels_kept(task, dataclasses.replace(batch, teacher_labels=seen)) < 0.9


def test_an_end_point_is_measured_again_when_the_layout_changes():
    _, diversities, _ = measured(generator_reset_every=0, warmup_rounds=0, pool_capacity=18)
    saturated = [d for d in diversities[3:] if d.samples.across]  # round 0 is not pooled, and 18 images fill it
    pools = {id(d.noise.pool): d.samples.across.rounds for d in saturated}
    assert len(set(pools.values())) == len(pools)  # measured anew only with a longer window
    growing = [d.noise.across.rounds for d in diversities if d.noise.across]
    assert growing == [d.samples.across.rounds for d in diversities if d.samples.across]
