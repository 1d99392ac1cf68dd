"""The reset strip: one label through many noisy layers, and the same label many times through one."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nayer.analysis.diversity import measure
from nayer.distillation.image_pool import to_bytes
from nayer.distillation.task import Task
from nayer.errors import ConfigError
from nayer.measures import Diversity
from nayer.networks.classifiers import logits_and_features
from nayer.networks.generator import Generator
from nayer.networks.noisy_layer import NoisyLayer
from nayer.types import Floats, Images, Ints

MAX_IMAGES = 64  # images of a strip
COMPANIONS = 10  # classes made together: the head's BatchNorm expects a mixture


@dataclass(frozen=True, slots=True)
class RedrawPreview:
    """The images of one label, and the teacher's outputs for them."""

    images: Images  # (n, c, h, w)
    teacher_labels: Ints  # (n,)
    teacher_confidence: Floats  # (n,) 0..1
    diversity: Diversity


@dataclass(frozen=True, slots=True)
class Redraws:
    """The same label twice: with a new draw for each image, and with one draw for all."""

    label: int
    varied: str  # the re-drawn part: noisy layer, or noise if there is no such layer
    redrawn: RedrawPreview
    held: RedrawPreview


def redraws(task: Task, generator: Generator, label: int, count: int, seed: int) -> Redraws:
    """`count` images of `label` with a new draw each, and `count` images that all use the first draw.

    This does not train or change the generator, and does not use the run's random numbers. It shows the label as at
    a round's first step, before the generator has adapted to a new layer. Raises ConfigError for a label or a count
    that is out of range.
    """
    if not 0 <= label < len(task.classes):
        raise ConfigError(f"label must be 0 to {len(task.classes) - 1}; {label} was given.")
    if not 1 <= count <= MAX_IMAGES:
        raise ConfigError(f"count must be 1 to {MAX_IMAGES}; {count} was given.")
    redrawn, held = draw_strips(task, generator, label, count, seed)
    varied = "noise" if generator.noisy is None else "noisy layer"
    return Redraws(label, varied, _strip(task, redrawn, label), _strip(task, held, label))


def draw_strips(task: Task, generator: Generator, label: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """The images of the two strips, (count, c, h, w) each: with a new draw per image, and with one draw for all."""
    rng = torch.Generator().manual_seed(seed)
    k = len(task.classes)
    others = [other for other in range(k) if other != label][: COMPANIONS - 1]
    labels = torch.tensor([label, *others], device=task.device)  # (g,)
    made = copy.deepcopy(generator).requires_grad_(False)
    noise = made.latent.draw(count * len(labels), rng, task.device)  # (count·g, z) or none
    if made.noisy is not None:
        _, inputs, width = made.noisy.weight.shape
        made.noisy = NoisyLayer(count, inputs, width, len(labels)).to(task.device).requires_grad_(False)
        made.noisy.redraw(rng)
    redrawn = _images(made, labels, count, noise)
    if made.noisy is not None:
        made.noisy.weight.copy_(made.noisy.weight[:1].expand_as(made.noisy.weight).clone())
    if noise is not None:
        noise = noise[: len(labels)].repeat(count, 1)
    return redrawn, _images(made, labels, count, noise)


def _images(generator: Generator, labels: Tensor, count: int, noise: Tensor | None) -> Tensor:
    """The first label's images (count, c, h, w); image i of a set goes through layer i // g."""
    with torch.no_grad():
        return generator(labels.repeat(count), noise)[:: len(labels)]  # type: ignore[no-any-return]


def _strip(task: Task, images: Tensor, label: int) -> RedrawPreview:
    with torch.no_grad():
        logits, features = logits_and_features(task.teacher, images)
    confidence, seen = (part.cpu().numpy() for part in F.softmax(logits, dim=1).max(dim=1))
    wanted = np.full(len(images), label, dtype=np.int64)
    diversity = measure(features.cpu().numpy(), wanted, seen, len(task.classes), teacher_confidence=confidence)
    return RedrawPreview(to_bytes(images).cpu().numpy(), seen, confidence, diversity)
