"""What earlier versions stored: names that are other ones now, and settings that are gone. Needs no torch.

Recordings, database rows, checkpoints, cards, files of YAML, addresses and commands contain such names. Code that reads
one of them gives each name its present form. Nothing is written under an earlier name. Only `without_retired` reads
whole configs. It drops a retired setting whose value is the one that this version always uses, and refuses any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from nayer.errors import ConfigError, excerpt

T = TypeVar("T")

# earlier name -> present name
RENAMED_SETTINGS = {"bent_share": "elastic_share"}
RENAMED_EVENTS = {"RoundSynthesised": "RoundSynthesized"}
RENAMED_FIELDS = {"label_hit": "label_accuracy", "label_hits": "label_accuracies"}  # of events, tables and studies
RENAMED_CARD_FIELDS = {"licence": "license"}  # of teachers and judges
# name -> (the value that this version always uses, its effect)
RETIRED: dict[str, tuple[object, str]] = {
    "embedding_norm": ("batch", "the embeddings always pass BatchNorm"),
    "z_scale": (1.0, "the noise beside a table always has scale 1"),
    "noisy_std": (1.0, "weights of the noisy layer are always drawn with standard deviation 1"),
    "contrastive_temperature": (0.1, "the contrastive term always has temperature 0.1"),
    "student_momentum": (0.9, "the student's SGD always has momentum 0.9"),
}
# Values that a setting no longer takes: (name, value) -> what it takes instead.
RETIRED_VALUES: dict[tuple[str, str], str] = {
    ("adversarial_form", "js"): "kl, reverse-kl or l1",
}


class RetiredSetting(ConfigError):
    """A stored config asks for something that this version no longer does."""


def with_present_names(values: Mapping[str, T], renamed: Mapping[str, str]) -> dict[str, T]:
    """`values` under the present names of `renamed`. If both names are there, the value of the present one counts."""
    return {renamed.get(name, name): value for name, value in values.items() if renamed.get(name) not in values}


def without_retired(values: Mapping[str, object]) -> dict[str, object]:
    """`values` without retired settings, under the present names.

    Raises RetiredSetting in one sentence if one of them has another value than this version uses.
    """
    for name, (value, meaning) in RETIRED.items():
        if name in values and values[name] != value:
            raise RetiredSetting(f"{name}={excerpt(values[name])} is gone: {meaning}; leave the setting out.")
    for (name, value), instead in RETIRED_VALUES.items():
        if values.get(name) == value:
            raise RetiredSetting(f"{name}={value} is gone; use {instead}.")
    present = with_present_names(values, RENAMED_SETTINGS)
    return {name: value for name, value in present.items() if name not in RETIRED}
