"""The methods as data: each preset is a name, a paper and a config; nothing else knows a method's name."""

from __future__ import annotations

from dataclasses import dataclass

from nayer.config import Config
from nayer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Method:
    """A named point in the space of configs."""

    title: str
    paper: str
    summary: str  # one sentence for a person who picks a preset
    config: Config


_NAYER = "Tran et al., NAYER: Noisy Layer Data Generation, CVPR 2024, arXiv:2310.00258"

PRESETS: dict[str, Method] = {
    "nayer": Method(
        "NAYER, shrunk for two cores",
        paper=_NAYER,
        summary="The published method with narrow convolutions, small batches and short phases: watch it in a minute.",
        config=Config(),
    ),
    "nayer-paper": Method(
        "NAYER, as published",
        paper=_NAYER,
        summary="The published constants for CIFAR-10; made for a GPU, about 4 s a generator step on two cores.",
        config=Config(
            # E = 100: 20 warm-up epochs of 10 rounds, then 100 epochs of 2 rounds and 400 student steps
            rounds=400,
            warmup_rounds=200,
            student_every=2,
            student_steps=400,
            student_batch=512,
            student_lr=0.2,
            evaluate_every=2,
            generator_width=64,
            generator_steps=30,
            synthesis_batch=400,
            generator_reset_every=20,  # 10 epochs of 2 rounds
            warmup_generator_reset_every=100,  # 10 epochs of 10 rounds
            pool_capacity=160_000,  # the published pool has no bound: every round's 400 images
            pool_from_round=1,  # the published pool keeps round 0 too; its images have hardly learned
            held_back=0.0,
        ),
    ),
}


def get(name: str) -> Method:
    """The preset of that name; ConfigError naming those that exist."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"preset={name[:60]!r} does not exist; use one of {', '.join(PRESETS)}.") from None
