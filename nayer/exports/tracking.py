"""Sends a run to an experiment tracker: its config, the numbers of each round, and a picture of its samples.

A tracker's package is imported only when it is asked for. A tracker that fails later ends the tracking, not the run.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nayer.common.extras import needs_package
from nayer.common.hub import first_line
from nayer.config import Config
from nayer.errors import ConfigError, StorageError
from nayer.events import Event, RoundFinished, RunFinished
from nayer.exports.config_file import written
from nayer.exports.metrics_table import Record
from nayer.types import Images

PROJECT = "nayer"
TENSORBOARD_FOLDER = Path("runs") / "tensorboard"
_NO_NUMBERS = ("round", "redrawn")  # columns of the metrics that a tracker does not get as numbers
SAMPLES = "samples"


class Tracker(Protocol):
    """One run in a tracker."""

    def log(self, numbers: Mapping[str, float], samples: Images, step: int) -> None:
        """Adds the numbers of a round, and its samples (h, w, 3). `step` counts rounds from 1, as the page does."""

    def finish(self) -> None:
        """Ends the run and writes what is waiting."""


class Tracking:
    """Follows a run's events. `failure` says in one sentence why the tracking ended early."""

    def __init__(self, name: str, tracker: Tracker) -> None:
        self.failure = ""
        self._name, self._tracker = name, tracker
        self._record = Record()

    def add(self, event: Event) -> None:
        """Takes the next event; a round that is over goes to the tracker."""
        self._record.add(event)
        if isinstance(event, RoundFinished):
            row = self._record.rows[-1]
            numbers = {name: float(value) for name, value in row.items() if name not in _NO_NUMBERS}
            self._try(lambda: self._tracker.log(numbers, _in_color(self._record.grid(1)), event.round + 1))
        elif isinstance(event, RunFinished):
            self.finish()

    def finish(self) -> None:
        """Ends the tracking. It does nothing the second time."""
        tracker, self._tracker = self._tracker, _Nothing()
        self._try(tracker.finish)

    def _try(self, act: Callable[[], None]) -> None:
        if self.failure:
            return
        try:
            with _silent():
                act()
        except (Exception, SystemExit) as error:  # a tracker of another project can fail in any way
            self.failure = f"track={self._name!r} ended early ({first_line(error)}); the run itself is complete."


def check_tracker(name: str) -> str:
    """`name` if it is a tracker whose package is installed. Raises ConfigError."""
    if name not in TRACKERS:
        raise ConfigError(f"track must be one of {', '.join(TRACKERS)}; {name[:60]!r} was given.")
    if sentence := needs_package(f"track={name!r}", name):
        raise ConfigError(sentence)
    return name


def open_tracking(name: str, config: Config, folder: Path | None) -> Tracking:
    """Starts a run in the tracker. Raises ConfigError or StorageError in one sentence.

    `folder` is the run's own folder, if it has one; tensorboard writes there.
    """
    check_tracker(name)
    when = datetime.now().strftime("%Y%m%d-%H%M%S")
    run_name = f"{Path(config.teacher).name}-seed{config.seed}-{when}"
    try:
        with _silent():
            return Tracking(name, TRACKERS[name](run_name, config, folder))
    except (Exception, SystemExit) as error:  # no account, no network, a folder that cannot be written
        raise StorageError(
            f"track={name!r} cannot start ({first_line(error)}); leave it out, or correct the cause."
        ) from None


class _Trackio:
    def __init__(self, run_name: str, config: Config, folder: Path | None) -> None:
        import trackio

        self._image = trackio.Image
        self._run = trackio.init(
            PROJECT,
            name=run_name,
            config=config.model_dump(),
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def log(self, numbers: Mapping[str, float], samples: Images, step: int) -> None:
        pictures = {SAMPLES: self._image(samples)} if samples.size else {}
        self._run.log({**numbers, **pictures}, step=step)

    def finish(self) -> None:
        self._run.finish()


class _TensorBoard:
    def __init__(self, run_name: str, config: Config, folder: Path | None) -> None:
        writer: Any = import_module("torch.utils.tensorboard").SummaryWriter  # without types

        place = folder / "tensorboard" if folder else TENSORBOARD_FOLDER / run_name
        self._writer = writer(str(place))
        self._writer.add_text("config", f"```yaml\n{written(config)}```")

    def log(self, numbers: Mapping[str, float], samples: Images, step: int) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)
        if samples.size:
            self._writer.add_image(SAMPLES, samples, step, dataformats="HWC")

    def finish(self) -> None:
        self._writer.close()


class _Wandb:
    def __init__(self, run_name: str, config: Config, folder: Path | None) -> None:
        import wandb

        self._image = wandb.Image
        settings = wandb.Settings(silent=True, console="off")
        self._run = wandb.init(project=PROJECT, name=run_name, config=config.model_dump(), settings=settings)

    def log(self, numbers: Mapping[str, float], samples: Images, step: int) -> None:
        pictures = {SAMPLES: self._image(samples)} if samples.size else {}
        self._run.log({**numbers, **pictures}, step=step)

    def finish(self) -> None:
        self._run.finish()


class _Nothing:
    def log(self, numbers: Mapping[str, float], samples: Images, step: int) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


TRACKERS: dict[str, Callable[[str, Config, Path | None], Tracker]] = {
    "trackio": _Trackio,
    "tensorboard": _TensorBoard,
    "wandb": _Wandb,
}


def _in_color(grid: Images) -> Images:
    """(h, w, c) → (h, w, 3)."""
    return np.repeat(grid, 3, axis=2) if grid.shape[2] == 1 else grid


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Standard output belongs to the command; trackers greet there."""
    os.environ.setdefault("WANDB_SILENT", "true")
    with contextlib.redirect_stdout(io.StringIO()):
        yield
