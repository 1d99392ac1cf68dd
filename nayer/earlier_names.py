"""Stored names of earlier versions, with the names of this one. Needs no torch.

Recordings, database rows, checkpoints, cards, files of YAML, addresses and commands contain such names. Code that reads
one of them gives each name its present form. Nothing is written under an earlier name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

# earlier name -> present name
SETTINGS = {"bent_share": "elastic_share"}
EVENTS = {"RoundSynthesised": "RoundSynthesized"}
CARD_FIELDS = {"licence": "license"}  # of teachers and judges


def with_present_names(values: Mapping[str, T], renamed: Mapping[str, str]) -> dict[str, T]:
    """`values` under the present names of `renamed`. If both names are there, the value of the present one counts."""
    return {renamed.get(name, name): value for name, value in values.items() if renamed.get(name) not in values}
