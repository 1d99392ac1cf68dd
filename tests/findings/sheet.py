"""A sheet of images of one run: a column for each class, a row for each of the last ten rounds, none of them picked.

`python -m tests.findings.sheet --teacher emoji10 --preset nayer-clear --seed 0 docs/images-after.webp` writes one. With
`--hidden`, the columns have numbers in a random order, so that a person can be asked what they show; the command prints
the answers.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import deque
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from nayer.config import Config
from nayer.events import RoundSynthesized
from nayer.presets import get
from nayer.runs.run import open_run

ROUNDS = 10  # rows
SIDE, GAP, TITLE = 68, 4, 18  # pixels: an image, the space between two, the height of a title


def main() -> None:
    """Runs one distillation on one thread and saves its sheet."""
    parser = argparse.ArgumentParser(prog="python -m tests.findings.sheet", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--teacher", default="emoji10")
    parser.add_argument("--preset", default="nayer-clear")
    parser.add_argument("--rounds", type=int, default=17, help="As many as one thread does in about 60 s.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hidden", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = {"teacher": given.teacher, "rounds": given.rounds, "seed": given.seed, "evaluate_every": given.rounds}
    names, images = last_rounds(Config.parse(settings, get(given.preset).config))
    order = list(range(len(names)))
    if given.hidden:
        random.Random(given.seed).shuffle(order)
    titles = [str(place + 1) if given.hidden else names[number] for place, number in enumerate(order)]
    drawn(images[:, order], titles).save(given.file, quality=85)
    sys.stdout.write(
        f"{given.file}: {', '.join(f'{title} {names[n]}' for title, n in zip(titles, order, strict=True))}\n"
    )


def last_rounds(config: Config) -> tuple[list[str], np.ndarray]:
    """The classes' names, and (rounds, classes, h, w, c) uint8: each round's first image of each class."""
    latest: deque[np.ndarray] = deque(maxlen=ROUNDS)
    run = open_run(config)
    for event in run.events():
        if isinstance(event, RoundSynthesized):
            labels = np.asarray(event.labels)
            first = [int(np.flatnonzero(labels == number)[0]) for number in range(len(run.card.classes))]
            latest.append(np.asarray(event.images)[first].transpose(0, 2, 3, 1))
    return list(run.card.classes), np.stack(latest)


def drawn(images: np.ndarray, titles: list[str]) -> Image.Image:
    """The sheet of (rows, columns, h, w, c) images, each enlarged without smoothing, on white."""
    rows, columns = images.shape[:2]
    sheet = Image.new("RGB", (columns * (SIDE + GAP) + GAP, TITLE + rows * (SIDE + GAP)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for column, title in enumerate(titles):
        left = GAP + column * (SIDE + GAP)
        draw.text((left + SIDE / 2, TITLE / 2), title, fill="black", font=font, anchor="mm")
        for row in range(rows):
            pixels = np.broadcast_to(images[row, column], (*images.shape[2:4], 3))
            shown = Image.fromarray(np.ascontiguousarray(pixels)).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            sheet.paste(shown, (left, TITLE + row * (SIDE + GAP)))
    return sheet


if __name__ == "__main__":
    main()
