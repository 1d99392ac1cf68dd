"""Class names -> the fixed table (k, d) that feeds the noisy layer: label-text embeddings, or a control.

lte         each name, in the prompt, through a text encoder (Tran et al., 2024, §3.2)
shuffled    the same rows, each given to another class: geometry, norms, BatchNorm statistics stay, the meaning is lost
random      N(0, 1) entries: almost orthogonal for d ≫ k
one-hot     the identity (k, k)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nayer.embeddings.packaged_encoder import origin
from nayer.embeddings.precomputed import shipped_tables
from nayer.embeddings.text_encoder import embed as embed
from nayer.errors import ConfigError, EncoderError
from nayer.text_rules import check_names
from nayer.types import Floats

LATENTS = ("lte", "one-hot", "random", "shuffled")
UNKNOWN_WIDTH = 384  # of a random table if the encoder has no shipped table; all-MiniLM-L6-v2's width
SAME = 1e-5  # gap, relative to the largest entry, below which two embeddings differ by rounding only


@dataclass(frozen=True)
class Table:
    """One row per class, in label order."""

    embeddings: Floats  # (k, d)
    latent: str  # lte, one-hot, random or shuffled
    source: str  # the source of the rows, in one sentence


def label_table(names: Sequence[str], latent: str = "lte", *, encoder: str, prompt: str, seed: int) -> Table:
    """The table of `names`; `seed` draws the random and the shuffled one.

    If every text has a shipped embedding, these are used, and `transformers` is not imported.
    Raises ConfigError for wrong names, prompt or latent, and EncoderError if the encoder is needed and cannot run.
    """
    names = check_names(names)
    if latent not in LATENTS:
        raise ConfigError(f"latent must be one of {', '.join(LATENTS)}; {latent!r} was given.")
    rng = np.random.default_rng(seed)
    if latent == "one-hot":
        return Table(
            np.eye(len(names), dtype=np.float32),
            latent,
            ("One-hot rows: all classes have the same distance from each other."),
        )
    if latent == "random":
        d = _width(encoder)
        drawn = rng.standard_normal((len(names), d), dtype=np.float32)
        return Table(drawn, latent, f"Random rows: {d} numbers from N(0, 1), seed {seed}, without meaning.")
    embeddings, origin = _label_text_embeddings(names, encoder, prompt)
    if latent == "shuffled":
        source = f"Label-text embeddings, each assigned to another class with seed {seed}: {origin}"
        return Table(embeddings[_derangement(len(names), rng)], latent, source)
    return Table(embeddings, latent, f"Label-text embeddings: {origin}")


def is_available(names: Sequence[str], latent: str = "lte", *, encoder: str, prompt: str) -> bool:
    """Whether `label_table` works without the encoder, which takes seconds to load."""
    if latent in ("one-hot", "random"):
        return True
    texts = prompted(check_names(names), prompt)
    return any(table.rows(texts) is not None for table in shipped_tables(encoder))


def prompted(names: Sequence[str], prompt: str) -> list[str]:
    """The text of each name, as the encoder sees it."""
    if prompt.count("{}") != 1:
        raise ConfigError(
            f"prompt must be a text with exactly one {{}} where the class name goes; {prompt!r} was given."
        )
    return [prompt.replace("{}", name) for name in names]


def _label_text_embeddings(names: Sequence[str], encoder: str, prompt: str) -> tuple[Floats, str]:
    """(k, d) and their source: a shipped table that has every text, else the encoder."""
    texts = prompted(names, prompt)
    for table in shipped_tables(encoder):
        rows = table.rows(texts)
        if rows is not None:
            return rows, f"“{prompt}” by {encoder}, shipped."
    embeddings = embed(texts, encoder)
    _check_distinct(embeddings, names, encoder)
    return embeddings, f"“{prompt}” by {encoder}, computed on this machine{origin(encoder)}."


def _check_distinct(embeddings: Floats, names: Sequence[str], encoder: str) -> None:
    """Refuses names with equal embeddings (unknown emoji, cut-off ends): G would treat them as one class."""
    for place, row in enumerate(embeddings[1:], start=1):
        gaps = np.abs(embeddings[:place] - row).max(axis=1)  # (place,) to all names before
        if gaps.min() > SAME * np.abs(row).max():
            continue
        raise EncoderError(
            f"encoder={encoder!r} gives the class names {names[gaps.argmin()]!r} and {names[place]!r} the same "
            "embedding; use names that it knows, or latent=one-hot or latent=random."
        )


def _derangement(k: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A permutation of k ≥ 2 places that moves every one: one cycle through them all, in random order."""
    cycle = rng.permutation(k)
    places = np.empty(k, dtype=np.int64)
    places[cycle] = np.roll(cycle, 1)
    return places


def _width(encoder: str) -> int:
    """d of the encoder's shipped table; a random table never runs the encoder."""
    return next((table.embeddings.shape[1] for table in shipped_tables(encoder)), UNKNOWN_WIDTH)


def table_width(latent: str, encoder: str, classes: int) -> int:
    """Numbers in a row of `label_table`, without making a table; the usual width if no table is shipped."""
    return classes if latent == "one-hot" else _width(encoder)
