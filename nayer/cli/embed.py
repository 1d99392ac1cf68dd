"""`python -m nayer embed`: encodes class names into a table. Later runs read it without the text encoder."""

from __future__ import annotations

import argparse
from functools import partial

from nayer.common.files import check_target, path_to_write
from nayer.config import Config
from nayer.embeddings.label_table import prompted
from nayer.embeddings.precomputed import EmbeddingTable, write_table
from nayer.embeddings.text_encoder import embed
from nayer.errors import ConfigError, excerpt
from nayer.text_rules import check_names

MOST_CHARACTERS = 256  # of an encoder's id, as in a config


def add_embed_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `embed_command`."""
    defaults = Config()
    parser.add_argument("names", nargs="+", metavar="NAME", help="Class names; put names with a space in quotes.")
    parser.add_argument(
        "--encoder", default=defaults.encoder, help="A Hub id or a local folder (default: %(default)s)."
    )
    parser.add_argument(
        "--prompt", default=defaults.prompt, help="A sentence; each name replaces {} (default: %(default)s)."
    )
    parser.add_argument(
        "--record-as",
        default="",
        metavar="ID",
        help="The encoder's id in the table, if --encoder is a local folder.",
    )
    parser.add_argument(
        "--out",
        type=partial(path_to_write, "out"),
        required=True,
        metavar="FILE",
        help="The table to write, as .safetensors.",
    )


def embed_command(args: argparse.Namespace) -> int:
    """Writes the table of `args.names`. Returns 0 on success. Raises NayerError otherwise."""
    if len(args.record_as) > MOST_CHARACTERS or not args.record_as.isprintable():
        raise ConfigError(
            f"record-as must be a text of at most {MOST_CHARACTERS} characters that can be shown; "
            f"{excerpt(args.record_as)!r} was given."
        )
    texts = prompted(check_names(args.names), args.prompt)
    check_target(args.out)
    embeddings = embed(texts, args.encoder)
    write_table(EmbeddingTable(args.record_as or args.encoder, tuple(texts), embeddings), args.out)
    return 0
