"""Fits a classifier to labeled images: it takes arrays and returns a network."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from nayer.distillation.augmentation import crop_and_flip
from nayer.networks.classifiers import Classifier, build
from nayer.networks.execution import autocast
from nayer.networks.execution import device as named_device
from nayer.networks.specs import ModelSpec
from nayer.teachers.adversarial import perturbed


@dataclass(frozen=True, slots=True)
class TrainingSchedule:
    """A cycle: SGD with Nesterov momentum on a one-cycle learning rate (Smith and Topin, 2018), crops and mirroring.

    With `robust` above 0 it is adversarial training (Madry et al., 2018): see `adversarial.perturbed`.
    """

    epochs: int
    lr: float  # at the top of the cycle
    batch: int = 128
    momentum: float = 0.9
    weight_decay: float = 5e-4
    smoothing: float = 0.1  # share of the target spread over all classes
    crop: int = 0  # px of the random shift
    mirror: bool = False
    robust: float = 0.0  # ε: learn from images changed by this L2 distance, for pixels in [0, 1]; 0: unchanged images
    robust_steps: int = 2  # gradient steps that find each such image
    robust_warmup: float = 0.0  # share of the cycle in which ε grows from 0; without it, many classes are not learned
    bfloat16: bool = False  # compute in bfloat16: twice as fast if the device supports it; weights stay float32

    def changed(self, **given: float | None) -> TrainingSchedule:
        """A copy with the given values. None leaves a field as it is."""
        return replace(self, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Epoch:
    """The result of one pass over the training images."""

    epoch: int  # from 1
    epochs: int
    loss: float  # nats, averaged over the epoch's steps


def fit(
    spec: ModelSpec,
    images: Tensor,
    labels: Tensor,
    cycles: Sequence[TrainingSchedule],
    rng: torch.Generator,
    on_epoch: Callable[[Epoch, Classifier], None] = lambda epoch, network: None,
) -> Classifier:
    """A network of `spec`, trained on images (n, c, h, w) uint8 and labels (n,). The same `rng` gives the same network.

    Each cycle starts from the weights of the previous cycle, with a new optimizer (Loshchilov and Hutter, 2017). The
    training runs on a GPU if there is one. All images must fit into its memory. The returned network is on the CPU.
    """
    device = named_device("auto")
    network = build(spec, rng).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, labels = images.to(device), labels.to(device)
    done, epochs = 0, sum(schedule.epochs for schedule in cycles)
    for schedule in cycles:
        for loss in _cycle(network, images, labels, schedule, rng):
            done += 1
            on_epoch(Epoch(done, epochs, loss), network)
    return network.cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[no-any-return]


def _cycle(
    network: Classifier, images: Tensor, labels: Tensor, schedule: TrainingSchedule, rng: torch.Generator
) -> Iterator[float]:
    """One cycle with one optimizer. Yields the mean loss of each epoch, in nats, at the end of that epoch."""
    steps = schedule.epochs * max(1, len(images) // schedule.batch)
    steps = max(steps, 5)  # OneCycleLR divides by zero if a quarter of the steps is one
    optimizer = torch.optim.SGD(
        network.parameters(), schedule.lr, schedule.momentum, weight_decay=schedule.weight_decay, nesterov=True
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, schedule.lr, steps, pct_start=0.25, cycle_momentum=False)
    precision = "bfloat16" if schedule.bfloat16 else "float32"
    done = itertools.count(1)
    for _ in range(schedule.epochs):
        network.train()
        losses = []
        for batch, wanted in _batches(images, labels, schedule, rng):
            if schedule.robust:
                grown = min(1.0, next(done) / max(1.0, schedule.robust_warmup * steps))
                batch = perturbed(network, batch, wanted, grown * schedule.robust, schedule.robust_steps, precision)
            with autocast(precision, images.device):
                logits = network(batch)
            loss = F.cross_entropy(logits.float(), wanted, label_smoothing=schedule.smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.detach())
        yield torch.stack(losses).mean().item()


def _batches(
    images: Tensor, labels: Tensor, schedule: TrainingSchedule, rng: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Each image once, shuffled, shifted and mirrored. Leaves out an incomplete batch, unless it is the only one."""
    order = torch.randperm(len(images), generator=rng)
    size = min(schedule.batch, len(images))
    for start in range(0, len(images) - size + 1, size):
        picks = order[start : start + size].to(images.device)
        batch = crop_and_flip(images[picks].float() / 255.0, schedule.crop, schedule.mirror, rng)  # (b, c, h, w)
        yield batch.contiguous(memory_format=torch.channels_last), labels[picks]
