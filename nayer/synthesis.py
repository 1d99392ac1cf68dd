"""One round of synthesis: g optimiser steps of the generator on the same labels and noisy layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nayer.augmentation import crop_and_flip
from nayer.bn_statistics import BatchNormInputs, Statistics, blend
from nayer.clock import Stopwatch
from nayer.errors import DivergedError
from nayer.evaluation import at_rest
from nayer.events import GeneratorStep
from nayer.losses import adversarial_loss, batchnorm_loss, label_loss
from nayer.pool import to_bytes
from nayer.state import RunState, Task

PREVIEW_CLASSES = 20  # images in a step's event


@dataclass(frozen=True, slots=True)
class Batch:
    """What a round made."""

    images: Tensor  # (n, c, h, w) uint8
    labels: Tensor  # (n,)
    step: int  # it was made in
    loss: float


@dataclass(frozen=True, slots=True)
class _Terms:
    """One step's images and what they cost; everything on the device, detached but for `loss`."""

    images: Tensor  # (n, c, h, w) in [0, 1]
    loss: Tensor
    ce: Tensor
    bn: Tensor
    adversarial: Tensor
    label_hit: Tensor
    statistics: Statistics  # at the teacher's BatchNorm inputs


def synthesise(task: Task, state: RunState, watch: Stopwatch) -> Iterator[GeneratorStep | Batch]:
    """Trains the generator for a round; yields its steps and, last, the batch. Moves the BatchNorm average on."""
    config, labels = task.config, task.labels
    betas = (config.generator_beta1, 0.999)
    # Fused: the noisy layers hold most weights; stepping them operation by operation costs more than a convolution.
    adam = torch.optim.Adam(state.generator.parameters(), lr=config.generator_lr, betas=betas, fused=True)
    kept = torch.zeros((), device=task.device)  # the kept batch's loss, step and images stay on the device
    kept_step = torch.zeros((), dtype=torch.int64, device=task.device)
    kept_images = torch.empty(0)
    terms = None
    for step in range(config.generator_steps):
        terms = _terms(task, state, labels)
        better = torch.ones_like(kept, dtype=torch.bool) if step == 0 or config.keep == "last" else terms.loss < kept
        kept = torch.where(better, terms.loss.detach(), kept)
        kept_step = torch.where(better, step, kept_step)
        kept_images = terms.images if step == 0 else torch.where(better, terms.images, kept_images)
        adam.zero_grad(set_to_none=True)
        terms.loss.backward()
        adam.step()
        if step % config.event_every == 0 or step == config.generator_steps - 1:
            yield _event(terms, step, config.generator_steps, state, watch, len(task.classes))
    assert terms is not None  # generator_steps ≥ 1
    if terms.statistics:
        state.bn_average = blend(terms.statistics, state.bn_average, config.bn_momentum)
    yield Batch(to_bytes(kept_images), labels, int(kept_step.item()), kept.item())


def _terms(task: Task, state: RunState, labels: Tensor) -> _Terms:
    config = task.config
    images = state.generator(labels)  # (n, c, h, w)
    seen = crop_and_flip(images, task.padding, task.flip, state.rng)
    with BatchNormInputs(task.teacher) as inputs:
        teacher_logits = task.teacher(seen)  # (n, k)
    ce = label_loss(teacher_logits, labels)
    bn = adversarial = torch.zeros((), device=task.device)
    if inputs.batch:
        bn = batchnorm_loss(blend(inputs.batch, state.bn_average, config.bn_momentum), inputs.running)
    if config.adversarial_weight and state.round >= config.warmup_rounds:
        with at_rest(state.student):
            adversarial = adversarial_loss(state.student(seen), teacher_logits)
    loss = config.ce_weight * ce + config.bn_weight * bn + config.adversarial_weight * adversarial
    hit = (teacher_logits.argmax(dim=1) == labels).float().mean()
    statistics = [(mean.detach(), variance.detach()) for mean, variance in inputs.batch]
    return _Terms(images.detach(), loss, ce.detach(), bn.detach(), adversarial.detach(), hit, statistics)


def _event(terms: _Terms, step: int, steps: int, state: RunState, watch: Stopwatch, classes: int) -> GeneratorStep:
    loss, ce, bn, adversarial, hit = torch.stack(
        [terms.loss.detach(), terms.ce, terms.bn, terms.adversarial, terms.label_hit]
    ).tolist()  # one copy off the device
    if not math.isfinite(loss):
        raise DivergedError(
            f"the generator's loss became {loss} in step {step} of round {state.round}; try a smaller generator_lr."
        )
    return GeneratorStep(
        round=state.round,
        seconds=watch.seconds(),
        step=step,
        steps=steps,
        loss=loss,
        ce=ce,
        bn=bn,
        adversarial=adversarial,
        label_hit=hit,
        preview=to_bytes(terms.images[: min(classes, PREVIEW_CLASSES)]).cpu().numpy(),
    )
