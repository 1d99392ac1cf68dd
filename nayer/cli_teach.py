"""`python -m nayer teach`: trains a teacher from labelled images."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console

from nayer.errors import ConfigError
from nayer.fitting import Epoch
from nayer.lessons import LESSONS
from nayer.models import Classifier
from nayer.teach import teach

MAX_SEED = 2**31 - 1
MAX_EPOCHS = 10_000


def add_teach_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments `teach_command` reads."""
    parser.add_argument("name", metavar="|".join(LESSONS), help="What the teacher learns.")
    parser.add_argument("--data", default="", metavar="FOLDER", help="Where the data's own files lie, train and test.")
    parser.add_argument("--out", default="", metavar="FOLDER", help="Where the teacher goes (default: teachers/NAME).")
    parser.add_argument("--seed", type=int, default=0, help="Every random draw follows from it (default: %(default)s).")
    parser.add_argument("--epochs", type=int, default=0, help="Passes over the images; 0 takes the lesson's own.")


def teach_command(arguments: argparse.Namespace) -> int:
    """Trains, tells each epoch, writes the folder; 0 on success, NayerError where something does not work."""
    if not 0 <= arguments.seed <= MAX_SEED:
        raise ConfigError(f"seed={arguments.seed} does not work; use 0 to {MAX_SEED}.")
    if not 0 <= arguments.epochs <= MAX_EPOCHS:
        raise ConfigError(f"epochs={arguments.epochs} does not work; use 1 to {MAX_EPOCHS}, or 0 for the lesson's own.")
    console = Console()
    start = time.monotonic()

    def tell(epoch: Epoch, network: Classifier) -> None:
        left = (time.monotonic() - start) / epoch.epoch * (epoch.epochs - epoch.epoch)
        console.print(f"epoch {epoch.epoch} of {epoch.epochs}: loss {epoch.loss:.3f}, about {left:.0f} s left")

    out = Path(arguments.out or Path("teachers") / arguments.name)
    card = teach(
        arguments.name, out, folder=arguments.data, seed=arguments.seed, epochs=arguments.epochs, on_epoch=tell
    )
    console.print(f"{card.test_accuracy:.2%} of the test images; the teacher is in {out}.", soft_wrap=True)
    return 0
