"""Limits of a run on a shared page: memory at once, work in all, and work of one round."""

from __future__ import annotations

from collections.abc import Sequence

from nayer.common.machine_memory import limit_for_a_run
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks.cards import TeacherCard

SECONDS = 900.0  # s of work in a place, the setting `seconds`; for a lab, all arms and seeds together
IMAGES = 5_000_000  # images through a network, if `seconds` is no limit: about as long, on two cores
ROUND = 40e12  # multiply-adds of one round: fifteen minutes of two cores that do 22e9 a second each
WORK = ROUND / 1e9  # 10⁹ multiply-adds of a whole run, or of all arms and seeds of a lab together
MEMORY = 2304 << 20  # bytes for one run on a shared page: NAYER as published counts as 2.3 GB on 32 × 32 pixels


def images(config: Config) -> int:
    """How many images a run without a budget of seconds puts through a network: rounds × steps × batch."""
    made = config.generator_steps * config.synthesis_batch
    return config.rounds * (made + config.student_steps * config.student_batch)


def check_cost(configs: Sequence[Config], card: TeacherCard, *, local: bool, memory: int = MEMORY) -> None:
    """Raises ConfigError, with one sentence that names the cause, for runs that are too large for this page.

    `configs`: the configs of runs that take turns, such as a lab's arms, with the teacher of `card`. On a shared page
    they may take `memory` bytes together. On a local page they may take the free memory of the machine.
    """
    from nayer.runs.memory_check import check_memory  # it imports torch, and the page must not wait for that

    runs = [(config, card) for config in configs]
    if local:
        check_memory(runs, limit_for_a_run(), "the limit of this machine is")
        return
    for config in configs:
        _check_images(config)
    check_memory(runs, memory, "a shared page allows")
    for config in configs:
        _check_round(config, card)


def check_teacher(card: TeacherCard, *, local: bool, memory: int = MEMORY) -> None:
    """Raises ConfigError if even the smallest run with a teacher is too large. It uses only the teacher's card."""
    k = len(card.classes)
    smallest = Config(
        teacher=card.name,
        latent="one-hot",
        rounds=1,
        generator_steps=1,
        generator_width=1,
        noisy_width=1,
        synthesis_batch=k,
        student_steps=1,
        student_batch=2,  # a BatchNorm wants more than one number
        pool_capacity=1,
        test_images=1,
    )
    check_cost([smallest], card, local=local, memory=memory)


def _check_images(config: Config) -> None:
    work = images(config)
    if work > IMAGES and not 0 < config.seconds <= SECONDS and not 0 < config.work <= WORK:
        raise ConfigError(
            f"rounds={config.rounds} × (generator_steps={config.generator_steps} × "
            f"synthesis_batch={config.synthesis_batch} + student_steps={config.student_steps} × "
            f"student_batch={config.student_batch}) are {work:,} images; a shared page allows {IMAGES:,}, so use "
            f"fewer, a limit of work of at most {WORK:g}, or a time limit of at most {SECONDS:g} s."
        )


def _check_round(config: Config, card: TeacherCard) -> None:
    """Checks the cost of one round: a run does at least one round, for any value of `seconds`."""
    from nayer.runs.memory_use import use_of

    work = use_of(config, card).work
    if work > ROUND:
        raise ConfigError(
            f"generator_steps={config.generator_steps} × synthesis_batch={config.synthesis_batch}, "
            f"student_steps={config.student_steps} × student_batch={config.student_batch} and "
            f"test_images={config.test_images} make a round of {work / 1e9:,.0f} billion multiply-adds with these "
            f"networks; a shared page allows {ROUND / 1e9:,.0f} billion, so use fewer steps, smaller batches, fewer "
            "test images or narrower networks."
        )
