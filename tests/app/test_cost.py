"""What a page that others share bears of one run: every ready-made one, and nothing that holds a place for hours."""

from __future__ import annotations

import gradio as gr
import pytest

from app.commands import Commands
from app.controls import make_config
from app.cost import IMAGES, SECONDS, check_cost, images
from app.sessions import Registry
from nayer.config import Config
from nayer.config import settings as fields
from nayer.errors import ConfigError
from nayer.methods import PRESETS
from nayer.teacher_cards import teacher_cards
from tests.app.gates import Gate
from tests.app.serving import wait_until

CARDS = teacher_cards()
FASHION, CIFAR10 = (next(card for card in CARDS if card.name == name) for name in ("fashion", "cifar10"))


@pytest.mark.parametrize("preset", [name for name in PRESETS if not name.endswith("-paper")])
def test_every_preset_for_this_machine_is_borne(preset: str) -> None:
    check_cost(PRESETS[preset].config, FASHION)


@pytest.mark.parametrize("preset", [name for name in PRESETS if name.endswith("-paper")])
def test_a_papers_own_budget_is_borne_for_a_while(preset: str) -> None:
    check_cost(PRESETS[preset].config.model_copy(update={"seconds": SECONDS}), FASHION)


def test_work_is_rounds_times_steps_times_batch() -> None:
    config = Config(rounds=7, generator_steps=3, synthesis_batch=50, student_steps=5, student_batch=20)
    assert images(config) == 7 * (3 * 50 + 5 * 20)


def test_the_bound_is_sharp_and_a_budget_of_seconds_replaces_it() -> None:
    whole = {"generator_steps": 1, "synthesis_batch": 60, "student_steps": 1, "student_batch": 40}
    config = Config(rounds=IMAGES // 100, **whole)  # type: ignore[arg-type]
    check_cost(config, FASHION)
    more = config.model_copy(update={"rounds": config.rounds + 1})
    with pytest.raises(ConfigError, match=r"rounds=50001 × .* are 5,000,100 images of work; a shared page allows"):
        check_cost(more, FASHION)
    check_cost(more.model_copy(update={"seconds": SECONDS}), FASHION)
    with pytest.raises(ConfigError, match="images of work"):
        check_cost(more.model_copy(update={"seconds": SECONDS + 1}), FASHION)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"synthesis_batch": 4096}, "synthesis_batch=4096 × generator_width=16 for images of 28 × 28"),
        ({"generator_width": 512}, "synthesis_batch=100 × generator_width=512 for images of 28 × 28"),
        ({"student_batch": 4096, "rounds": 9}, "student_batch=4096"),
        ({"pool_capacity": 1_000_000, "seconds": 10.0, "rounds": 100_000}, "pool_capacity=1000000"),
        ({"bank_capacity": 1_000_000, "contrastive_weight": 1.0}, "bank_capacity=1000000"),
    ],
)
def test_what_would_fill_the_memory_is_refused_by_name(values: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=f"^{named} needs too much memory"):
        check_cost(Config.parse(values), FASHION)


def test_noisy_layers_are_weighed_all_together() -> None:
    """A batch's layers × what goes in and comes out of each; the bound is sharp, and told."""
    wide = {"routing": "1-to-1", "synthesis_batch": 200}  # a layer an image
    check_cost(Config.parse({**wide, "noisy_width": 1000}), FASHION)
    told = (
        r"^noisy_width=1001 in 200 noisy layers \(routing=1-to-1, synthesis_batch=200\) needs .* use at most 1000, or"
    )
    with pytest.raises(ConfigError, match=told):
        check_cost(Config.parse({**wide, "noisy_width": 1001}), FASHION)
    with pytest.raises(ConfigError, match="use at most 500, or fewer layers"):
        check_cost(Config.parse({**wide, "noisy_width": 1000, "z_size": 512}), FASHION)
    check_cost(Config.parse({**wide, "noisy_width": 8192, "noisy_layer": False, "noisy_reset_every": 0}), FASHION)
    check_cost(Config.parse({**wide, "routing": "k-to-1", "noisy_width": 8192}), FASHION)


def test_large_images_take_smaller_batches() -> None:
    published = {
        name: PRESETS[name].config.model_copy(update={"seconds": SECONDS}) for name in ("nayer-paper", "dafl-paper")
    }
    check_cost(published["nayer-paper"], CIFAR10)
    check_cost(published["dafl-paper"], FASHION)
    with pytest.raises(
        ConfigError, match=r"^synthesis_batch=512 .* images of 32 × 32 .* use a batch of at most 400, or"
    ):
        check_cost(published["dafl-paper"], CIFAR10)
    wide = published["nayer-paper"].model_copy(update={"student": "resnet20-64"})
    with pytest.raises(
        ConfigError, match=r"^student=resnet20-64 on 512 images of 32 × 32 at once needs too much memory"
    ):
        check_cost(wide, CIFAR10)


def test_all_maxima_together_are_refused_where_others_share_and_ones_own_machine_may_do_it() -> None:
    most = {field.name: field.high for field in fields() if field.high is not None and field.name != "seed"}
    most = {name: type(getattr(Config(), name))(high) for name, high in most.items()}
    with pytest.raises(ConfigError, match="images of work; a shared page allows"):
        make_config("nayer", most, CARDS, local=False)
    assert make_config("nayer", {"rounds": 100_000}, CARDS, local=True).rounds == 100_000


def test_a_run_cannot_grow_on_its_way_into_what_would_have_been_refused() -> None:
    gate = Gate()
    registry = Registry(gate.opener)
    commands = Commands(registry, CARDS, local=False)
    try:
        begun = commands.start(teacher="digits")
        run = registry.find(begun["run"])
        wait_until(lambda: run.refresh().started is not None)
        with pytest.raises(gr.Error, match="images of work"):
            commands.change(begun["run"], begun["token"], {"generator_steps": 2000})
        with pytest.raises(gr.Error, match="student_batch=4096 needs too much memory"):
            commands.change(begun["run"], begun["token"], {"student_batch": 4096, "rounds": 9})
        with pytest.raises(ConfigError, match="images of work"):
            commands.revise(begun["run"], begun["token"], {"student_steps": 10_000})
    finally:
        gate.open.set()
        registry.close()
