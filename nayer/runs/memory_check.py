"""Refuses runs and trainings that need more memory than there is, in a sentence that names what would work."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks import noisy_layer
from nayer.networks.cards import TeacherCard, student_spec
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import ModelSpec
from nayer.runs.memory_use import BESIDE, RESIDENT, resident, use_of
from nayer.runs.rehearsal import META, Rehearsal
from nayer.runs.rehearsed_round import HeldOptimizer, channels_last


def check_memory(
    runs: Sequence[tuple[Config, TeacherCard]],
    limit: float,
    whose: str,
    teacher: nn.Module | None = None,
    judge: ModelSpec | None = None,
) -> None:
    """Raises ConfigError, in one sentence, if `runs` that take turns need more than `limit` bytes.

    The sentence names the setting that causes the most bytes, and a value that works. `whose`: words for the limit,
    such as "this machine can spare".
    """
    uses = [use_of(config, card, teacher, judge) for config, card in runs]
    needed = resident(uses)
    if needed <= limit:
        return
    place = max(range(len(uses)), key=lambda number: uses[number].largest[1])
    (name, part), (config, card) = uses[place].largest, runs[place]
    value = _value(name, config, card)
    need = (
        f"this run takes {_in_words(needed)}" if len(runs) == 1 else f"these {len(runs)} runs take {_in_words(needed)}"
    )
    raise ConfigError(
        f"{name}={value} needs too much memory: {need}, of which this setting takes {_in_words(RESIDENT * part)}, and "
        f"{whose} {_in_words(limit)}; use "
        f"{_advice(name, value, 1.0 - (needed - limit) / RESIDENT / part, len(card.classes))}."
    )


def check_training(spec: ModelSpec, batch: int, images: int, limit: float, whose: str) -> None:
    """Raises ConfigError if a network of `spec` cannot learn from batches of labeled images, `images` bytes in all."""
    rehearsal = Rehearsal()
    with rehearsal:
        with torch.device(META):
            network = channels_last(Classifier(spec))
            HeldOptimizer(list(network.parameters()), 1)
            seen = torch.empty(batch, spec.channels, spec.size, spec.size)
        network(seen).sum().backward()
    needed = RESIDENT * rehearsal.peak + images + BESIDE
    if needed > limit:
        raise ConfigError(
            f"model={spec.architecture} needs too much memory: batches of {batch} images of {spec.size} × {spec.size} "
            f"take {_in_words(needed)}, and {whose} {_in_words(limit)}; use a smaller network."
        )


def _value(name: str, config: Config, card: TeacherCard) -> str | int:
    """The value for the sentence. An automatic value appears as the chosen value."""
    if name == "teacher":
        return f"{config.teacher[:60]} ({card.model.architecture})"
    if name == "student":
        return student_spec(card, config.student).architecture
    if name == "noisy_width":
        return noisy_layer.outputs(config.noisy_width, len(card.classes))
    value: int = getattr(config, name)
    return value


_WIDER = {  # other settings that make the same data smaller
    "synthesis_batch": "or narrower networks (generator_width, student)",
    "student_batch": "or a narrower student",
    "noisy_width": "or fewer layers (routing=k-to-1, a smaller synthesis_batch)",
}


def _advice(name: str, value: str | int, share: float, classes: int) -> str:
    """`share` is the part of the value that remains. If only the value causes the bytes, the advice has a bound."""
    if isinstance(value, str):
        return "a smaller network"
    least = classes if name == "synthesis_batch" else 1
    words = f"at most {int(value * share):,}" if value * share >= least else "a smaller one"
    return f"{words}, {_WIDER[name]}" if name in _WIDER else words


def _in_words(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
