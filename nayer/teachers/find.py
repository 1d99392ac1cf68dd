"""Where a teacher comes from, by its name: shipped, in a folder of ours or of transformers', or on the Hub."""

from __future__ import annotations

from pathlib import Path

from nayer.common.hub import is_hub_id
from nayer.networks.cards import is_pretrained
from nayer.teachers.from_transformers import pretrained_teacher
from nayer.teachers.load import Teacher, load_teacher


def find_teacher(name: str) -> Teacher:
    """The teacher, checked. What lies on this machine comes first.

    Raises ConfigError where there is none of that name, AssetError naming the teacher where it cannot be used.
    """
    if is_pretrained(Path(name)) or (is_hub_id(name) and not Path(name).exists()):
        return pretrained_teacher(name)
    return load_teacher(name)
