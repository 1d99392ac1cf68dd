"""What is counted of a run is never less than what must be there, whatever network, batch or method it is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nayer.common.machine_memory import free_memory
from nayer.config import Config
from nayer.distillation.evaluation import CHUNK
from nayer.errors import ConfigError
from nayer.networks import noisy_layer
from nayer.networks.cards import TeacherCard, student_spec, teacher_cards
from nayer.networks.classifiers import Classifier, build
from nayer.networks.specs import FAMILIES, WIDTHS
from nayer.presets import PRESETS
from nayer.runs.memory_check import check_memory
from nayer.runs.memory_use import resident, use_of
from tests.support.peak_memory import peak, shortened

CARDS = {card.name: card for card in teacher_cards()}
SHARED = 2304 << 20


def held_for_backward(network: nn.Module, images: torch.Tensor) -> int:
    """Bytes that PyTorch itself saves of one forward pass, counted on the CPU, weights apart."""
    weights = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    found: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        held = network(images)
    del held
    return sum(found.values())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("teacher", ["fashion", "cifar10"])
def test_a_students_step_holds_at_least_what_pytorch_saves_of_it(family: str, teacher: str) -> None:
    config = Config(teacher=teacher, student=f"{family}-4", student_batch=12)
    spec = student_spec(CARDS[teacher], config.student)
    student = build(spec).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    saved = held_for_backward(student.train(), torch.rand(12, spec.channels, spec.size, spec.size))
    passing = use_of(config, CARDS[teacher]).passing
    # Besides, the images and the gradients on their way; or the teacher's pass, which comes first.
    assert saved <= passing["student_batch"] <= 4 * saved + passing["teacher"]


@settings(max_examples=40, deadline=None)
@given(
    teacher=st.sampled_from(sorted(CARDS)),
    family=st.sampled_from(sorted(FAMILIES)),
    width=st.integers(*WIDTHS),
    preset=st.sampled_from(sorted(PRESETS)),
    changes=st.fixed_dictionaries(
        {},
        optional={
            "synthesis_batch": st.integers(100, 4096),
            "student_batch": st.integers(1, 4096),
            "generator_width": st.integers(1, 512),
            "noisy_width": st.integers(0, 8192),
            "routing": st.sampled_from(["k-to-1", "1-to-1", "single"]),
            "pool_capacity": st.integers(1, 1_000_000),
            "bank_capacity": st.integers(1, 1_000_000),
            "student_optimizer": st.sampled_from(["sgd", "adam"]),
            "keep": st.sampled_from(["best", "last", "all"]),
        },
    ),
)
def test_what_is_accepted_holds_all_that_must_be_there(
    teacher: str, family: str, width: int, preset: str, changes: dict[str, Any]
) -> None:
    """A lower bound, by other arithmetic: weights, gradients, moments and the batches themselves."""
    card = CARDS[teacher]
    config = Config.parse({**changes, "teacher": teacher, "student": f"{family}-{width}"}, PRESETS[preset].config)
    try:
        check_memory([(config, card)], SHARED, "a test allows")
    except ConfigError as refused:
        assert "needs too much memory" in str(refused)  # noqa: PT017 - both outcomes are right
        return
    assert least(config, card) <= SHARED


def least(config: Config, card: TeacherCard) -> int:
    with torch.device("meta"):
        student = Classifier(student_spec(card, config.student))
    weights = sum(parameter.numel() for parameter in student.parameters())
    k, batch, side = len(card.classes), config.synthesis_batch, card.model.size
    layers = noisy_layer.layers(config.routing, k, batch) if config.noisy_layer else 0
    noisy = layers * noisy_layer.outputs(config.noisy_width, k) * (config.z_size + 10)
    numbers = (4 if config.student_optimizer == "adam" else 3) * weights + 4 * noisy
    numbers += batch * config.generator_width * side**2 * 4  # two maps, each before and after its BatchNorm
    numbers += config.bank_capacity * 128 if config.contrastive_weight else 0
    return 4 * numbers


def test_settings_that_no_round_can_be_made_with_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"^student=resnet34-4, student_batch=1 .* cannot run together"):
        use_of(Config(teacher="digits", student="resnet34-4", student_batch=1), CARDS["digits"])
    with pytest.raises(ConfigError, match="synthesis_batch=5 is smaller than the 10 classes"):
        use_of(Config(teacher="digits", synthesis_batch=5), CARDS["digits"])


@pytest.mark.slow  # row 18 of the reliability table measures the largest accepted runs
def test_a_real_run_stays_within_what_was_counted_and_takes_more_than_a_third_of_it() -> None:
    config = shortened(Config(teacher="fashion", student="wrn16-1", synthesis_batch=150, student_batch=150))
    counted = resident([use_of(config, CARDS["fashion"])])
    assert counted / 3 < peak([config]) <= counted


def test_arms_side_by_side_add_what_each_keeps_and_one_of_their_steps() -> None:
    use = use_of(Config(teacher="fashion"), CARDS["fashion"])
    one, two = resident([use]), resident([use, use])
    assert one < two < 2 * one


@pytest.mark.parametrize("name", ["generator_steps", "rounds", "seconds", "temperature", "seed"])
def test_settings_that_change_no_tensor_are_not_rehearsed_anew(name: str) -> None:
    from nayer.runs.rehearsed_round import _rehearsed

    use_of(Config(teacher="digits"), CARDS["digits"])
    before = _rehearsed.cache_info().misses
    use_of(Config(teacher="digits").model_copy(update={name: 7}), CARDS["digits"])
    assert _rehearsed.cache_info().misses == before


def test_a_pool_counts_by_what_can_get_into_it() -> None:
    def pool(**changes: Any) -> int:
        return use_of(Config.parse({"teacher": "digits", **changes}), CARDS["digits"]).kept["pool_capacity"]

    image = 64 + 8
    full = 2 * 5000 * image  # in memory, and in the checkpoint that is being written
    assert pool(rounds=1000) == pool(rounds=100_000) == full
    assert pool(rounds=10) == 3 * 10 * 100 * image  # room is doubled as it fills
    assert pool(rounds=1000, memory="online") == 0
    assert pool(rounds=100_000, seconds=0.001) < full


def test_a_step_that_evaluates_is_counted_where_the_batches_are_small() -> None:
    config = Config(teacher="cifar10", student="wrn40-8", student_batch=1, synthesis_batch=10)
    assert use_of(config, CARDS["cifar10"]).passing["student"] >= 2 * 4 * CHUNK * 128 * 32 * 32


@pytest.mark.parametrize(
    ("most", "used", "free"),
    [("max", "5", 2048.0 * 1024), ("1000000", "400000", 600_000.0), ("1000", "5000", 0.0)],
)
def test_what_is_free_is_the_containers_where_that_is_less(tmp_path: Path, most: str, used: str, free: float) -> None:
    (tmp_path / "memory.max").write_text(most)
    (tmp_path / "memory.current").write_text(used)
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9999 kB\nMemAvailable:    2048 kB\n")
    assert free_memory(meminfo, tmp_path, tmp_path / "none") == free


def test_a_system_that_tells_nothing_limits_nothing(tmp_path: Path) -> None:
    assert free_memory(tmp_path / "a", tmp_path / "b", tmp_path / "c") == float("inf")
