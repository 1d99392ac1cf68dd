"""What a page that others share bears of one run: every ready-made one, and nothing that holds a place for hours."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import pytest

from app.api.commands import Commands
from app.runs.limits import IMAGES, MEMORY, ROUND, SECONDS, check_cost, check_teacher, images
from app.runs.live_run import NoSuchArm
from app.runs.manager import RunManager
from app.runs.plan import lab_plan
from app.runs.requested_config import make_config
from nayer.compare.experiments import EXPERIMENTS
from nayer.config import Config
from nayer.config import settings as fields
from nayer.errors import ConfigError
from nayer.events import Event
from nayer.networks.cards import TeacherCard, teacher_cards
from nayer.presets import PRESETS
from nayer.runs import memory_use
from tests.support.gates import Gate
from tests.support.scripted import Scripted, script
from tests.support.serving import wait_until

CARDS = {card.name: card for card in teacher_cards()}
FASHION, CIFAR10, EMOJI10 = (CARDS[name] for name in ("fashion", "cifar10", "emoji10"))


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """More cores make more rounds in as many seconds, and a fuller pool."""
    monkeypatch.setattr(memory_use, "CORES", 2)


def borne(config: Config, card: TeacherCard) -> None:
    check_cost([config], card, local=False)


@pytest.mark.parametrize("teacher", CARDS)
def test_every_preset_is_borne_with_every_shipped_teacher(teacher: str) -> None:
    """A paper's own budget of images is borne for a while. The largest teachers are tried with all presets.

    A published batch of 1024 needs more memory than a shared page gives; the sentence says which batch works.
    """
    some = PRESETS if teacher in ("cifar10", "emoji100") else [name for name in PRESETS if name.startswith("nayer")]
    for name, method in [(name, PRESETS[name]) for name in some]:
        seconds = SECONDS if name.endswith("-paper") else method.config.seconds
        if method.config.synthesis_batch >= len(CARDS[teacher].classes):
            config = method.config.model_copy(update={"teacher": teacher, "seconds": seconds})
            if name in ("dafl-paper", "adadfkd-paper"):
                with pytest.raises(ConfigError, match=r"^synthesis_batch=1024 needs too much memory: .* use at most"):
                    borne(config, CARDS[teacher])
            else:
                borne(config, CARDS[teacher])


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_is_borne_with_every_shipped_teacher(experiment: str) -> None:
    for teacher in CARDS:
        lab_plan(experiment, [], {"teacher": teacher, "seed": 0, "work": 500.0}, 1, list(CARDS.values()), local=False)


def test_work_is_rounds_times_steps_times_batch() -> None:
    config = Config(rounds=7, generator_steps=3, synthesis_batch=50, student_steps=5, student_batch=20)
    assert images(config) == 7 * (3 * 50 + 5 * 20)


def test_the_bound_is_sharp_and_a_budget_of_seconds_replaces_it() -> None:
    whole = {"generator_steps": 1, "synthesis_batch": 60, "student_steps": 1, "student_batch": 40}
    config = Config(rounds=IMAGES // 100, **whole)  # type: ignore[arg-type]
    borne(config, FASHION)
    more = config.model_copy(update={"rounds": config.rounds + 1})
    with pytest.raises(ConfigError, match=r"rounds=50001 × .* are 5,000,100 images; a shared page allows"):
        borne(more, FASHION)
    borne(more.model_copy(update={"seconds": SECONDS}), FASHION)
    with pytest.raises(ConfigError, match="images; a shared page allows"):
        borne(more.model_copy(update={"seconds": SECONDS + 1}), FASHION)


def test_no_budget_of_seconds_makes_a_round_longer_than_the_bound() -> None:
    endless = {"rounds": 1, "seconds": 1.0, "generator_steps": 2000, "student_steps": 10_000}
    with pytest.raises(
        ConfigError, match=r"^generator_steps=2000 × .* billion multiply-adds .* allows 40,000 billion, so use"
    ):
        borne(Config.parse({**endless, "synthesis_batch": 512, "student_batch": 512}), EMOJI10)
    config = Config.parse({**endless, "synthesis_batch": 100, "student_batch": 128})
    assert memory_use.use_of(config, EMOJI10).work < ROUND
    borne(config, EMOJI10)


def test_the_measuring_of_a_wide_student_counts_as_a_part_of_its_round() -> None:
    least = {"rounds": 1, "seconds": 1.0, "generator_steps": 1, "student_steps": 1, "student_batch": 2}
    wide = Config.parse({**least, "teacher": "cifar10", "synthesis_batch": 10, "student": "wrn40-8"})
    with pytest.raises(ConfigError, match=r"test_images=10000 make a round of .* fewer test images or narrower"):
        borne(wide.model_copy(update={"test_images": 10_000}), CIFAR10)
    borne(wide.model_copy(update={"test_images": 1_000}), CIFAR10)


BOMBS = [
    (
        {"student": "wrn40-128", "student_batch": 16, "synthesis_batch": 20, "seconds": 10.0, "warmup_rounds": 0},
        "student",
    ),
    ({"student": "wrn16-128", "student_batch": 1, "synthesis_batch": 10}, "student"),
    ({"student": "wrn40-32", "student_batch": 2, "synthesis_batch": 10}, "student"),
    ({"student": "wrn40-16", "student_batch": 512, "seconds": 10.0}, "student_batch"),
    ({"student": "resnet34-128", "student_batch": 1, "synthesis_batch": 10}, "student"),
    ({"synthesis_batch": 4096}, "synthesis_batch"),
    ({"generator_width": 512}, "generator_width"),
    ({"routing": "1-to-1", "noisy_width": 8192, "synthesis_batch": 200}, "noisy_width"),
    ({"noisy_width": 8192, "z_size": 4096}, "noisy_width"),
    ({"bank_capacity": 1_000_000, "contrastive_weight": 1.0}, "bank_capacity"),
    ({"pool_capacity": 1_000_000, "rounds": 9000, "generator_steps": 1, "student_steps": 1}, "pool_capacity"),
]


@pytest.mark.parametrize(("values", "named"), BOMBS)
def test_what_would_fill_the_memory_is_refused_by_name(values: dict[str, object], named: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"^{named}=\S+ needs too much memory: this run takes .* GB, .* allows 2.4 GB"
    ):
        borne(Config.parse(values), EMOJI10)


def test_what_the_sentence_advises_is_borne() -> None:
    config = Config.parse({"teacher": "cifar10", "generator_width": 64, "synthesis_batch": 1000})
    with pytest.raises(ConfigError, match=r"^synthesis_batch=1000 .* use at most") as refused:
        borne(config, CIFAR10)
    advised = int(str(refused.value).rsplit("at most ", 1)[1].split(",")[0])
    borne(config.model_copy(update={"synthesis_batch": advised}), CIFAR10)


def test_a_lab_counts_all_its_arms_at_once() -> None:
    arm = {"preset": "nayer-paper", "settings": {"rounds": 10, "student_batch": 64, "synthesis_batch": 300}}
    shared = {"teacher": "cifar10", "seed": 0, "work": 500.0}
    make_config("nayer-paper", {**arm["settings"], "teacher": "cifar10"}, [CIFAR10], local=False)  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="these 5 runs take"):
        lab_plan("", [arm] * 5, shared, 1, [CIFAR10], local=False)


def test_a_page_of_ones_own_refuses_what_the_machine_cannot_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.runs.limits.limit_for_a_run", lambda: 3e9)
    assert make_config("nayer", {"rounds": 100_000, "teacher": "cifar10"}, [CIFAR10], local=True).rounds == 100_000
    with pytest.raises(ConfigError, match=r"^student=wrn40-128 .* the limit of this machine is 3.0 GB"):
        make_config("nayer", {"student": "wrn40-128", "teacher": "cifar10"}, [CIFAR10], local=True)


@pytest.mark.parametrize("part", ["student", "model"])
def test_a_card_that_names_a_giant_is_refused_before_anything_of_it_is_built(part: str) -> None:
    spec = EMOJI10.model.model_copy(update={"architecture": "wrn40-64"})
    with pytest.raises(ConfigError, match=r"^(student|teacher)=.*wrn40-64.* needs too much memory"):
        check_teacher(EMOJI10.model_copy(update={part: spec}), local=False)
    check_teacher(EMOJI10, local=False)


def test_all_maxima_together_are_refused_where_others_share() -> None:
    most = {field.name: field.high for field in fields() if field.high is not None and field.name != "seed"}
    most = {name: type(getattr(Config(), name))(high) for name, high in most.items()}
    with pytest.raises(ConfigError, match="images; a shared page allows"):
        make_config("nayer", most, list(CARDS.values()), local=False)


def test_a_run_cannot_grow_on_its_way_into_what_would_have_been_refused() -> None:
    gate = Gate()
    registry = RunManager(gate.opener)
    commands = Commands(registry, list(CARDS.values()), local=False)
    try:
        begun = commands.start(teacher="cifar10")
        run = registry.find(begun["run"])
        wait_until(lambda: run.refresh().started is not None)
        with pytest.raises(ConfigError, match="images; a shared page allows"):
            commands.change(begun["run"], begun["token"], {"generator_steps": 2000})
        with pytest.raises(ConfigError, match="synthesis_batch=4096 needs too much memory"):
            commands.change(begun["run"], begun["token"], {"synthesis_batch": 4096, "rounds": 9})
        with pytest.raises(ConfigError, match="images; a shared page allows"):
            commands.revise(begun["run"], begun["token"], {"student_steps": 10_000})
    finally:
        gate.open.set()
        registry.close()


class Revised(Scripted):
    """A run that begins its rounds when it may `go`, and keeps what is changed."""

    def __init__(self, config: Config, go: threading.Event) -> None:
        super().__init__(self._events)
        self.config, self._go = config, go

    def _events(self) -> Iterator[Event]:
        started, *rounds = script(self.config)
        yield started
        self._go.wait()
        yield from rounds

    def change(self, arm: int, values: Mapping[str, object]) -> Config:
        self.config = self.config.changed(values)
        return self.config


def test_changes_that_wait_for_the_next_round_count_together() -> None:
    go = threading.Event()
    registry = RunManager(lambda plan: Revised(plan.configs[0], go))
    commands = Commands(registry, list(CARDS.values()), local=False)
    parts: list[dict[str, object]] = [{"student_batch": 1500}, {"synthesis_batch": 600}, {"noisy_width": 5000}]
    for part in parts:
        borne(Config.parse({"teacher": "cifar10", "rounds": 9, **part}), CIFAR10)
    try:
        begun = commands.start(teacher="cifar10", rounds=9)
        run = registry.find(begun["run"])
        wait_until(lambda: run.refresh().started is not None)
        commands.step(begun["run"], begun["token"], "round")
        go.set()
        wait_until(lambda: run.state == "paused")  # its changes wait for the next round, which does not begin
        with pytest.raises(NoSuchArm, match=r"^arm=1 is not part of this run"):
            commands.change(begun["run"], begun["token"], parts[0], 1)
        commands.change(begun["run"], begun["token"], parts[0])
        commands.change(begun["run"], begun["token"], parts[1])
        with pytest.raises(ConfigError, match="needs too much memory"):
            commands.change(begun["run"], begun["token"], parts[2])
    finally:
        go.set()
        registry.close()


def test_the_memory_of_a_run_is_what_two_have_together() -> None:
    from app.environment import Environment

    assert Environment().run_memory == MEMORY
    assert Environment.read({"NAYER_MEMORY_MB": "8000", "NAYER_CAPACITY": "4"}).run_memory == 2000 << 20
