"""What a run may cost on a page that others share: work in images, and what must be in memory at once."""

from __future__ import annotations

from nayer.architectures import parse_architecture
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.teacher_cards import TeacherCard, student_spec

SECONDS = 900.0  # of work that may hold a place, told as `seconds`; of a lab, all arms and seeds together
IMAGES = 5_000_000  # through a network, where `seconds` bounds nothing: about as long, on two cores
_KEPT = 160_000  # images in the pool, or outputs in the bank: the largest of the ready-made
_WIDE = 512 * 64  # images of a batch × the generator's width, likewise
_STUDENT_BATCH = 1024
_MAP = 1 << 24  # numbers in a network's first map of a whole batch: 16 channels of 32 × 32 pixels, 1024 times


def images(config: Config) -> int:
    """How many images a run without a budget of seconds puts through a network: rounds × steps × batch."""
    made = config.generator_steps * config.synthesis_batch
    return config.rounds * (made + config.student_steps * config.student_batch)


def check_networks(card: TeacherCard, config: Config) -> None:
    """ConfigError for a teacher or a student too wide for its images and batches on a shared page."""
    batch = max(config.synthesis_batch, config.student_batch)
    for field, spec in (("teacher", card.model), ("student", student_spec(card, config.student))):
        _, width = parse_architecture(spec.architecture, field)
        if width * spec.size**2 * batch > _MAP:
            raise ConfigError(
                f"{field}={spec.architecture} on {batch} images of {spec.size} × {spec.size} at once needs too much "
                f"memory for a shared page; use a width of at most {max(1, _MAP // (spec.size**2 * batch))}, or "
                f"smaller batches."
            )


def check_cost(config: Config) -> None:
    """ConfigError, in one sentence that names what it comes from, for a run that a shared page cannot bear."""
    work = images(config)
    if work > IMAGES and not 0 < config.seconds <= SECONDS:
        raise ConfigError(
            f"rounds={config.rounds} × (generator_steps={config.generator_steps} × synthesis_batch="
            f"{config.synthesis_batch} + student_steps={config.student_steps} × student_batch={config.student_batch}) "
            f"are {work:,} images of work; a shared page allows {IMAGES:,}, so use fewer, or seconds of at most "
            f"{SECONDS:g}."
        )
    wide = config.synthesis_batch * config.generator_width
    kept = min(config.pool_capacity, config.rounds * config.synthesis_batch)
    bank = config.bank_capacity if config.contrastive_weight else 0
    for told, size, most in (
        (f"synthesis_batch={config.synthesis_batch} × generator_width={config.generator_width}", wide, _WIDE),
        (f"student_batch={config.student_batch}", config.student_batch, _STUDENT_BATCH),
        (f"pool_capacity={config.pool_capacity}", kept, _KEPT),
        (f"bank_capacity={config.bank_capacity}", bank, _KEPT),
    ):
        if size > most:
            raise ConfigError(f"{told} needs too much memory for a shared page; use at most {most:,}.")
