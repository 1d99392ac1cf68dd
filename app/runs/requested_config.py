"""Makes the config of a run from a preset and values, and checks that this page may run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.runs.limits import MEMORY, check_cost
from nayer import presets
from nayer.common.hub import is_hub_id
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks.cards import TeacherCard, is_pretrained, read_card

MACHINE = frozenset({"device", "encoder", "test_data"})  # parts of the machine: visitors may not choose them


def make_config(
    preset: str,
    values: Mapping[str, object],
    teachers: Sequence[TeacherCard],
    *,
    local: bool,
    memory: int = MEMORY,
) -> Config:
    """The preset's config with these values in place. Raises ConfigError, with one sentence, for any invalid value.

    `memory`: bytes that a run may take on a shared page.
    """
    method = presets.get(preset)
    if not local:
        check_shared(values, method.config)
    config = Config.parse(values, base=method.config)
    if (card := known_card(config.teacher, teachers, local=local)) is not None:
        check_cost([config], card, local=local, memory=memory)
    return config


def check_shared(values: Mapping[str, object], base: Config) -> None:
    """Raises ConfigError if `values` choose a part of the machine that `base` does not choose."""
    for name in sorted(MACHINE & set(values)):
        if values[name] != getattr(base, name):
            raise ConfigError(
                f"{name}={str(values[name])[:60]!r} cannot be chosen on a shared page; leave the default."
            )


def known_card(teacher: str, teachers: Sequence[TeacherCard], *, local: bool) -> TeacherCard | None:
    """A teacher's card by its name or, on a local page, its folder. None if transformers must read the model first.

    Raises ConfigError if there is no such teacher, and AssetError if the card in a folder is wrong.
    """
    known = {card.name: card for card in teachers}
    if teacher in known:
        return known[teacher]
    if local and Path(teacher).is_dir():
        return None if is_pretrained(Path(teacher)) else read_card(Path(teacher))
    if local and is_hub_id(teacher):
        return None
    raise ConfigError(f"teacher must be one of {', '.join(known)}; {teacher[:60]!r} was given.")
