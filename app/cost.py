"""What a run may cost on a page that others share: work in images, and what must be in memory at once."""

from __future__ import annotations

from nayer import noisy_shape
from nayer.architectures import parse_architecture
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.teacher_cards import TeacherCard, student_spec

SECONDS = 900.0  # of work that may hold a place, told as `seconds`; of a lab, all arms and seeds together
IMAGES = 5_000_000  # through a network, where `seconds` bounds nothing: about as long, on two cores
_KEPT = 160_000  # images in the pool, or outputs in the bank: the largest of the ready-made
_PAINTED = 400 * 64 * 32**2  # pixels of a batch × the generator's width: NAYER as published, 4 GB for two such runs
_NOISY = 200 * 512 * 1000  # weights of all noisy layers: a published batch of two classes; 1.6 GB with Adam's moments
_EMBEDDING = 512  # numbers of a class's embedding, about
_STUDENT_BATCH = 512  # the largest of the ready-made
_MAP = 16 * 32**2 * 512  # numbers in a network's first map of a whole batch: channels × pixels × images


def images(config: Config) -> int:
    """How many images a run without a budget of seconds puts through a network: rounds × steps × batch."""
    made = config.generator_steps * config.synthesis_batch
    return config.rounds * (made + config.student_steps * config.student_batch)


def check_cost(config: Config, card: TeacherCard) -> None:
    """ConfigError, in one sentence that names what it comes from, for a run that a shared page cannot bear.

    `card`: of its teacher.
    """
    work = images(config)
    if work > IMAGES and not 0 < config.seconds <= SECONDS:
        raise ConfigError(
            f"rounds={config.rounds} × (generator_steps={config.generator_steps} × synthesis_batch="
            f"{config.synthesis_batch} + student_steps={config.student_steps} × student_batch={config.student_batch}) "
            f"are {work:,} images of work; a shared page allows {IMAGES:,}, so use fewer, or seconds of at most "
            f"{SECONDS:g}."
        )
    kept = min(config.pool_capacity, config.rounds * config.synthesis_batch)
    bank = config.bank_capacity if config.contrastive_weight else 0
    for told, much, most in (
        (f"student_batch={config.student_batch}", config.student_batch, _STUDENT_BATCH),
        (f"pool_capacity={config.pool_capacity}", kept, _KEPT),
        (f"bank_capacity={config.bank_capacity}", bank, _KEPT),
    ):
        if much > most:
            raise ConfigError(f"{told} needs too much memory for a shared page; use at most {most:,}.")
    _check_generator(config, card)
    _check_noisy_layers(config, card)
    _check_networks(config, card)


def _check_generator(config: Config, card: TeacherCard) -> None:
    """It paints a whole batch at once, in so many channels."""
    size, batch, width = card.model.size, config.synthesis_batch, config.generator_width
    if batch * width * size**2 > _PAINTED:
        raise ConfigError(
            f"synthesis_batch={batch} × generator_width={width} for images of {size} × {size} needs too much memory "
            f"for a shared page; use a batch of at most {_PAINTED // (width * size**2)}, or a narrower generator."
        )


def _check_noisy_layers(config: Config, card: TeacherCard) -> None:
    """Each takes an embedding and what noise there is beside it."""
    k, batch = len(card.classes), config.synthesis_batch
    layers, width = noisy_shape.layers(config.routing, k, batch), noisy_shape.outputs(config.noisy_width, k)
    inputs = _EMBEDDING + config.z_size
    if config.noisy_layer and layers * inputs * width > _NOISY:
        raise ConfigError(
            f"noisy_width={width} in {layers} noisy layers (routing={config.routing}, synthesis_batch={batch}) needs "
            f"too much memory for a shared page; use at most {_NOISY // (layers * inputs)}, or fewer layers."
        )


def _check_networks(config: Config, card: TeacherCard) -> None:
    """A teacher or a student may be too wide for its images and batches."""
    batch = max(config.synthesis_batch, config.student_batch)
    for field, spec in (("teacher", card.model), ("student", student_spec(card, config.student))):
        _, width = parse_architecture(spec.architecture, field)
        if width * spec.size**2 * batch > _MAP:
            raise ConfigError(
                f"{field}={spec.architecture} on {batch} images of {spec.size} × {spec.size} at once needs too much "
                f"memory for a shared page; use a width of at most {max(1, _MAP // (spec.size**2 * batch))}, or "
                f"smaller batches."
            )
