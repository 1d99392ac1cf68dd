"""Class names -> the fixed table (k, d) that feeds the noisy layer: label-text embeddings, or a control.

lte         each name, in the prompt, through a text encoder (Tran et al., 2024, §3.2)
shuffled    the same rows, each given to another class: geometry, norms and BatchNorm statistics stay, the meaning goes
random      N(0, 1) entries: as good as orthogonal for d ≫ k
one-hot     the identity (k, k)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nayer.arrays import Floats
from nayer.embedding_tables import shipped_tables
from nayer.encoders import embed as embed
from nayer.errors import ConfigError, EncoderError

LATENTS = ("lte", "one-hot", "random", "shuffled")
MAX_NAMES = 200
MAX_NAME_LENGTH = 64  # characters
UNKNOWN_WIDTH = 384  # of a random table beside an encoder with no shipped table: all-MiniLM-L6-v2's
SAME = 1e-5  # gap, beside the largest entry, below which two embeddings differ by rounding only
BIDI_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})  # they reorder what follows


@dataclass(frozen=True)
class Table:
    """One row a class, in label order."""

    embeddings: Floats  # (k, d)
    latent: str  # lte, one-hot, random or shuffled
    source: str  # where the rows come from, in one sentence


def label_table(names: Sequence[str], latent: str = "lte", *, encoder: str, prompt: str, seed: int) -> Table:
    """The table of `names`; `seed` draws the random and the shuffled one.

    Shipped embeddings are used where there are some for every text, and then `transformers` is not imported.
    Raises ConfigError for names, prompt or latent, EncoderError where the encoder is needed and cannot run.
    """
    names = check_names(names)
    if latent not in LATENTS:
        raise ConfigError(f"latent={latent!r} does not work; use one of {', '.join(LATENTS)}.")
    rng = np.random.default_rng(seed)
    if latent == "one-hot":
        return Table(np.eye(len(names), dtype=np.float32), latent, "One-hot rows: every class as far from every other.")
    if latent == "random":
        d = _width(encoder)
        drawn = rng.standard_normal((len(names), d), dtype=np.float32)
        return Table(drawn, latent, f"Random rows of {d} numbers from N(0, 1), seed {seed}: no meaning.")
    embeddings, origin = _label_text_embeddings(names, encoder, prompt)
    if latent == "shuffled":
        source = f"Label-text embeddings, each given to another class with seed {seed}: {origin}"
        return Table(embeddings[_no_fixed_point(len(names), rng)], latent, source)
    return Table(embeddings, latent, f"Label-text embeddings: {origin}")


def at_hand(names: Sequence[str], latent: str = "lte", *, encoder: str, prompt: str) -> bool:
    """Whether `label_table` answers without running the encoder, which takes seconds to load."""
    if latent in ("one-hot", "random"):
        return True
    texts = prompted(check_names(names), prompt)
    return any(table.rows(texts) is not None for table in shipped_tables(encoder))


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """`names` in Unicode's NFC without white space around them; ConfigError names the first that cannot be used."""
    if not 2 <= len(names) <= MAX_NAMES:
        count = "is 1 class name" if len(names) == 1 else f"are {len(names)} class names"
        raise ConfigError(f"there {count}; use 2 to {MAX_NAMES}.")
    checked: dict[str, str] = {}  # how a name reads ignoring case and look-alikes (Unicode's NFKC) -> the name
    for place, given in enumerate(names, start=1):
        name = unicodedata.normalize("NFC", given).strip()
        if not 1 <= len(name) <= MAX_NAME_LENGTH:
            shown = f"{name[:20]}…" if name else given
            raise ConfigError(f"class name {place}, {shown!r}, has {len(name)} characters; use 1 to {MAX_NAME_LENGTH}.")
        if any(_is_control(character) for character in name):
            raise ConfigError(f"class name {place}, {name!r}, has control characters; use visible ones only.")
        if not any(map(_is_visible, name)):
            raise ConfigError(f"class name {place}, {name!r}, shows nothing; use a name that can be seen.")
        twin = checked.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
        if len(checked) < place:
            raise ConfigError(
                f"class name {place}, {name!r}, is there already as {twin!r}; give every class its own name."
            )
    return tuple(checked.values())


def prompted(names: Sequence[str], prompt: str) -> list[str]:
    """The text of each name, as the encoder sees it."""
    if prompt.count("{}") != 1:
        raise ConfigError(
            f"prompt={prompt!r} does not work; use a text with exactly one {{}} where the class name goes."
        )
    return [prompt.replace("{}", name) for name in names]


def _is_control(character: str) -> bool:
    """Control characters, lone surrogates, line separators and what reorders text; joiners of emoji are fine."""
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in BIDI_CONTROLS
    )


def _is_visible(character: str) -> bool:
    """Not a space, a mark without its letter, or one of the characters that only steer how others are set."""
    return unicodedata.category(character) not in {"Cf", "Mn", "Me", "Zs"}


def _label_text_embeddings(names: Sequence[str], encoder: str, prompt: str) -> tuple[Floats, str]:
    """(k, d) and where they come from: a shipped table that has every text, else the encoder."""
    texts = prompted(names, prompt)
    for table in shipped_tables(encoder):
        rows = table.rows(texts)
        if rows is not None:
            return rows, f"“{prompt}” through {encoder}, computed beforehand."
    embeddings = embed(texts, encoder)
    _check_distinct(embeddings, names, encoder)
    return embeddings, f"“{prompt}” through {encoder}, computed on this machine."


def _check_distinct(embeddings: Floats, names: Sequence[str], encoder: str) -> None:
    """Two names an encoder cannot tell apart (emoji outside its vocabulary, cut-off ends) would be one class to G."""
    for place, row in enumerate(embeddings[1:], start=1):
        gaps = np.abs(embeddings[:place] - row).max(axis=1)  # (place,) to all names before
        if gaps.min() > SAME * np.abs(row).max():
            continue
        raise EncoderError(
            f"encoder={encoder!r} reads the class names {names[gaps.argmin()]!r} and {names[place]!r} alike;"
            " use names it knows, or latent=one-hot or latent=random."
        )


def _no_fixed_point(k: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A permutation of k ≥ 2 places that leaves none alone: one cycle through them all, in random order."""
    cycle = rng.permutation(k)
    places = np.empty(k, dtype=np.int64)
    places[cycle] = np.roll(cycle, 1)
    return places


def _width(encoder: str) -> int:
    """d of the encoder's shipped table; a random table never runs the encoder."""
    return next((table.embeddings.shape[1] for table in shipped_tables(encoder)), UNKNOWN_WIDTH)


def table_width(latent: str, encoder: str, classes: int) -> int:
    """Numbers in a row of `label_table`, told without making one; of an encoder with no shipped table the usual."""
    return classes if latent == "one-hot" else _width(encoder)
