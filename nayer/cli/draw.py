"""`python -m nayer draw`: makes the test images of a data set from the npm packages in a folder."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from nayer.common.files import check_target, path_to_write, write_whole
from nayer.data import emoji, mnist
from nayer.data.readers import Labeled
from nayer.errors import ConfigError

SPLITS: dict[str, Callable[[Path], Labeled]] = {
    **{name: partial(emoji.testing_images, name) for name in emoji.TESTING},
    "mnist": mnist.testing_images,
}


def add_draw_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `draw_command`."""
    parser.add_argument("name", metavar="|".join(SPLITS), help="Name of the data set.")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="Folder in which `npm install` ran.")
    parser.add_argument(
        "--out",
        type=partial(path_to_write, "out"),
        required=True,
        metavar="FILE",
        help="The archive to write, as .npz.",
    )


def draw_command(arguments: argparse.Namespace) -> int:
    """Writes `images` and `labels`. Returns 0 on success. Raises NayerError if something does not work."""
    if arguments.name not in SPLITS:
        raise ConfigError(f"name must be one of {', '.join(SPLITS)}; {arguments.name[:60]!r} was given.")
    check_target(arguments.out)
    images, labels = SPLITS[arguments.name](arguments.data)
    content = io.BytesIO()
    np.savez_compressed(content, images=images, labels=labels)
    write_whole(arguments.out, content.getvalue())
    return 0
