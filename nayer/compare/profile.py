"""The time of a round: seconds and floating-point operations of each part, without the parts that it calls.

The algorithm names its parts (`nayer.common.parts`); passes of networks and steps of optimizers are heard by hooks.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.flop_counter import FlopCounterMode

from nayer.common.parts import listening
from nayer.compare.products import ProductCounter
from nayer.config import Config
from nayer.events import RoundFinished
from nayer.runs.run import Run, open_run

PARTS = ("generator", "teacher", "student", "losses", "pool", "augmentation", "events", "evaluation", "other")

# What asks networks for its own ends; their passes belong to it.
_WHOLE = ("pool", "events", "evaluation")


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
        """Seconds of the whole round."""
        return sum(part.seconds for part in self.parts.values())

    @property
    def gigaflops(self) -> float:
        """The rate of the whole round."""
        return sum(part.gigaflop for part in self.parts.values()) / self.seconds


class _Meter:
    """Adds the time of `now` to the innermost open part."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.spent: dict[str, float] = defaultdict(float)
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
    """The mean of `rounds` rounds after the warm-up, timed by `now`.

    Operations are counted in one more round of the same run, because counting makes it slower.
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
    with ProductCounter() as products, FlopCounterMode(display=False) as counter:
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
        stack.enter_context(listening(meter.inside))
        for handle in _optimizer_hooks(run.state.optimizer, meter):
            stack.callback(handle.remove)
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


def _optimizer_hooks(student: Optimizer, meter: _Meter) -> list[Any]:
    """Steps of `student`, the student's optimizer, and those of all others, which are the generator's."""

    def enter(optimizer: Optimizer, *_: Any) -> None:
        meter.enter("student" if optimizer is student else "generator")

    def leave(*_: Any) -> None:
        meter.leave()

    return [register_optimizer_step_pre_hook(enter), register_optimizer_step_post_hook(leave)]
