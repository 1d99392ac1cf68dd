"""Laws of diversity: closed forms, independent references, invariances, bounds, and memory that keeps its word."""

from __future__ import annotations

import dataclasses
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nayer.analysis.baselines import end_point, end_point_across, replacements
from nayer.analysis.diversity import between_rounds, measure
from nayer.analysis.diversity_window import DiversityWindow
from nayer.analysis.similarity import (
    effective_rank,
    entropy,
    mean_cosine_distance,
    nearest_distances,
    unit_vectors,
    vendi_score,
)
from nayer.errors import DivergedError
from nayer.measures import DUPLICATE, AcrossRounds, Diversity

SEEDS = st.integers(0, 10_000)
# Zeros often, and sizes whose squares leave float64.
NUMBERS = st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.5, 3.0, 1e-320, 1e-200, 1e200, -1e300])


def rotation(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def sample(seed: int, n: int = 60, f: int = 16, k: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features with something to tell: within a class some are near; class sizes differ; (features, labels, seen)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    centers = rng.standard_normal((k, 3, f))
    features = centers[labels, rng.integers(0, 3, n)] + rng.choice([0.01, 0.5], (n, 1)) * rng.standard_normal((n, f))
    return features, labels, rng.integers(0, k, n)


def one_class(features: np.ndarray) -> Diversity:
    nothing = np.zeros(len(features), dtype=np.int64)
    return measure(features, nothing, nothing, 2)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


def same(a: Diversity | AcrossRounds | None, b: Diversity | AcrossRounds | None) -> bool:
    """Equal in every field, but for rounding."""
    assert a is not None
    assert b is not None
    pairs = [(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a)]
    return all(x is y if x is None or y is None else np.allclose(x, y, rtol=1e-6, atol=1e-7) for x, y in pairs)


# Closed forms


@pytest.mark.parametrize("n", [2, 7, 200])
def test_identical_images_are_one_image(n):
    seen = one_class(np.tile(np.random.default_rng(n).standard_normal(30), (n, 1)))
    assert seen.vendi[0] == pytest.approx(1)
    assert seen.distance[0] == pytest.approx(0, abs=1e-12)
    assert seen.nearest[0] == pytest.approx(0, abs=1e-12)
    assert seen.duplicates[0] == seen.duplicate_share == 1
    assert seen.effective_rank == pytest.approx(1)


@pytest.mark.parametrize("m", [2, 7, 30])
def test_orthogonal_images_are_as_many_as_they_are(m):
    seen = one_class(5 * rotation(np.random.default_rng(m), 30)[:m])
    assert seen.vendi[0] == pytest.approx(m)
    assert seen.vendi[0] <= m  # whatever the rounding
    assert seen.distance[0] == pytest.approx(1)
    assert seen.nearest[0] == pytest.approx(1)
    assert seen.duplicates[0] == 0
    assert seen.effective_rank == pytest.approx(m)


@pytest.mark.parametrize("sizes", [(4, 4), (10, 10, 10), (1, 1, 1, 1), (6, 2), (1, 3, 5, 7)])
def test_clusters_are_counted_by_the_entropy_of_their_sizes(sizes):
    axes = rotation(np.random.default_rng(0), 9)
    seen = one_class(np.concatenate([np.tile(axis, (size, 1)) for axis, size in zip(axes, sizes, strict=False)]))
    n = sum(sizes)
    expected = math.prod((size / n) ** (-size / n) for size in sizes)
    if len(set(sizes)) == 1:
        assert expected == pytest.approx(len(sizes))
    assert seen.vendi[0] == pytest.approx(expected)
    assert seen.distance[0] == pytest.approx(1 - sum(s * (s - 1) for s in sizes) / (n * (n - 1)))
    assert seen.duplicates[0] == pytest.approx(sum(s for s in sizes if s > 1) / n)


def test_opposite_images_are_as_far_apart_as_images_can_be():
    seen = one_class(np.array([[1.0, 2.0], [-2.0, -4.0]]))
    assert seen.distance[0] == pytest.approx(2)
    assert seen.nearest[0] == pytest.approx(2)


def test_two_images_at_an_angle_by_hand():
    angle = 1.1
    seen = one_class(np.array([[1.0, 0.0], [math.cos(angle), math.sin(angle)]]))
    shares = [(1 + math.cos(angle)) / 2, (1 - math.cos(angle)) / 2]  # the eigenvalues of [[1, cos], [cos, 1]] / 2
    assert seen.vendi[0] == pytest.approx(math.exp(-sum(p * math.log(p) for p in shares)))
    assert seen.distance[0] == pytest.approx(1 - math.cos(angle))


@pytest.mark.parametrize(("cosine", "duplicate"), [(DUPLICATE + 1e-6, 1), (DUPLICATE - 1e-6, 0)])
def test_a_near_duplicate_is_one_above_the_threshold(cosine, duplicate):
    assert one_class(np.array([[1.0, 0.0], [cosine, math.sqrt(1 - cosine**2)]])).duplicate_share == duplicate


def test_the_effective_rank_follows_the_singular_values():
    rng = np.random.default_rng(0)
    values = np.array([4.0, 2.0, 1.0, 1.0])
    features = rotation(rng, 20)[:, :4] * values @ rotation(rng, 7)[:4]
    assert effective_rank(features) == pytest.approx(2 ** (0.5 + 0.5 + 0.75))  # shares 1/2, 1/4, 1/8, 1/8


def test_shares_and_entropy_by_hand():
    seen = measure(
        np.eye(6),
        labels=[0, 0, 0, 0, 1, 1],
        teacher_labels=[0, 0, 0, 1, 1, 2],
        classes=4,
        teacher_confidence=[1.0, 0.5, 0.5, 0.4, 0.9, 0.3],
        student_labels=[0, 1, 2, 1, 1, 3],
    )
    assert seen.counts.tolist() == [4, 2, 0, 0]
    assert seen.teacher_counts.tolist() == [3, 2, 1, 0]
    assert seen.label_accuracies.tolist() == [0.75, 0.5, 0, 0]
    assert seen.label_accuracy == pytest.approx(4 / 6)
    assert seen.confidence == pytest.approx([0.6, 0.6, 0, 0])
    assert seen.confidence_mean == pytest.approx(0.6)
    assert seen.disagreement == pytest.approx([0.5, 0.5, 0, 0])
    assert seen.disagreement_share == pytest.approx(0.5)
    nats = math.log(2) / 2 + math.log(3) / 3 + math.log(6) / 6
    assert seen.teacher_entropy == pytest.approx(nats)
    assert seen.teacher_entropy_share == pytest.approx(nats / math.log(4))
    assert (seen.vendi_mean, seen.vendi_min) == (pytest.approx(3), pytest.approx(2))  # classes that have images


@given(st.integers(1, 50), st.floats(1e-3, 1e6))
def test_entropy_is_the_logarithm_of_equal_parts_whatever_their_size(parts, weight):
    assert entropy([weight] * parts + [0.0] * 3) == pytest.approx(math.log(parts), abs=1e-12)


# Independent references


@given(SEEDS, st.sampled_from([(5, 16), (16, 16), (40, 16)]))
def test_the_vendi_score_is_that_of_the_full_kernel(seed, shape):
    features = np.random.default_rng(seed).standard_normal(shape)
    kernel = np.array([[cosine(a, b) for b in features] for a in features])
    values = np.linalg.eigvals(kernel / len(features)).real
    expected = math.exp(-sum(value * math.log(value) for value in values if value > 1e-14))
    assert vendi_score(unit_vectors(features)) == pytest.approx(expected, rel=1e-9)


@given(SEEDS, st.sampled_from([2, 3, 25]))
def test_closed_form_distances_are_those_of_all_pairs(seed, n):
    features = np.random.default_rng(seed).standard_normal((n, 8))
    pairs = [1 - cosine(a, b) for a, b in combinations(features, 2)]
    nearest = [min(1 - cosine(a, b) for j, b in enumerate(features) if j != i) for i, a in enumerate(features)]
    unit = unit_vectors(features)
    assert mean_cosine_distance(unit) == pytest.approx(np.mean(pairs))
    assert nearest_distances(unit) == pytest.approx(nearest)


@given(SEEDS, st.sampled_from([(5, 16), (40, 16)]))
def test_the_effective_rank_is_that_of_a_singular_value_decomposition(seed, shape):
    features = np.random.default_rng(seed).standard_normal(shape)
    values = np.linalg.svd(features, compute_uv=False)
    shares = values / values.sum()
    assert effective_rank(features) == pytest.approx(math.exp(-(shares * np.log(shares)).sum()))


@given(SEEDS)
def test_every_class_is_measured_as_if_it_were_alone(seed):
    features, labels, teacher_labels = sample(seed)
    seen = measure(features, labels, teacher_labels, 5)
    for label in range(5):
        alone = measure(features[labels == label], labels[labels == label], teacher_labels[labels == label], 5)
        for name in ("counts", "vendi", "distance", "nearest", "duplicates", "label_accuracies"):
            assert getattr(seen, name)[label] == pytest.approx(getattr(alone, name)[label], abs=1e-9)
    assert seen.vendi_mean == pytest.approx(seen.vendi.mean())
    assert seen.vendi_min == seen.vendi.min()
    assert seen.distance_min == seen.distance.min()
    assert seen.duplicate_share == pytest.approx((seen.duplicates * seen.counts).sum() / 60)


# Invariances


@given(SEEDS)
def test_order_scale_and_rotation_change_nothing(seed):
    features, labels, teacher_labels = sample(seed)
    rng = np.random.default_rng(seed)
    confidence, student_labels, order = rng.random(60), rng.integers(0, 5, 60), rng.permutation(60)
    rounds = rng.integers(0, 4, 60)
    plain = measure(features, labels, teacher_labels, 5, teacher_confidence=confidence, student_labels=student_labels)
    moved = 7e5 * features @ rotation(rng, 16)
    shuffled = measure(
        moved[order],
        labels[order],
        teacher_labels[order],
        5,
        teacher_confidence=confidence[order],
        student_labels=student_labels[order],
    )
    assert same(shuffled, plain)
    across = between_rounds(features, labels, rounds, 5)
    assert same(between_rounds(moved[order], labels[order], rounds[order], 5), across)


@given(SEEDS)
def test_how_strong_an_image_is_matters_to_the_effective_rank_only(seed):
    features, labels, teacher_labels = sample(seed)
    stronger = features * np.random.default_rng(seed).uniform(0.01, 100, (60, 1))
    a, b = measure(features, labels, teacher_labels, 5), measure(stronger, labels, teacher_labels, 5)
    assert same(a, dataclasses.replace(b, effective_rank=a.effective_rank))


@given(SEEDS)
def test_the_same_images_twice_have_the_same_vendi_score_and_are_duplicates(seed):
    features, labels, teacher_labels = sample(seed)
    once = measure(features, labels, teacher_labels, 5)
    twice = measure(np.tile(features, (2, 1)), np.tile(labels, 2), np.tile(teacher_labels, 2), 5)
    assert twice.vendi == pytest.approx(once.vendi)
    assert twice.duplicate_share == 1
    assert twice.label_accuracy == pytest.approx(once.label_accuracy)


# Bounds, and what happens at the edges


@given(st.data(), st.integers(0, 9), st.integers(1, 4), st.integers(1, 4))
def test_every_number_is_finite_and_within_its_bounds(data, n, f, k):
    features = data.draw(arrays(np.float64, (n, f), elements=NUMBERS))
    labels, teacher_labels, student_labels, rounds = data.draw(arrays(np.int64, (4, n), elements=st.integers(0, k - 1)))
    seen = measure(
        features, labels, teacher_labels, k, teacher_confidence=np.full(n, 0.5), student_labels=student_labels
    )
    across = between_rounds(features, labels, rounds, k)
    for facts in (seen, across) if across else (seen,):
        for field in dataclasses.fields(facts):
            assert np.isfinite(getattr(facts, field.name)).all(), field.name
    there = seen.counts > 0
    assert seen.images == seen.counts.sum() == seen.teacher_counts.sum() == n
    assert (seen.vendi[there] >= 1).all()
    assert (seen.vendi <= seen.counts).all()
    assert (seen.vendi[~there] == 0).all()
    assert 0 <= seen.effective_rank <= min(n, f) + 1e-6
    assert 0 <= seen.teacher_entropy <= math.log(max(1, min(n, k))) + 1e-12
    shares = ["duplicates", "label_accuracies", "disagreement", "confidence", "duplicate_share", "label_accuracy"]
    for name in [*shares, "disagreement_share", "confidence_mean", "teacher_entropy_share"]:
        assert (np.asarray(getattr(seen, name)) >= 0).all()
        assert (np.asarray(getattr(seen, name)) <= 1 + 1e-12).all()
    for facts in (seen, across) if across else (seen,):
        assert ((facts.distance >= 0) & (facts.distance <= 2)).all()
        assert ((facts.nearest >= 0) & (facts.nearest <= facts.distance + 1e-9)).all()  # the nearest is not the far one


def test_no_images_give_zeros():
    seen = measure(np.empty((0, 4)), [], [], 3, teacher_confidence=[], student_labels=[])
    for field in dataclasses.fields(seen):
        assert not np.any(getattr(seen, field.name)), field.name


def test_an_image_alone_in_its_class_is_one_and_no_duplicate():
    seen = measure(np.eye(3), [0, 2, 2], [0, 2, 2], 3)
    assert seen.vendi.tolist() == pytest.approx([1, 0, 2])
    assert seen.distance.tolist() == pytest.approx([0, 0, 1])
    assert seen.duplicates.tolist() == [0, 0, 0]
    assert seen.distance_mean == pytest.approx(1)  # of the only class with two images
    assert seen.vendi_min == 1  # the class without images has no part
    assert seen.confidence is seen.disagreement is seen.confidence_mean is seen.disagreement_share is None


def test_images_without_features_are_like_each_other_and_unlike_all_others():
    seen = measure([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [0, 0, 1, 1], [0, 0, 1, 1], 2)
    assert seen.vendi.tolist() == pytest.approx([1, 2])
    assert seen.distance.tolist() == pytest.approx([0, 1])
    assert seen.duplicates.tolist() == [1, 0]
    assert measure(np.zeros((4, 2)), [0, 0, 1, 1], [0, 0, 1, 1], 2).effective_rank == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_features_that_are_not_finite_are_refused_in_a_sentence(value):
    features = np.ones((3, 2))
    features[1, 1] = value
    with pytest.raises(DivergedError, match="features are not finite"):
        measure(features, [0, 0, 1], [0, 0, 1], 2)


def test_what_is_given_is_left_alone():
    features, labels, teacher_labels = sample(0)
    features = features.astype(np.float32)
    before = features.copy()
    measure(features, labels, teacher_labels, 5)
    between_rounds(features, labels, np.arange(60) // 20, 5)
    np.testing.assert_array_equal(features, before)


# Across rounds


@given(SEEDS, st.integers(2, 5))
def test_rounds_that_repeat_the_same_images_are_no_further(seed, times):
    features, labels, _ = sample(seed, n=20)
    rounds = np.repeat(np.arange(times), 20)
    across = between_rounds(np.tile(features, (times, 1)), np.tile(labels, times), rounds, 5)
    assert across is not None
    assert across.rounds == times - 1
    assert across.counts.sum() == 20
    assert across.nearest == pytest.approx(np.zeros(5), abs=1e-9)
    assert across.repeat_share == 1


def test_one_repeated_image_a_class_has_no_distance_at_all():
    across = between_rounds(np.tile(np.eye(3), (4, 1)), np.tile(np.arange(3), 4), np.repeat(np.arange(4), 3), 3)
    assert across is not None
    assert across.distance == pytest.approx(np.zeros(3), abs=1e-12)


def test_an_image_that_one_earlier_round_of_four_holds_is_repeated_by_a_quarter():
    across = between_rounds(np.eye(5)[[0, 1, 2, 3, 2]], np.zeros(5), np.arange(5), 2)
    assert across is not None
    assert across.repeats[0] == across.repeat_share == pytest.approx(0.25)
    assert across.nearest[0] == across.distance[0] == pytest.approx(0.75)


def test_the_further_rounds_turn_the_further_they_are_apart():
    base = np.zeros((3, 6))
    base[:, :3] = np.eye(3)
    turned = np.roll(base, 3, axis=1)  # orthogonal to all of base
    nearest = []
    for angle in (0.0, 0.3, 0.8, math.pi / 2):
        later = math.cos(angle) * base + math.sin(angle) * turned
        across = between_rounds(np.concatenate([base, later]), np.zeros(6), [0, 0, 0, 1, 1, 1], 2)
        assert across is not None
        assert across.nearest_mean == pytest.approx(1 - math.cos(angle))
        assert across.distance_mean == pytest.approx(1 - math.cos(angle) / 3)  # one pair in three is turned
        nearest.append(across.nearest_mean)
    assert nearest == sorted(nearest)


@given(SEEDS)
def test_across_rounds_is_what_comparing_image_by_image_gives(seed):
    features, labels, _ = sample(seed, n=40)
    rounds = np.random.default_rng(seed).integers(0, 5, 40)
    across = between_rounds(features, labels, rounds, 5)
    newest = rounds.max()
    earlier = sorted(set(rounds.tolist()) - {newest})
    for label in range(5):
        distances, nearest, repeats = [], [], []
        for i in np.flatnonzero((rounds == newest) & (labels == label)):
            by_round = [
                [1 - cosine(features[i], features[j]) for j in np.flatnonzero((rounds == r) & (labels == label))]
                for r in earlier
            ]
            by_round = [found for found in by_round if found]
            if by_round:
                distances += [distance for found in by_round for distance in found]
                nearest.append(np.mean([min(found) for found in by_round]))
                repeats.append(np.mean([min(found) <= 1 - DUPLICATE for found in by_round]))
        names = ("counts", "distance", "nearest", "repeats")
        got = [0, 0, 0, 0] if across is None else [getattr(across, name)[label] for name in names]
        wanted = [len(nearest), np.mean(distances), np.mean(nearest), np.mean(repeats)] if nearest else [0, 0, 0, 0]
        assert got == pytest.approx(wanted, abs=1e-9)


@given(SEEDS, st.integers(1, 6))
def test_remembering_more_of_the_same_rounds_changes_nothing(seed, times):
    features, labels, _ = sample(seed, n=30)
    rounds = np.repeat([0, 9], 15)
    few = between_rounds(features, labels, rounds, 5)
    old = np.tile(np.arange(15), times)
    rows = np.concatenate([old, np.arange(15, 30)])
    many = between_rounds(
        features[rows], labels[rows], np.concatenate([np.repeat(np.arange(times), 15), rounds[15:]]), 5
    )
    assert many is not None
    assert few is not None
    assert same(dataclasses.replace(many, rounds=1), few)


@pytest.mark.parametrize(
    ("labels", "rounds"), [([], []), ([0, 1, 0], [3, 3, 3]), ([0, 1, 1], [0, 1, 1])], ids=["no", "one", "other class"]
)
def test_without_a_pair_there_is_nothing_to_say(labels, rounds):
    assert between_rounds(np.ones((len(labels), 2)), labels, rounds, 2) is None


# Memory


def fill(memory: DiversityWindow, round_: int, n: int = 10, *, seed: int = 0, pooled: int | None = None) -> np.ndarray:
    """Adds a round of n images, 2 classes in turn; the first feature is the round's number, for recognition."""
    features = np.random.default_rng([seed, round_]).random((n, 4)).astype(np.float32)
    features[:, 0] = round_
    labels = np.arange(n) % 2
    memory.add(round_, features, labels, labels, np.full(n, 0.5), pooled=pooled)
    return features


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.booleans()), max_size=12), st.integers(1, 25))
def test_memory_stays_within_its_bound_and_the_pool_within_its_capacity(rounds, images):
    memory = DiversityWindow(2, pool_capacity=40, images=images, window=3)
    entered: list[int] = []
    for round_, (n, redrawn, pooled) in enumerate(rounds):
        if redrawn:
            memory.new_generator()
        fill(memory, round_, n, pooled=n if pooled else 0)
        entered += [round_] * n if pooled else []
        assert memory.nbytes <= images * (2 * (4 * 4 + 28) + 16)
        window, pool = memory.window_rows(), memory.pool_rows()
        assert window is not None
        assert len(window) <= images
        assert len(set(window.rounds.tolist())) <= 3
        if pool is not None:
            assert len(pool) <= images
            assert set(pool.rounds.tolist()) <= set(entered[-40:])
            np.testing.assert_array_equal(pool.features[:, 0], pool.rounds)


def test_a_pool_that_fits_is_measured_whole():
    memory = DiversityWindow(2, pool_capacity=40, images=100)
    features = np.concatenate([fill(memory, round_) for round_ in range(7)])[-40:]
    labels = np.arange(40) % 2
    whole = measure(features, labels, labels, 2, teacher_confidence=np.full(40, 0.5))
    assert same(memory.over_pool(), whole)


def test_rounds_that_stay_out_of_the_pool_are_compared_all_the_same():
    memory = DiversityWindow(2, pool_capacity=40)
    features = np.concatenate([fill(memory, round_, pooled=0) for round_ in range(3)])
    assert memory.over_pool() is None
    assert same(memory.across(), between_rounds(features, np.arange(30) % 2, np.repeat(np.arange(3), 10), 2))


def test_a_new_generator_starts_a_new_comparison_and_keeps_the_pool():
    memory = DiversityWindow(2, pool_capacity=40)
    assert memory.across() is None
    fill(memory, 0)
    fill(memory, 1)
    assert memory.across() is not None
    memory.new_generator()
    assert memory.across() is None
    fill(memory, 2)
    assert memory.across() is None  # the first of its generator
    fill(memory, 3)
    across, pool = memory.across(), memory.over_pool()
    assert across is not None
    assert pool is not None
    assert (across.rounds, pool.images) == (1, 40)


def test_only_the_newest_rounds_are_compared():
    memory = DiversityWindow(2, pool_capacity=40, window=4)
    for round_ in range(9):
        fill(memory, round_)
    window = memory.window_rows()
    assert window is not None
    assert window.rounds.tolist() == np.repeat([5, 6, 7, 8], 10).tolist()


def test_the_pools_sample_is_uniform_over_its_newest_images():
    seen = np.zeros(60)
    for seed in range(60):
        memory = DiversityWindow(2, pool_capacity=400, images=100, seed=seed)
        for round_ in range(60):
            fill(memory, round_, 10)
        pool = memory.pool_rows()
        assert pool is not None
        seen += np.bincount(pool.rounds, minlength=60)
    assert (seen[:20] == 0).all()  # 40 rounds of 10 fill the pool
    share = seen[20:].sum() / 60
    assert 60 <= share <= 100  # images of a sample: near its bound
    expected = seen[20:].mean()
    assert ((seen[20:] - expected) ** 2 / expected).sum() < 62  # χ² with 39 degrees of freedom: p = 0.01


def test_images_that_stand_for_more_fill_the_pool_sooner():
    memory = DiversityWindow(2, pool_capacity=400)
    for round_ in range(9):
        fill(memory, round_, 10, pooled=100)
    pool = memory.pool_rows()
    assert pool is not None
    assert set(pool.rounds.tolist()) == {5, 6, 7, 8}


def test_the_seed_alone_decides_what_is_kept():
    kept = []
    for seed in (0, 0, 1):
        memory = DiversityWindow(2, pool_capacity=400, images=50, seed=seed)
        for round_ in range(20):
            fill(memory, round_)
        pool = memory.pool_rows()
        assert pool is not None
        kept.append(pool.features.tolist())
    assert kept[0] == kept[1] != kept[2]


def test_memory_does_not_change_with_what_it_was_given():
    memory = DiversityWindow(2, pool_capacity=40)
    features = np.random.default_rng(0).random((10, 4)).astype(np.float32)
    labels = np.arange(10) % 2
    memory.add(0, features, labels, labels, np.full(10, 0.5))
    before = memory.over_pool()
    features[:] = 0
    labels[:] = 0
    assert same(memory.over_pool(), before)


# End-points


@given(SEEDS, st.integers(0, 40), st.integers(0, 40))
def test_stand_ins_are_of_the_wanted_class_and_none_stands_twice(seed, m, n):
    rng = np.random.default_rng(seed)
    wanted, labels = rng.integers(0, 4, m), rng.integers(0, 4, n)
    places, picks = replacements(wanted, n, labels, seed)
    assert len(set(places.tolist())) == len(set(picks.tolist())) == len(places) == len(picks)
    assert wanted[places].tolist() == labels[picks].tolist()
    for label in range(4):  # as many as there are
        assert (labels[picks] == label).sum() == min((wanted == label).sum(), (labels == label).sum())
    places, picks = replacements(wanted, n, None, seed)
    assert len(set(places.tolist())) == len(set(picks.tolist())) == len(places) == min(m, n)


def test_an_end_point_has_the_samples_counts_and_its_own_diversity():
    features, labels, teacher_labels = sample(0, n=300)
    wanted = np.repeat(np.arange(5), [3, 10, 0, 7, 1])
    point = end_point(wanted, features, labels, teacher_labels, 5, teacher_confidence=np.ones(300), seed=1)
    assert point.counts.tolist() == [3, 10, 0, 7, 1]
    assert point.confidence_mean == 1
    other = end_point(wanted, features, labels, teacher_labels, 5, seed=2)
    assert not np.allclose(point.vendi, other.vendi)  # the seed draws


def test_a_sample_that_stands_in_for_itself_is_measured_as_itself():
    features, labels, teacher_labels = sample(0)
    assert same(end_point(labels, features, labels, teacher_labels, 5), measure(features, labels, teacher_labels, 5))


def test_noise_is_wanted_to_be_what_it_stands_for():
    rng = np.random.default_rng(0)
    wanted, teacher_labels = np.arange(200) % 10, np.full(500, 3)
    noise = end_point(wanted, rng.random((500, 8)), None, teacher_labels, 10)
    assert noise.counts.tolist() == [20] * 10
    assert noise.label_accuracy == pytest.approx(0.1)  # one class in ten: what a teacher that always says 3 gets
    assert noise.teacher_entropy == 0


@pytest.mark.parametrize("labeled", [True, False])
def test_an_end_point_is_laid_out_over_the_samples_rounds(labeled):
    wanted, rounds = np.tile(np.arange(5), 12), np.repeat(np.arange(6), 10)
    labels = np.repeat(np.arange(5), 20)
    point = end_point_across(wanted, rounds, np.eye(100), labels if labeled else None, 5)
    assert point is not None
    assert point.rounds == 5
    assert point.counts.tolist() == [2] * 5
    assert point.nearest_mean == point.distance_mean == pytest.approx(1)  # no image stands in for two
    assert point.repeat_share == 0
