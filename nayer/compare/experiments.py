"""The arms of a comparison, which differ in one thing, and the ready-made experiments, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nayer.compare.titles import check_amount
from nayer.config import Config
from nayer.errors import ConfigError, excerpt
from nayer.presets import get

WITHOUT_END = {"rounds": 100_000}  # with a budget of work, rounds must not end a run sooner
_OF_THE_RUNS = {"seed": "seeds", "seconds": "work, or a plan of rounds for equal seconds"}


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the runs in a comparison."""

    title: str
    config: Config


@dataclass(frozen=True, slots=True)
class Variation:
    """An arm without the teacher, seed and budget that all arms share."""

    title: str
    preset: str = "nayer"
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A question and the arms that answer it."""

    title: str
    question: str
    variations: tuple[Variation, ...]


# In every comparison of methods: what a student learns where no generator is trained.
CONTROLS = (Variation("untrained generator", "untrained"), Variation("noise", "noise"))

# Only the policy differs. The whole generator is not rebuilt, because that would re-draw the noisy layer as well.
_KEPT_GENERATOR = {"generator_reset_every": 0, "warmup_generator_reset_every": 0}

EXPERIMENTS = {
    "reset": Experiment(
        "Re-draw every round, every 10 rounds, never",
        "How does re-drawing the noisy layer change the images and the student?",
        tuple(
            Variation(title, changes={**_KEPT_GENERATOR, "noisy_reset_every": every})
            for title, every in (("every round", 1), ("every 10 rounds", 10), ("never", 0))
        ),
    ),
    "table": Experiment(
        "LTE, one-hot, random, shuffled",
        "Does the meaning of the embeddings matter?",
        tuple(
            Variation("LTE" if latent == "lte" else latent, changes={"latent": latent})
            for latent in ("lte", "one-hot", "random", "shuffled")
        ),
    ),
    "before": Experiment(
        "Before NAYER: Fast, CMI, DeepInversion",
        "Does NAYER beat earlier methods? The two controls train no generator.",
        (
            Variation("NAYER", "nayer"),
            Variation("Fast", "fast"),
            Variation("CMI", "cmi"),
            Variation("DeepInversion", "deepinversion"),
            *CONTROLS,
        ),
    ),
    "since": Experiment(
        "Since NAYER: GapSSG, AdaDFKD, CPNet",
        "What did later methods add? The two controls train no generator.",
        (
            Variation("NAYER", "nayer"),
            Variation("GapSSG", "gapssg"),
            Variation("AdaDFKD", "adadfkd"),
            Variation("CPNet", "cpnet"),
            *CONTROLS,
        ),
    ),
    "routing": Experiment(
        "K-to-1, 1-to-1, single",
        "How many noisy layers does a batch need?",
        tuple(
            Variation(title, changes={"routing": routing})
            for title, routing in (("K-to-1", "k-to-1"), ("1-to-1", "1-to-1"), ("single", "single"))
        ),
    ),
}


def experiment(name: str) -> Experiment:
    """The ready-made experiment of that name. Otherwise a ConfigError names the experiments that exist."""
    try:
        return EXPERIMENTS[name]
    except KeyError:
        raise ConfigError(f"experiment must be one of {', '.join(EXPERIMENTS)}; {name[:60]!r} was given.") from None


def arms_of(variations: Sequence[Variation], shared: Mapping[str, object]) -> tuple[Arm, ...]:
    """The arm of each variation: its preset, then the `shared` fields, then its own changes.

    Raises ConfigError for a shared field that an arm sets itself.
    """
    own = next((name for name in shared if any(name in one.changes for one in variations)), None)
    if own is not None:
        raise ConfigError(f"{own}={shared[own]!r} cannot be shared, because arms set it themselves; leave it out.")
    endless = WITHOUT_END if shared.get("work") else {}
    return tuple(
        Arm(one.title, Config.parse({**endless, **shared, **one.changes}, get(one.preset).config)) for one in variations
    )


def check_own(names: Iterable[str]) -> None:
    """Raises ConfigError for a setting that is not an arm's own: the runs get their seeds, and no clock ends them."""
    for name in names:
        if name in _OF_THE_RUNS:
            raise ConfigError(f"{name} cannot be a setting of an arm; use {_OF_THE_RUNS[name]}.")


def of_presets(names: Sequence[str]) -> tuple[Variation, ...]:
    """One arm for each preset. Raises ConfigError for a name that does not exist."""
    return tuple(Variation(name, name) for name in names if get(name))


def grid(variations: Sequence[Variation], field_name: str, values: Sequence[object]) -> tuple[Variation, ...]:
    """Each variation once for every value of a field. This serves to tune a setting.

    Raises ConfigError for a field that a comparison gives each run itself, or for too many variations.
    """
    check_own([field_name])
    check_amount("vary", (len(variations), len(values)), 1)
    return tuple(
        Variation(f"{one.title} {field_name}={excerpt(value)}", one.preset, {**one.changes, field_name: value})
        for one in variations
        for value in values
    )
