"""`python -m nayer teach`: trains a teacher from labeled images of a known data set or of the user."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nayer.cli.console import Terminal
from nayer.cli.memory import add_memory_argument, training_bound
from nayer.cli.options import count, number
from nayer.common.files import claimed, path_to_write
from nayer.config import MAX_SEED
from nayer.errors import ConfigError
from nayer.networks.cards import MAX_EPSILON, MAX_STEPS, TeacherCard
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import SIDES
from nayer.teachers.fit import Epoch
from nayer.teachers.folder import HELD_OUT, check_teacher_folder
from nayer.teachers.recipes import RECIPES, get
from nayer.teachers.train import teach
from nayer.teachers.train_custom import SCHEDULE, CustomRecipe, teach_own

MAX_EPOCHS = 10_000
COLORS = {"auto": None, "gray": True, "grey": True, "rgb": False}  # British for commands of earlier versions
OWN_ONLY = ("size", "color", "mirror")  # flags that only the user's own images need; a known data set fixes them


def add_teach_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `teach_command`."""
    known = "|".join(RECIPES)
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        metavar=known,
        help="Shipped teacher to train; leave it out to use images of your own.",
    )
    parser.add_argument(
        "--data",
        default="",
        help="Your images: one folder per class (with or without train/ and test/ above them), a zip or parquet "
        "file, or the id of a data set on the Hub. With a name: the folder with the files of its data set.",
    )
    parser.add_argument(
        "--out",
        type=partial(path_to_write, "out"),
        metavar="DIR",
        help="Folder for the teacher (default: teachers/NAME), or for a judge (default: judges/NAME).",
    )
    parser.add_argument(
        "--seed",
        type=count("seed", 0, MAX_SEED),
        default=0,
        help="Random seed (default: %(default)s).",
    )
    parser.add_argument(
        "--epochs",
        type=count("epochs", 0, MAX_EPOCHS),
        default=0,
        help="Passes over the images; 0 chooses a suitable number.",
    )
    parser.add_argument(
        "--weight-decay",
        type=number("weight-decay", 0.0, 1.0),
        metavar="X",
        help="Weight decay of SGD, in place of the default.",
    )
    parser.add_argument(
        "--robust",
        type=number("robust", 0.0, MAX_EPSILON),
        metavar="EPS",
        help="Adversarial training: each image is perturbed by up to EPS in L2 (pixels from 0 to 1), such as 0.75. Its"
        " gradients show what people recognize; 0 means no perturbation.",
    )
    parser.add_argument(
        "--robust-steps",
        type=count("robust-steps", 1, MAX_STEPS),
        metavar="N",
        help="Gradient steps that perturb each image (default 2).",
    )
    parser.add_argument("--model", default="", help="The teacher's network, such as lenet-16 or resnet8-16.")
    parser.add_argument("--student", default="", help="Smaller architecture for its students, such as lenet-8.")
    parser.add_argument(
        "--judge",
        action="store_true",
        help="Train a judge, a second network that classifies the images of runs: in place of the teacher of a named"
        " data set, or beside the teacher of your own images.",
    )
    add_memory_argument(parser)
    own = parser.add_argument_group("for images of your own")
    own.add_argument(
        "--size",
        type=count("size", 0, SIDES[1]),
        default=0,
        help="Side of the images in px, 8 to 64; 0 keeps their size.",
    )
    own.add_argument("--color", "--colour", choices=COLORS, default="auto", help="auto: gray if all images are gray.")
    own.add_argument("--mirror", action="store_true", help="Say that a flipped image keeps its class.")


def teach_command(arguments: argparse.Namespace) -> int:
    """Trains, reports each epoch, writes the folder. Returns 0 on success. Raises NayerError on failure."""
    if arguments.name:
        get(arguments.name)
    elif not arguments.data or not arguments.out:
        raise ConfigError(f"name is missing; use one of {', '.join(RECIPES)}, or --data and --out.")
    out: Path = arguments.out or Path("judges" if arguments.judge else "teachers") / arguments.name
    check_teacher_folder(out)
    console = Terminal()
    with claimed(out):
        card = (_known if arguments.name else _own)(arguments, out, _reporter(console))
    kind = "judge" if arguments.judge and arguments.name else "teacher"
    console.print(f"{card.test_accuracy:.2%} correct on test images; the {kind} is saved in {out}.", soft_wrap=True)
    if card.robust:
        perturbed = (
            f"{card.robust.accuracy:.2%} correct on these images after a perturbation of {card.robust.epsilon:g}."
        )
        console.print(perturbed, soft_wrap=True)
    if (out / HELD_OUT).is_file():
        console.print(
            f"There were no separate test images. {out / HELD_OUT} contains images that the teacher never saw.",
            soft_wrap=True,
        )
    return 0


def _known(arguments: argparse.Namespace, out: Path, report: Callable[[Epoch, Classifier], None]) -> TeacherCard:
    for flag in OWN_ONLY:
        if getattr(arguments, flag) not in ("", 0, False, "auto"):
            raise ConfigError(f"{flag} cannot be used with name={arguments.name!r}; it is for images of your own.")
    return teach(
        arguments.name,
        out,
        folder=arguments.data,
        seed=arguments.seed,
        epochs=arguments.epochs,
        model=arguments.model,
        student=arguments.student,
        **{name: getattr(arguments, name) for name in SCHEDULE},
        judge=arguments.judge,
        on_epoch=report,
        bears=training_bound(arguments),
    )


def _own(arguments: argparse.Namespace, out: Path, report: Callable[[Epoch, Classifier], None]) -> TeacherCard:
    recipe = CustomRecipe(
        size=arguments.size,
        gray=COLORS[arguments.color],
        model=arguments.model,
        student=arguments.student,
        mirror=arguments.mirror,
        epochs=arguments.epochs,
        **{name: getattr(arguments, name) for name in SCHEDULE},
        seed=arguments.seed,
        judge=arguments.judge,
    )
    return teach_own(arguments.data, out, recipe, report, training_bound(arguments))


def _reporter(console: Terminal) -> Callable[[Epoch, Classifier], None]:
    start = time.monotonic()

    def report(epoch: Epoch, network: Classifier) -> None:
        left = (time.monotonic() - start) / epoch.epoch * (epoch.epochs - epoch.epoch)
        console.print(f"epoch {epoch.epoch} of {epoch.epochs}: loss {epoch.loss:.3f}, about {left:.0f} s left")

    return report
