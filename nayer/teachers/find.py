"""Finds a teacher by its name: shipped, in a folder of nayer or of transformers, or on the Hub."""

from __future__ import annotations

from pathlib import Path

from nayer.common.hub import is_hub_id
from nayer.networks.cards import is_pretrained
from nayer.teachers.from_transformers import pretrained_teacher
from nayer.teachers.load import Teacher, load_teacher


def find_teacher(name: str) -> Teacher:
    """The teacher, checked. A teacher on this machine comes before one on the Hub.

    Raises ConfigError if no teacher has that name. Raises AssetError with the teacher's name if it cannot be used.
    """
    if is_pretrained(Path(name)) or (is_hub_id(name) and not Path(name).exists()):
        return pretrained_teacher(name)
    return load_teacher(name)
