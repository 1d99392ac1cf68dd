"""The titles of arms: which ones may be, how many, and the names of the files that follow from them.

All of it is checked before an arm is made, because a short file of YAML can ask for millions of arms.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from nayer.errors import ConfigError, excerpt

MOST_ARMS = 1_000  # more fit in no table, and each of them is looked at for each of the others
MOST_RUNS = 10_000
MOST_CHARACTERS = 60  # of a name in a file
MOST_IN_A_NAME = 200  # characters of a file's name; a file system allows 255, and a seed and an ending follow


def slug(title: str) -> str:
    """The title of an arm as the name of its files."""
    return re.sub(r"[^a-z0-9.=]+", "-", title.lower()).strip("-")


def check_name(name: str, where: str, most: int = MOST_CHARACTERS) -> None:
    """Raises ConfigError unless a name from a file can be an arm's title. The error begins with `where`."""
    if not slug(name).strip(".") or not name.isprintable() or len(name) > most:
        raise ConfigError(
            f"{where}: a name must have letters from a to z or digits, and at most {most} characters that can be shown."
        )


def check_titles(titles: Sequence[str], once: str) -> None:
    """Raises ConfigError for two titles with the same files, or for one that no file can have. `once` says what to do
    about the first.
    """
    slugs = [slug(title) for title in titles]
    counts = Counter(slugs)
    for title, one in zip(titles, slugs, strict=True):
        if counts[one] > 1:
            raise ConfigError(f"{excerpt(title, MOST_IN_A_NAME)!r} is given twice; {once}.")
        if (length := max(len(title), len(one))) > MOST_IN_A_NAME:
            raise ConfigError(
                f"{excerpt(title)!r} has {length} characters, too many for the name of a file; use shorter names and "
                f"values, for at most {MOST_IN_A_NAME}."
            )


def check_amount(what: str, arms: Iterable[int], seeds: int) -> None:
    """Raises ConfigError if there are too many arms, or runs. `arms` are the counts whose product is their number."""
    number = math.prod(arms)
    if number > MOST_ARMS:
        raise ConfigError(f"{what} must have at most {MOST_ARMS:,} arms; {number:,} were given.")
    if number * seeds > MOST_RUNS:
        raise ConfigError(f"{what} must have at most {MOST_RUNS:,} runs; {number * seeds:,} were given.")
