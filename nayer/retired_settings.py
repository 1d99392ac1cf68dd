"""Settings of earlier versions, and the values that a stored config may still have for them.

Recordings, database rows, checkpoints and addresses hold whole configs. Only `without_retired` reads old configs. It
gives a renamed setting its present name, and drops a retired setting whose value is the one that this version always
uses. It refuses any other value.
"""

from __future__ import annotations

from collections.abc import Mapping

from nayer.earlier_names import SETTINGS, with_present_names
from nayer.errors import ConfigError, excerpt

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
    present = with_present_names(values, SETTINGS)
    return {name: value for name, value in present.items() if name not in RETIRED}
