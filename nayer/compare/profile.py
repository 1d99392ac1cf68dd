"""Where a round's time goes: seconds and floating-point operations of each part, exclusive of what it calls.

The core does not know that it is watched: networks are watched by hooks, functions by wrappers that leave again.
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any
from unittest.mock import patch

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nayer.compare.products import Products
from nayer.config import Config
from nayer.events import RoundFinished
from nayer.runs.run import Run, open_run

PARTS = ("generator", "teacher", "student", "losses", "pool", "augmentation", "events", "evaluation", "other")

# What is called by which name in which module, and what part of a round it is.
_FUNCTIONS = {
    "generator": ("torch.optim.Adam.step", "nayer.distillation.train.redraw"),
    "student": ("torch.optim.SGD.step",),
    "losses": (
        "nayer.distillation.train.cross_entropy_loss",
        "nayer.distillation.train.batchnorm_loss",
        "nayer.distillation.train.adversarial_loss",
        "nayer.distillation.train._terms_of_other_methods",
        "nayer.networks.hooks.BatchNormStatsHook._read",
        "nayer.distillation.train._student_loss",
        "nayer.distillation.train._inner_loss",
    ),
    "pool": (
        "nayer.distillation.train.remember",
        "nayer.distillation.image_pool.Pool.sample",
        "nayer.distillation.train.to_bytes",
    ),
    "augmentation": ("nayer.distillation.train.crop_and_flip", "nayer.distillation.train.elastic_distortion"),
    "events": (
        "nayer.distillation.report.Report.generator_step",
        "nayer.distillation.report.Report.redrawn",
        "nayer.distillation.report.Report._shown",
        "nayer.distillation.report.Report._diversity",
    ),
    "evaluation": ("nayer.distillation.report.Report.evaluated",),
}


# What asks networks for its own ends; their passes belong to it.
_WHOLE = ("pool", "events", "evaluation")

# A backward pass goes through several networks; what is left of it belongs to the one that is trained.
_TRAINS = {
    "nayer.distillation.train._terms_of_other_methods": "generator",
    "nayer.distillation.train._student_loss": "student",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part's share of the watched rounds, per round."""

    seconds: float
    gigaflop: float  # of matrix products and convolutions, forward and backward

    @property
    def gigaflops(self) -> float:
        """The rate, 10⁹ operations a second."""
        return self.gigaflop / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A round, part by part, and what its convolutions and matrix products take when each is made again alone."""

    parts: dict[str, Part]  # those of PARTS
    products_seconds: float

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts.values())

    @property
    def gigaflops(self) -> float:
        """The rate of the whole round."""
        return sum(part.gigaflop for part in self.parts.values()) / self.seconds


class _Meter:
    """Gives what `now` counts to the innermost part that is open."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.trained = "generator"  # whose backward pass it is
        self._now = now
        self._open = ["other"]
        self._since = now()

    def enter(self, part: str) -> None:
        self._tally()
        self._open.append(self._open[-1] if self._open[-1] in _WHOLE else part)

    def leave(self) -> None:
        self._tally()
        self._open.pop()

    @contextmanager
    def inside(self, part: str) -> Iterator[None]:
        self.enter(part)
        try:
            yield
        finally:
            self.leave()

    def _tally(self) -> None:
        now = self._now()
        self.spent[self._open[-1]] += now - self._since
        self._since = now


def profile(config: Config, rounds: int = 3, now: Callable[[], float] = time.perf_counter) -> Profile:
    """`rounds` rounds behind the warm-up, per round, timed by `now`.

    Operations are counted in one more round of the same run, for counting slows it.
    """
    run = open_run(Config.parse({"rounds": config.warmup_rounds + rounds + 2, "seconds": 0.0}, config))
    events = run.events()

    def ahead(count: int) -> None:
        for event in events:
            count -= isinstance(event, RoundFinished)
            if not count:
                return

    ahead(config.warmup_rounds + 1)
    clock = _Meter(now)
    with _watched(run, clock):
        ahead(rounds)
    with Products() as products, FlopCounterMode(display=False) as counter:
        flop = _Meter(lambda: float(counter.get_total_flops()))
        with _watched(run, flop):
            ahead(1)
    parts = {part: Part(clock.spent[part] / rounds, flop.spent[part] / 1e9) for part in PARTS}
    return Profile(parts, products.seconds(now))


@contextmanager
def _watched(run: Run, meter: _Meter) -> Iterator[None]:
    meter.enter("other")
    with ExitStack() as stack:
        networks = {"generator": run.state.generator, "teacher": run.task.teacher, "student": run.state.student}
        for part, network in networks.items():
            for child in network.children():  # for features are asked for apart from logits
                for handle in _hooks(child, part, meter):
                    stack.callback(handle.remove)
        for part, names in _FUNCTIONS.items():
            for name in names:
                stack.enter_context(_wrapped(name, meter, partial(str, part)))
        stack.enter_context(_wrapped("torch.Tensor.backward", meter, lambda: meter.trained))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="Full backward hook")  # of what takes no gradient at its input
        yield
    meter.leave()


def _hooks(network: nn.Module, part: str, meter: _Meter) -> list[Any]:
    """Forward and backward of a network. A pass that ends in the network itself is the rest of `backward`."""

    def enter(*_: Any) -> None:
        meter.enter(part)

    def leave(*_: Any) -> None:
        meter.leave()

    return [
        network.register_forward_pre_hook(enter),
        network.register_forward_hook(leave, always_call=True),
        network.register_full_backward_pre_hook(enter),
        network.register_full_backward_hook(leave),
    ]


@contextmanager
def _wrapped(name: str, meter: _Meter, part: Callable[[], str]) -> Iterator[None]:
    owner, attribute = _found(name)
    plain = getattr(owner, attribute)

    @wraps(plain)
    def watched(*arguments: Any, **named: Any) -> Any:
        meter.trained = _TRAINS.get(name, meter.trained)
        with meter.inside(part()):
            return plain(*arguments, **named)

    with patch.object(owner, attribute, watched):
        yield


def _found(name: str) -> tuple[Any, str]:
    """The module or class that holds what has this dotted name, and the last word of it."""
    path, attribute = name.rsplit(".", 1)
    try:
        return importlib.import_module(path), attribute
    except ModuleNotFoundError:
        module, class_ = path.rsplit(".", 1)
        return getattr(importlib.import_module(module), class_), attribute
