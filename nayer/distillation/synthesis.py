"""One round of synthesis: g optimiser steps of the generator on the same labels and noisy layers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.augmentation import crop_and_flip
from nayer.distillation.evaluation import at_rest
from nayer.distillation.image_pool import to_bytes
from nayer.distillation.losses import (
    activation_loss,
    adversarial_loss,
    balance_loss,
    batchnorm_loss,
    contrastive_loss,
    entropy_loss,
    label_loss,
    runs_away,
    total_variation_loss,
)
from nayer.distillation.state import RunState, Task, generator_optimizer
from nayer.errors import DivergedError
from nayer.events import GeneratorStep
from nayer.networks.bn_statistics import BatchNormInputs, Statistics, blend
from nayer.networks.classifiers import logits_and_features
from nayer.networks.generator import Generator

PREVIEW_CLASSES = 20  # images in a step's event


@dataclass(frozen=True, slots=True)
class Batch:
    """What a round made."""

    images: Tensor  # (n, c, h, w) uint8
    labels: Tensor  # (n,)
    step: int  # it was made in
    loss: float
    kept: tuple[Tensor, ...]  # what the pool gets: batches with these labels, each (n, c, h, w) uint8


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
    """Trains the generator for a round; yields its steps and, last, the batch. Moves the BatchNorm average on.

    The steps end early, after one at least, once `config.seconds` are over.
    """
    config, labels = task.config, task.labels
    generator = copy.deepcopy(state.generator) if state.meta_adam else state.generator  # FOMAML trains a copy
    noise = _noise(task, state)
    optimizer = _optimizer(config, state, generator, noise)
    if state.meta_adam:
        state.meta_adam.zero_grad(set_to_none=True)
    kept = torch.zeros((), device=task.device)  # the kept batch's loss, step and images stay on the device
    kept_step = torch.zeros((), dtype=torch.int64, device=task.device)
    kept_images = torch.empty(0)
    every: list[Tensor] = []  # with keep=all, the batches of the steps from `keep_from_step` on
    terms = None
    for step in range(config.generator_steps):
        if step and config.z_redraw == "step":
            noise = _noise(task, state)
        terms = _terms(task, state, generator, labels, noise)
        better = torch.ones_like(kept, dtype=torch.bool) if step == 0 or config.keep == "last" else terms.loss < kept
        if config.keep == "all" and step >= config.keep_from_step:
            every.append(to_bytes(terms.images))
        kept = torch.where(better, terms.loss.detach(), kept)
        kept_step = torch.where(better, step, kept_step)
        kept_images = terms.images if step == 0 else torch.where(better, terms.images, kept_images)
        optimizer.zero_grad(set_to_none=True)
        terms.loss.backward()
        if config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(generator.parameters(), config.gradient_clip)
        if state.meta_adam:
            _add_gradients(state.generator, generator)
        optimizer.step()
        last = step == config.generator_steps - 1 or watch.reached(config.seconds)
        if last or step % config.event_every == 0:
            yield _event(terms, step, config.generator_steps, state, watch, len(task.classes))
        if last:
            break
    assert terms is not None  # generator_steps ≥ 1
    if state.meta_adam:
        state.meta_adam.step()
    if terms.statistics:
        state.bn_average = blend(terms.statistics, state.bn_average, config.bn_momentum)
    images = to_bytes(kept_images)
    if state.contrast is not None:
        with torch.no_grad():
            state.contrast.remember(logits_and_features(task.teacher, images.float() / 255.0)[1])
    yield Batch(images, labels, int(kept_step.item()), kept.item(), tuple(every) or (images,))


def _noise(task: Task, state: RunState) -> Tensor | None:
    noise = state.generator.latent.draw(task.config.synthesis_batch, state.rng, task.device)
    state.noise = noise if noise is None else noise.requires_grad_(task.config.z_lr > 0.0)
    return state.noise


def _optimizer(config: Config, state: RunState, generator: Generator, noise: Tensor | None) -> torch.optim.Adam:
    if state.generator_adam is not None:
        return state.generator_adam
    made = generator_optimizer(config, generator, state.contrast, noise)
    if config.generator_adam == "kept":
        state.generator_adam = made
    return made


def _add_gradients(start: Generator, moved: Generator) -> None:
    """First-order MAML (Finn et al., 2017, §5.2): the copy's gradients, summed over its steps, move where it starts."""
    for here, there in zip(start.parameters(), moved.parameters(), strict=True):
        if there.grad is not None:
            here.grad = there.grad.clone() if here.grad is None else here.grad + there.grad


def _terms(task: Task, state: RunState, generator: Generator, labels: Tensor, noise: Tensor | None) -> _Terms:
    config = task.config
    with task.arithmetic():
        images = generator(labels, noise).float()  # (n, c, h, w)
    seen = crop_and_flip(images, task.padding, task.flip, state.rng)
    with task.arithmetic(), BatchNormInputs(task.teacher) as inputs:
        teacher_logits, features = (part.float() for part in logits_and_features(task.teacher, seen))  # (n, k), (n, f)
    teacher_labels = teacher_logits.argmax(dim=1)
    ce = label_loss(
        teacher_logits,
        labels if config.ce_target == "label" else teacher_labels,
        config.ce_temperature,
        config.ce_boundary * torch.rand(len(seen), generator=state.rng).to(task.device) if config.ce_boundary else None,
    )
    bn = adversarial = torch.zeros((), device=task.device)
    if inputs.batch:
        bn = batchnorm_loss(blend(inputs.batch, state.bn_average, config.bn_momentum), inputs.running)
    if config.adversarial_weight and state.round >= config.warmup_rounds:
        with task.arithmetic(), at_rest(state.student):
            student_logits = state.student(seen).float()
        adversarial = adversarial_loss(student_logits, teacher_logits, config.adversarial_form, config.adversarial_mask)
    loss = config.ce_weight * ce + config.bn_weight * bn + config.adversarial_weight * adversarial
    loss = loss + _further_terms(task, state, images, teacher_logits, features)
    hit = (teacher_labels == labels).float().mean()
    statistics = [(mean.detach(), variance.detach()) for mean, variance in inputs.batch]
    return _Terms(images.detach(), loss, ce.detach(), bn.detach(), adversarial.detach(), hit, statistics)


def _further_terms(task: Task, state: RunState, images: Tensor, logits: Tensor, features: Tensor) -> Tensor:
    """The weighted terms that only some methods use; each costs nothing while its weight is 0."""
    config = task.config
    total = torch.zeros((), device=task.device)
    if config.entropy_weight:
        total = total + config.entropy_weight * entropy_loss(logits)
    if config.balance_weight:
        total = total + config.balance_weight * balance_loss(logits)
    if config.activation_weight:
        total = total + config.activation_weight * activation_loss(features)
    if config.total_variation_weight:
        total = total + config.total_variation_weight * total_variation_loss(images)
    if state.contrast is not None:
        again = crop_and_flip(images, task.padding, task.flip, state.rng)  # a second view of the same images
        views, others = state.contrast(features), state.contrast(logits_and_features(task.teacher, again)[1])
        compared = contrastive_loss(views, others, state.contrast.remembered(), config.contrastive_temperature)
        total = total + config.contrastive_weight * compared
    return total


def _event(terms: _Terms, step: int, steps: int, state: RunState, watch: Stopwatch, classes: int) -> GeneratorStep:
    loss, ce, bn, adversarial, hit = torch.stack(
        [terms.loss.detach(), terms.ce, terms.bn, terms.adversarial, terms.label_hit]
    ).tolist()  # one copy off the device
    if runs_away(loss):
        answers_grew = runs_away(adversarial) and not runs_away(ce)  # the student's, on images like any others
        cause = "student_lr" if answers_grew else "generator_lr"
        raise DivergedError(
            f"the generator's loss became {loss:g} in step {step} of round {state.round}; try a smaller {cause}."
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
