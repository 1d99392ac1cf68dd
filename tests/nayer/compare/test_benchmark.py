"""What the benchmark counts: operations in closed form, times that lose nothing, levels in normalized seconds."""

import itertools
import time

import pytest
import torch

from nayer.cli.main import main
from nayer.compare.benchmark import levels
from nayer.compare.outcome import Outcome
from nayer.compare.products import ProductCounter, _made
from nayer.compare.profile import PARTS, profile
from nayer.compare.published import published_facts
from nayer.config import Config
from nayer.distillation import augmentation, train

TINY = Config(
    teacher="digits",
    student="lenet-2",
    device="cpu",
    warmup_rounds=1,
    generator_steps=2,
    student_steps=3,
    student_batch=10,
    synthesis_batch=10,
    generator_width=2,
    noisy_width=8,
    test_images=20,
)


def lenet_gigaflop(width: int, side: int, images: int) -> float:
    """A forward pass of lenet-`width` over gray images, multiplications and additions."""
    first = side**2 * width * 25
    second = (side // 2) ** 2 * 2 * width * width * 25
    hidden = 2 * width * (side // 4) ** 2 * 8 * width
    return 2 * images * (first + second + hidden + 8 * width * 10) / 1e9


def test_operations_are_those_of_the_layers():
    parts = profile(TINY, rounds=1).parts
    forward = lenet_gigaflop(8, 8, 10)
    # Synthesis: two steps, forward and back to the images. Distillation: three steps, forward alone.
    assert parts["teacher"].gigaflop == pytest.approx(2 * 2 * forward + 3 * forward, rel=1e-6)
    student = lenet_gigaflop(2, 8, 10)
    to_images = 2 * 10 * 8**2 * 2 * 25 / 1e9  # a student's step needs no gradient of its images
    assert parts["student"].gigaflop == pytest.approx(2 * 2 * student + 3 * (3 * student - to_images), rel=1e-6)
    assert parts["generator"].gigaflop > 0
    assert parts["evaluation"].gigaflop == pytest.approx(lenet_gigaflop(2, 8, 20), rel=1e-6)


def test_no_second_is_lost_or_counted_twice_and_the_watchers_leave():
    plain = (train.crop_and_flip, torch.Tensor.backward, torch.optim.Adam.step)
    began = time.perf_counter()
    found = profile(TINY, rounds=2)
    parts = found.parts
    assert set(parts) == set(PARTS)
    assert all(part.seconds >= 0 for part in parts.values())
    assert found.seconds == pytest.approx(sum(part.seconds for part in parts.values()))
    assert 0 < 2 * found.seconds < time.perf_counter() - began
    assert (train.crop_and_flip, torch.Tensor.backward, torch.optim.Adam.step) == plain
    assert train.crop_and_flip is augmentation.crop_and_flip


def test_products_are_noted_as_they_happen_and_made_again_one_by_one():
    layer = torch.nn.Conv2d(3, 4, 3)
    images = torch.rand(2, 3, 8, 8)
    with ProductCounter() as products:
        for _ in range(5):
            layer(images)
        layer(images.requires_grad_()).sum().backward()
        with torch.autocast("cpu", torch.bfloat16):
            torch.rand(2, 3) @ torch.rand(3, 4)
    assert sorted((call[0]._overloadpacket.__name__, count) for call, count in products.calls.items()) == [
        ("convolution", 6),
        ("convolution_backward", 1),
        ("mm", 1),
    ]
    [(dtype, shape)] = [
        (made[0].dtype, made[1].shape) for call in products.calls if len(made := [_made(part) for part in call[1]]) == 2
    ]
    assert (dtype, shape) == (torch.bfloat16, (3, 4))
    ticks = itertools.count()
    assert products.seconds(lambda: float(next(ticks))) == 6 + 1 + 1  # a tick each


def test_levels_are_medians_in_normalized_seconds():
    def run(seed, gigaflops, *curve):
        made = Outcome("nayer", seed, Config(seconds=60.0).model_dump(), gigaflops, curve=list(curve))
        made.teacher_accuracy = 0.9
        return made

    runs = [
        run(0, 50.0, (10.0, 0.5), (20.0, 0.75)),
        run(1, 200.0, (10.0, 0.73), (20.0, 0.7)),
        run(2, 100.0, (30.0, 0.82)),
    ]
    found = levels(runs)
    assert found["accuracy"] == pytest.approx((0.75 + 0.7 + 0.82) / 3)
    assert found["to_80_seconds"] == 20.0  # of 10, 20, 30
    assert found["to_80_normalized"] == 20.0  # of 20 · 0.5, 10 · 2, 30 · 1
    assert (found["to_80_normalized_lowest"], found["to_80_normalized_highest"]) == (10.0, 30.0)
    assert found["to_90_seconds"] is None  # one of three
    assert found["to_90_normalized_lowest"] == 30.0
    assert found["to_98_runs"] == 0


def test_a_run_that_never_reached_a_level_counts_as_longest():
    curves = ([(10.0, 0.82)], [(30.0, 0.82)], [(60.0, 0.5)])
    runs = [Outcome("nayer", seed, Config().model_dump(), 100.0, curve=curve) for seed, curve in enumerate(curves)]
    for one in runs:
        one.teacher_accuracy = 0.9
    found = levels(runs)
    assert (found["to_90_seconds"], found["to_90_normalized"], found["to_90_runs"]) == (30.0, 30.0, 2)


@pytest.mark.slow
def test_a_measurement_is_held_against_an_earlier_one(tmp_path, capsys):
    short = ["bench", "--teacher", "digits", "--presets", "nayer", "--seeds", "0", "--seconds", "0.01"]
    assert main([*short, "--json", str(tmp_path / "first.json")]) == 0
    assert "before" not in capsys.readouterr().out
    assert main([*short, "--against", str(tmp_path / "first.json")]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("digits.nayer.accuracy ")]
    assert "before" in lines[0]
    (tmp_path / "torn.json").write_text("{")
    assert main([*short, "--against", str(tmp_path / "torn.json")]) == 1
    assert "contains no earlier measurement" in capsys.readouterr().err


def test_the_published_experiment_runs_at_a_tiny_size(tmp_path):
    """All of it but the size: a teacher is taught once, and its student learns with the published schedule."""
    changes = TINY.model_dump(exclude={"teacher", "student", "seconds"}) | {"rounds": 5, "evaluate_every": 1}
    told: list[str] = []
    pairs = (("plainnet-2", "lenet-1"), ("lenet-2", "lenet-1"))
    facts = {
        name: value
        for pair in published_facts("", tmp_path, told.append, recipe="digits", pairs=pairs, changes=changes)
        for name, value in pair.items()
    }
    for pair in ("plainnet-2.lenet-1", "lenet-2.lenet-1"):
        assert 0.0 <= facts[f"{pair}.accuracy"] <= 1.0
        assert 0.5 < facts[f"{pair}.teacher_accuracy"] <= 1.0
        assert 0.0 < facts[f"{pair}.epoch_seconds"] < 3600.0 * facts[f"{pair}.hours"]
    assert [line for line in told if line.startswith("teaching")] == ["teaching plainnet-2", "teaching lenet-2"]
    list(published_facts("", tmp_path, told.append, recipe="digits", pairs=pairs[1:], changes=changes))
    assert told.count("teaching lenet-2") == 1  # the teacher is there


def test_the_suite_for_a_gpu_says_where_its_data_should_be(tmp_path, capsys):
    assert main(["bench", "--suite", "gpu", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "gpu")]) == 2
    assert "is not a folder; name the folder with CIFAR-10's images" in capsys.readouterr().err
