"""The contrastive term of a step, by what it compares: two views of an image, or an image in teacher and student."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nayer.distillation.augmentation import local_view
from nayer.distillation.evaluation import frozen_eval
from nayer.distillation.losses import contrastive_loss, curriculum_contrast_loss
from nayer.distillation.task import Task
from nayer.networks.classifiers import initialize, logits_and_features
from nayer.networks.contrastive_head import StudentContrast, ViewContrast
from nayer.networks.hooks import BatchNormStatsHook

SLICE = 0.8  # of the sorted negatives that count; the slice moves from the easiest to the hardest (AdaDFKD)

Contrast = ViewContrast | StudentContrast


def new_contrast(task: Task, student: nn.Module, rng: torch.Generator) -> Contrast:
    """Its sizes are those of the networks' features, which a pass of one gray image gives."""
    gray = torch.full((1, *task.image_shape), 0.5, device=task.device)
    with torch.no_grad(), frozen_eval(student):
        seen, capacity = mean_activations(task.teacher, gray), task.config.bank_capacity
        if task.config.contrastive_with == "views":
            views = ViewContrast(seen.shape[1], capacity).to(task.device)
            initialize(views, rng)
            return views
        features = logits_and_features(task.teacher, gray)[1]
        against = StudentContrast(features.shape[1], logits_and_features(student, gray)[1].shape[1], capacity)
    against.draw(rng)
    return against.to(task.device)


def mean_activations(teacher: nn.Module, images: Tensor) -> Tensor:
    """Each image's mean activations at the BatchNorm layers (n, f), as in CMI; without such layers, its features."""
    with BatchNormStatsHook(teacher, instances=True) as inputs:
        _, features = logits_and_features(teacher, images)
    return features.float() if inputs.instances is None else inputs.instances


def contrast_term(
    task: Task,
    contrast: Contrast,
    student: nn.Module,
    images: Tensor,
    seen: Tensor,
    features: Tensor,
    hardness: float,
    rng: torch.Generator,
) -> Tensor:
    """The term of one step, with gradient to the images (n, c, h, w).

    `seen`: what the teacher sees of their augmented form; `features`: its penultimate features. `hardness`: the share
    of the run that is over.
    """
    if isinstance(contrast, ViewContrast):
        local = mean_activations(task.teacher, local_view(images, task.flip, rng))
        return contrastive_loss(*contrast.pairs(local, seen, rng), len(images))
    with torch.no_grad(), frozen_eval(student):
        keys = contrast.keys(logits_and_features(student, images)[1].float())
    query = F.normalize(features, dim=1)
    return curriculum_contrast_loss(query, keys, contrast.bank.remembered(), (1.0 - SLICE) * hardness, SLICE)


@torch.no_grad()
def remember_batch(task: Task, contrast: Contrast, student: nn.Module, images: Tensor, rng: torch.Generator) -> None:
    """Puts a round's images (n, c, h, w) in [0, 1] into the bank."""
    if isinstance(contrast, ViewContrast):
        local = mean_activations(task.teacher, local_view(images, task.flip, rng))
        contrast.bank.remember(torch.cat([local, mean_activations(task.teacher, images)], dim=1))
    else:
        with frozen_eval(student):
            contrast.bank.remember(contrast.keys(logits_and_features(student, images)[1].float()))
