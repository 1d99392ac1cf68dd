"""The folder of a comparison: the outcome and the samples of each run, which a repeated command reads again."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from nayer.common.files import read_file, write_whole
from nayer.compare.experiments import Arm
from nayer.compare.interrupted_run import InterruptedRun
from nayer.compare.outcome import Outcome, read, write
from nayer.compare.titles import slug
from nayer.config import Config
from nayer.errors import ConfigError, excerpt
from nayer.exports.metrics_table import Record
from nayer.types import Images

RUNS = "runs"  # the folder with the outcomes
ROUNDS_SHOWN = 4  # newest rounds of samples an arm has in the grid
MAX_SAMPLES_BYTES, MAX_SAMPLES_PIXELS = 64 << 20, 1 << 25  # of a picture of them


@dataclass(frozen=True)
class OutcomeFolder:
    """The runs that the folder has. `clock` and `threads` are those that each of them must have."""

    folder: Path
    clock: str
    threads: int

    def path(self, arm: str, seed: int) -> Path:
        """The file of a run's outcome."""
        return self.folder / RUNS / f"{slug(arm)}-{seed}.json"

    def kept(self, arm: Arm, seed: int) -> Outcome | None:
        """The outcome of this run, if any. Raises ConfigError if it was measured in another way."""
        path = self.path(arm.title, seed)
        if not os.path.lexists(path):
            return None
        kept = read(path)
        if (kept.arm, kept.seed) != (arm.title, seed):
            raise ConfigError(
                f"{excerpt(path, 300)} contains the run of {excerpt(kept.arm)!r} with seed {kept.seed}; move it away, "
                "or use another folder."
            )
        wanted = Config.parse({"seed": seed}, arm.config).model_dump()
        try:
            config = Config.parse(kept.config)  # settings it did not have are defaults
        except ConfigError as error:
            raise ConfigError(f"{excerpt(path, 300)}: {error}") from None
        before = {**config.model_dump(), "clock": kept.clock}
        now = {**wanted, "clock": self.clock}
        different = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if kept.threads not in (0, self.threads):
            different.append("number of threads")
        if different:
            raise ConfigError(
                f"out={str(self.folder)!r} contains {arm.title!r} with a different {different[0]}; use another folder."
            )
        return kept

    def missing(self, runs: Sequence[tuple[Arm, int]]) -> tuple[dict[int, Outcome], list[int]]:
        """The outcomes of the runs that the folder has, and the numbers of the others in the list.

        Checks before hours of work that the folder fits. Raises ConfigError.
        """
        found = {number: one for number, run in enumerate(runs) if (one := self.kept(*run)) is not None}
        missing = [number for number in range(len(runs)) if number not in found]
        measuring = [one.with_measuring for one in found.values()]
        if any(measuring) and (missing or not all(measuring)):
            raise ConfigError(
                f"out={str(self.folder)!r} contains runs whose seconds include measuring, as in earlier versions; use "
                "another folder."
            )
        return found, missing

    def interrupted(self, arm: Arm, seed: int) -> InterruptedRun:
        """The files of a run that has no outcome yet."""
        return InterruptedRun(
            self.path(arm.title, seed), Config.parse({"seed": seed}, arm.config), self.clock, self.threads
        )

    def put(self, outcome: Outcome, record: Record) -> None:
        """Writes a run's samples, then its outcome. Raises StorageError."""
        path = self.path(outcome.arm, outcome.seed)
        write_whole(path.with_suffix(".png"), _grid_png(record))
        write(outcome, path)

    def samples(self, outcome: Outcome) -> Images:
        """The pixels of a run's samples. There are none if the picture is missing or damaged."""
        return _pixels(self.path(outcome.arm, outcome.seed).with_suffix(".png"))


def _grid_png(record: Record) -> bytes:
    samples = record.grid(ROUNDS_SHOWN)
    out = io.BytesIO()
    pixels = samples if samples.size else np.full((1, 1, 1), 255, np.uint8)
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
    return out.getvalue()


def _pixels(path: Path) -> Images:
    none: Images = np.zeros((0, 0, 1), np.uint8)
    try:
        with Image.open(io.BytesIO(read_file(path, MAX_SAMPLES_BYTES)), formats=["PNG"]) as picture:
            if picture.mode not in ("L", "RGB") or picture.width * picture.height > MAX_SAMPLES_PIXELS:
                return none
            pixels = np.asarray(picture)
    except Exception:  # a decoder can raise any error
        return none
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
