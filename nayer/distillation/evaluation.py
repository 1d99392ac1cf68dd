"""Measures the student: accuracy on labeled images, agreement with the teacher on any images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from nayer.analysis.baselines import TeacherOutputs
from nayer.distillation.image_pool import Pool
from nayer.networks.classifiers import logits_and_features
from nayer.types import Ints

CHUNK = 100  # images per forward pass: memory does not grow with the test split, and the allocator keeps what it holds


@dataclass(frozen=True, slots=True)
class Measurement:
    """Shares in 0..1 over `images` images; the accuracies and the answers are None if there are no labels."""

    accuracy: float | None
    teacher_accuracy: float | None
    agreement: float | None
    images: int
    answers: Ints | None = None  # (n,) the student's class for each image


Evaluator = Callable[[nn.Module], Measurement]


# Images (n, c, h, w) uint8 -> the class that a judge predicts for each (n,), and its probability (n,).
Judge = Callable[[Tensor], tuple[NDArray[np.int64], NDArray[np.float64]]]


@contextmanager
def frozen_eval(network: nn.Module) -> Iterator[None]:
    """`network` in eval mode and without parameter gradients; every submodule's mode is put back."""
    modes = [(module, module.training) for module in network.modules()]
    wanted = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    network.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, gradient in wanted:
            parameter.requires_grad_(gradient)


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Inside the block, BatchNorm layers of `network` use the statistics of the batch. Their own do not change."""
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    before = [(layer.training, layer.track_running_stats) for layer in layers]
    for layer in layers:
        layer.training, layer.track_running_stats = True, False
    try:
        yield
    finally:
        for layer, (training, tracks) in zip(layers, before, strict=True):
            layer.training, layer.track_running_stats = training, tracks


def predict(network: nn.Module, images: Tensor) -> Tensor:
    """The network's class for each uint8 image (n, c, h, w): (n,)."""
    with torch.no_grad(), frozen_eval(network):
        return torch.cat([network(chunk.float() / 255.0).argmax(dim=1) for chunk in images.split(CHUNK)])


def predict_with_features(network: nn.Module, images: Tensor, labels: Tensor | None = None) -> TeacherOutputs:
    """The network's outputs for uint8 images (n, c, h, w); `labels` (n,) are their true classes, if these are known."""
    with torch.no_grad(), frozen_eval(network):
        both = [logits_and_features(network, chunk.float() / 255.0) for chunk in images.split(CHUNK)]
    logits, features = (torch.cat(parts) for parts in zip(*both, strict=True))
    confidence, seen = F.softmax(logits, dim=1).max(dim=1)
    known = None if labels is None else labels.cpu().numpy()
    return TeacherOutputs(features.cpu().numpy(), known, seen.cpu().numpy(), confidence.cpu().numpy())


def spread(total: int, most: int) -> Tensor:
    """The places of at most `most` of `total` images, spread evenly: (min(total, most),)."""
    return torch.linspace(0, total - 1, min(total, most)).long()


class SecondNetwork:
    """A judge that classifies images. It gives numbers without a gradient, so nothing can learn from it."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def __call__(self, images: Tensor) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        seen = predict_with_features(self._network, images)
        return seen.teacher_labels.astype(np.int64), seen.teacher_confidence.astype(np.float64)


class TestImages:
    """Measures students on labeled images; the teacher classifies them once, when its answers are first needed."""

    __test__ = False  # not a test class, in spite of its name

    def __init__(self, teacher: nn.Module, images: Tensor, labels: Tensor) -> None:
        """`images`: (n, c, h, w) uint8; `labels`: (n,)."""
        self.teacher, self.images, self.labels = teacher, images, labels

    @cached_property
    def seen(self) -> TeacherOutputs:
        """The teacher's outputs for the images."""
        return predict_with_features(self.teacher, self.images, self.labels)

    @cached_property
    def teacher_labels(self) -> Tensor:
        """(n,) on the images' device."""
        return torch.from_numpy(self.seen.teacher_labels).to(self.labels.device)

    @cached_property
    def teacher_accuracy(self) -> float:
        """The teacher's accuracy on the same images, 0 to 1."""
        return _share(self.teacher_labels, self.labels)

    def __call__(self, student: nn.Module) -> Measurement:
        seen = predict(student, self.images)
        return Measurement(
            _share(seen, self.labels),
            self.teacher_accuracy,
            _share(seen, self.teacher_labels),
            len(self.images),
            seen.cpu().numpy(),
        )


class HeldBack:
    """Measures agreement on synthesized images that the student never learns from."""

    def __init__(self, teacher: nn.Module, pool: Pool) -> None:
        self.teacher, self.pool = teacher, pool

    def __call__(self, student: nn.Module) -> Measurement:
        images = self.pool.images[: len(self.pool)]
        if not len(images):
            return Measurement(None, None, None, 0)
        return Measurement(None, None, _share(predict(student, images), predict(self.teacher, images)), len(images))


def _share(a: Tensor, b: Tensor) -> float:
    return (a == b).float().mean().item()
