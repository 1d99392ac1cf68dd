"""The algorithm on one page (Tran et al., 2024, algorithm 1): re-draw, generator steps, pool, student steps.

A run is a generator of events, and the caller of next() decides the pace. `report` makes the events. `state` is the
content of a checkpoint. `losses` has the terms of the objectives.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from nayer.common.parts import part
from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.augmentation import crop_and_flip, cutmix, elastic_distortion
from nayer.distillation.batch import Batch, Objective
from nayer.distillation.contrast import contrast_term, remember_batch
from nayer.distillation.evaluation import batch_statistics, frozen_eval
from nayer.distillation.image_pool import to_bytes
from nayer.distillation.losses import (
    activation_loss,
    adversarial_loss,
    alignment_loss,
    attention_loss,
    batchnorm_loss,
    cross_entropy_loss,
    distillation_loss,
    entropy_loss,
    gap_loss,
    hint_loss,
    information_entropy_loss,
    logit_l1_loss,
    mirror_loss,
    total_variation_loss,
)
from nayer.distillation.optimizers import (
    add_gradients,
    generator_learning_rate,
    generator_optimizer,
    student_learning_rate,
)
from nayer.distillation.overlap import InBackground, half_the_threads, interleave
from nayer.distillation.report import Report, check_student
from nayer.distillation.state import RunState, revise
from nayer.distillation.task import Task
from nayer.errors import ConfigError, excerpt
from nayer.events import Event, GeneratorStep, Redrawn, StudentStep
from nayer.networks import channel_slicing
from nayer.networks.classifiers import last_layer, logits_and_features
from nayer.networks.generator import Generator as ImageGenerator
from nayer.networks.hooks import ActivationHooks, BatchNormStatsHook, Statistics, ema
from nayer.networks.mirrored import StageHooks


def train(
    task: Task, state: RunState, watch: Stopwatch | None = None, revised: Callable[[], Task | None] = lambda: None
) -> Iterator[Event]:
    """Runs `task` from `state` on, changing `state`; the run can be saved at each RoundFinished.

    `revised` is called before each round. It returns a task with another config for the rest of the run, or None.
    A limit in seconds or in work acts between two steps: it cuts the present round short. That round is then measured
    and finished as usual. Raises Stopped between two steps if `watch` says so: the present round then has no end.
    Raises DivergedError when a loss stops being finite; `state.student` then is the last finite one.
    """
    if task.config.work and task.step_work is None:
        raise ConfigError(f"work={task.config.work:g} needs a task with step_work; open the run by its config.")
    watch = watch or Stopwatch(state.seconds)
    events = _rounds(task, state, watch, revised)
    while True:
        # The time of the reader of the events does not count. Each of two parallel loops has half of the threads.
        with watch, half_the_threads() if task.config.overlap else nullcontext():
            event = next(events, None)
        state.seconds = watch.seconds()
        if event is None:
            return
        yield event


def _rounds(task: Task, state: RunState, watch: Stopwatch, revised: Callable[[], Task | None]) -> Iterator[Event]:
    report = Report(task, state, watch)
    yield from report.started()
    while True:
        if after := revised():
            revise(state, task, after)
            yield report.changed(after)
            task = after
        if over := _over(task, state, watch):
            yield from report.finished(over)
            return
        if redrawn := redraw(task, state):
            yield report.redrawn(redrawn)
        both_at_once = task.config.overlap and _student_is_due(task, state)
        batch = yield from (synthesize_beside_student if both_at_once else synthesize)(task, state, report)
        pooled, learned = remember(task, state, batch)
        yield from report.synthesized(batch, pooled)
        if _student_is_due(task, state) and not task.config.overlap:
            yield from distill(task, state, learned, report)
        if _over(task, state, watch, after=1) or (state.round + 1) % task.config.evaluate_every == 0:
            yield from report.evaluation()
        state.round += 1
        yield report.round_finished()


def _over(
    task: Task, state: RunState, watch: Stopwatch, *, after: int = 0
) -> Literal["rounds done", "work is done", "time is up"] | None:
    """The reason to end the run after `after` more rounds, or None. Limits come first: they may shorten the last round.

    Planned work comes before time: it ends the run in the same step on every machine.
    """
    if task.share_of_work(state.work) >= 1.0:
        return "work is done"
    if watch.reached(task.config.seconds):
        return "time is up"
    return "rounds done" if state.round + after >= task.config.rounds else None


def _is_cut(task: Task, state: RunState, watch: Stopwatch) -> bool:
    """Whether a phase ends after the present step, because the run's work is done or its seconds are over.

    Raises Stopped if the run must stop.
    """
    return watch.reached(task.config.seconds) or task.share_of_work(state.work) >= 1.0


# --- 1. re-draw: the only randomness behind the label-text embeddings ------------------------------------------------


@part("generator")
def redraw(task: Task, state: RunState) -> Redrawn | None:
    """Draws the weights that this round starts with; the first round's weights are already new."""
    config = task.config
    warming_up = state.round < config.warmup_rounds
    since = state.round if warming_up else state.round - config.warmup_rounds
    every = config.warmup_generator_reset_every if warming_up else config.generator_reset_every
    if state.round == 0:
        return "generator"
    if every and since % every == 0:
        state.generator.rebuild(state.rng)
        state.generator_adam = None  # its moments belong to the former weights
        return "generator"
    if config.noisy_reset_every and state.round % config.noisy_reset_every == 0:
        if config.redraw == "noisy layer":
            state.generator.redraw_noisy_layer(state.rng)
        else:
            state.generator.redraw_first_layer(state.rng)
        return config.redraw
    return None


# --- 2. synthesis: g steps of the generator on the same labels and noisy layers --------------------------------------


def synthesize(task: Task, state: RunState, report: Report) -> Generator[GeneratorStep, None, Batch]:
    """Trains the generator for a round; yields its steps and returns the batch. Updates the BatchNorm average.

    The steps end early, but after at least one, if the run's work is done or its seconds are over.
    """
    config, labels = task.config, task.drawn_labels(state.rng)
    generator = copy.deepcopy(state.generator) if state.meta_adam else state.generator  # FOMAML trains a copy
    noise = _noise(task, state)
    optimizer = _generator_adam(task, state, generator, noise)
    if state.meta_adam:
        state.meta_adam.zero_grad(set_to_none=True)
    best = torch.zeros((), device=task.device)  # the best batch's loss, step and images stay on the device
    best_step = torch.zeros((), dtype=torch.int64, device=task.device)
    best_images = torch.empty(0)
    every: list[Tensor] = []  # with keep=all, the batches of the steps from `keep_from_step` on
    for step in range(config.generator_steps):
        if step and config.z_redraw == "step":
            noise = _noise(task, state)
        objective = generator_objective(task, state, generator, labels, noise)
        better = step == 0 or config.keep == "last"
        improved = torch.ones_like(best, dtype=torch.bool) if better else objective.loss < best
        if config.keep == "all" and step >= config.keep_from_step:
            every.append(to_bytes(objective.images))
        best = torch.where(improved, objective.loss.detach(), best)
        best_step = torch.where(improved, step, best_step)
        best_images = objective.images if step == 0 else torch.where(improved, objective.images, best_images)
        if optimizer is not None:
            _generator_step(task, state, generator, objective.loss, optimizer)
        if task.step_work:
            asked = config.adversarial_weight and state.round >= config.warmup_rounds
            state.work += task.step_work.generator if asked else task.step_work.warmup
        last = _is_cut(task, state, report.watch) or step == config.generator_steps - 1
        if last or step % config.event_every == 0:
            yield report.generator_step(objective, step)
        if last:
            break
    if state.meta_adam:
        state.meta_adam.step()
    if objective.statistics:
        state.bn_average = ema(objective.statistics, state.bn_average, config.bn_momentum)
    images = to_bytes(best_images)
    if state.contrast is not None:
        remember_batch(task, state.contrast, state.student, images.float() / 255.0, state.rng)
    return Batch(images, labels, int(best_step.item()), best.item(), tuple(every) or (images,), noise)


def _generator_step(
    task: Task, state: RunState, generator: ImageGenerator, loss: Tensor, optimizer: torch.optim.Adam
) -> None:
    config = task.config
    optimizer.zero_grad(set_to_none=True)
    if state.contrast_adam:
        state.contrast_adam.zero_grad(set_to_none=True)
    with part("generator"):
        loss.backward()
    if config.gradient_clip:
        torch.nn.utils.clip_grad_norm_(generator.parameters(), config.gradient_clip)
    if config.generator_cosine:
        optimizer.param_groups[0]["lr"] = generator_learning_rate(config, _share_of_run(task, state))
    if state.meta_adam:
        add_gradients(state.generator, generator)
    optimizer.step()
    if state.contrast_adam:
        state.contrast_adam.step()


def _share_of_run(task: Task, state: RunState) -> float:
    """The share of the run that is over, by rounds or by planned work: the larger of the two."""
    return max(state.round / task.config.rounds, task.share_of_work(state.work))


def generator_objective(
    task: Task, state: RunState, generator: ImageGenerator, labels: Tensor, noise: Tensor | None
) -> Objective:
    """L = α_ce·L_ce + α_bn·L_bn + α_adv·L_adv (Tran et al., 2024, eq. 4), and the terms of other methods."""
    config = task.config
    with StageHooks(generator.head, task.teacher) as mirror:
        with task.autocast():
            images = generator(labels, noise).float()  # (n, c, h, w)
        seen = crop_and_flip(images, task.padding, task.flip, state.rng)
        with task.autocast(), BatchNormStatsHook(task.teacher, instances=state.contrast is not None) as inputs:
            outputs = logits_and_features(task.teacher, seen)
    teacher_logits, features = (part.float() for part in outputs)  # (n, k), (n, f)
    teacher_labels = teacher_logits.argmax(dim=1)
    ce = cross_entropy_loss(
        teacher_logits,
        labels if config.ce_target == "label" else teacher_labels,
        config.ce_temperature,
        config.ce_boundary * torch.rand(len(seen), generator=state.rng).to(task.device) if config.ce_boundary else None,
    )
    bn = adversarial = torch.zeros((), device=task.device)
    averaged: Statistics = []
    if inputs.batch:
        averaged = ema(inputs.batch, state.bn_average, config.bn_momentum)
        bn = batchnorm_loss(averaged, inputs.running)
    if config.adversarial_weight and state.round >= config.warmup_rounds:
        with task.autocast(), frozen_eval(state.student):
            student_logits = state.student(seen).float()
        if config.adversarial_form == "gap":
            adversarial = gap_loss(student_logits, teacher_logits, labels)
        else:
            how = (config.adversarial_form, config.adversarial_mask, config.adversarial_temperature)
            adversarial = adversarial_loss(student_logits, teacher_logits, *how)
    loss = config.ce_weight * ce + config.bn_weight * bn + config.adversarial_weight * adversarial
    loss = loss + _terms_of_other_methods(task, state, images, labels, teacher_logits, features)
    if config.mirror_weight:
        at = [inputs.layers.index(layer) for layer in mirror.layers]
        batch, running = ([statistics[place] for place in at] for statistics in (averaged, inputs.running))
        loss = loss + config.mirror_weight * mirror_loss(mirror.outputs, mirror.inputs, batch, running)
    if state.contrast is not None:
        seen_by_teacher = features if inputs.instances is None else inputs.instances
        hardness = _share_of_run(task, state)
        term = contrast_term(
            task, state.contrast, state.student, images, seen_by_teacher, features, hardness, state.rng
        )
        loss = loss + config.contrastive_weight * term
    hit = (teacher_labels == labels).float().mean()
    statistics = [(mean.detach(), variance.detach()) for mean, variance in inputs.batch]
    return Objective(images.detach(), loss, ce.detach(), bn.detach(), adversarial.detach(), hit, statistics)


@part("losses")
def _terms_of_other_methods(
    task: Task, state: RunState, images: Tensor, labels: Tensor, logits: Tensor, features: Tensor
) -> Tensor:
    """The weighted terms that NAYER does not use; each costs nothing while its weight is 0."""
    config = task.config
    total = torch.zeros((), device=task.device)
    if config.entropy_weight:
        total = total + config.entropy_weight * entropy_loss(logits)
    if config.balance_weight:
        total = total + config.balance_weight * information_entropy_loss(logits, config.balance_temperature)
    if config.activation_weight:
        total = total + config.activation_weight * activation_loss(features)
    if config.total_variation_weight:
        total = total + config.total_variation_weight * total_variation_loss(images)
    if config.align_weight and state.round >= config.warmup_rounds:  # a part of the adversarial term, as published
        total = total + config.align_weight * alignment_loss(features, labels, *last_layer(task.teacher, features))
    return total


def _noise(task: Task, state: RunState) -> Tensor | None:
    noise = state.generator.latent.draw(task.config.synthesis_batch, state.rng, task.device)
    return noise if noise is None else noise.requires_grad_(task.config.z_lr > 0.0)


def _generator_adam(
    task: Task, state: RunState, generator: ImageGenerator, noise: Tensor | None
) -> torch.optim.Adam | None:
    if state.generator_adam is not None:
        return state.generator_adam
    made = generator_optimizer(task.config, generator, noise)
    if task.config.generator_adam == "kept":
        state.generator_adam = made
    return made


def synthesize_beside_student(
    task: Task, state: RunState, report: Report
) -> Generator[GeneratorStep | StudentStep, None, Batch]:
    """`synthesize` and, in a second thread, `distill` on the images of the rounds before.

    The generator's opponent is the student as it was when the round began, and the student draws from its own
    generator. So neither depends on the speed of the other, and a seed gives one result.
    """
    seed = int(torch.randint(2**62, (), generator=state.rng).item())
    learning = replace(state, rng=torch.Generator().manual_seed(seed))
    steps = distill(replace(task, teacher=_second_teacher(task.teacher)), learning, None, report)
    student, state.student = state.student, copy.deepcopy(state.student)
    before = state.work  # each counts its own steps from here on, so that neither depends on the other's progress
    try:
        with InBackground(steps, torch.get_num_threads()) as student_steps:
            batch = yield from interleave(synthesize(task, state, report), student_steps)
    finally:
        state.student = student
    state.student_phases = learning.student_phases
    state.work += learning.work - before
    return batch


def _second_teacher(teacher: nn.Module) -> nn.Module:
    """A copy with the same weights in separate modules: one thread's hooks must not read the other thread's passes."""
    tensors = itertools.chain(teacher.parameters(), teacher.buffers())
    try:
        return copy.deepcopy(teacher, {id(tensor): tensor for tensor in tensors})
    except (
        Exception
    ) as error:  # a teacher from another program may hold an object that cannot be copied, for example a lock
        reason = excerpt(str(error), 80)
        raise ConfigError(f"overlap needs a teacher that can be copied ({reason}); switch overlap off.") from None


# --- 3. pool: the images that the student learns from ----------------------------------------------------------------


@part("pool")
def remember(task: Task, state: RunState, batch: Batch) -> tuple[int, Batch]:
    """Puts a round's kept images into the pool, and a share of its batch among the held-back images.

    Returns how many images the pool got, and the part of the batch that the student may learn from. An image's place
    in the batch decides its label, its noise and its noisy layer. No image from a held-back place enters the pool, at
    any step, and no student learns from its noise.
    """
    if state.round < task.config.pool_from_round:
        return 0, batch
    order = torch.randperm(len(batch.images), generator=state.rng).to(task.device)
    held = round(task.config.held_back * len(batch.images))
    state.held_back.add(batch.images[order[:held]], batch.labels[order[:held]])
    learned = order[held:]
    if task.config.memory == "online":
        return 0, batch.at(learned) if held else batch
    for images in batch.kept:
        state.pool.add(images[learned], batch.labels[learned])
    return len(learned) * len(batch.kept), batch


# --- 4. student: distillation on the pool, labeled by the teacher on the fly -----------------------------------------


def distill(task: Task, state: RunState, batch: Batch | None, report: Report) -> Generator[StudentStep, None, None]:
    """`student_steps` optimizer steps of the student on augmented images; yields the steps.

    They end early, but after at least one, if the run's work is done or its seconds are over. `batch`: the round's, for
    images that are made for each step. Raises DivergedError before a step that would leave the student without finite
    weights.
    """
    config = task.config
    state.student.train()
    narrower_copy = channel_slicing.is_narrower_copy(task.teacher, state.student)
    for step in range(config.student_steps):
        rate = student_learning_rate(config, state.student_phases, step, task.share_of_work(state.work))
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        images = crop_and_flip(_images(task, state, batch), task.padding, task.flip, state.rng)
        images = elastic_distortion(images, config.elastic_share, state.rng)
        images = cutmix(images, config.cutmix_share, state.rng)
        own = batch_statistics(task.teacher) if config.teacher_statistics == "batch" else nullcontext()
        with torch.no_grad(), task.autocast(), own, _stages(task, task.teacher) as teacher_stages:
            teacher_logits = task.teacher(images).float()  # (n, k)
        with task.autocast(), _stages(task, state.student) as student_stages:
            student_logits = state.student(images).float()  # (n, k)
        loss = _student_loss(config, student_logits, teacher_logits)
        if student_stages and teacher_stages:
            loss = loss + _inner_loss(config, student_stages, teacher_stages, narrower_copy=narrower_copy)
        state.optimizer.zero_grad(set_to_none=True)
        with part("student"):
            loss.backward()
        if config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(state.student.parameters(), config.gradient_clip)
        if task.step_work:
            state.work += task.step_work.student
        last = _is_cut(task, state, report.watch) or step == config.student_steps - 1
        due = last or step % config.event_every == 0
        if due:
            check_student(loss, state, step)
        state.optimizer.step()
        if due:
            yield report.student_step(loss, student_logits, teacher_logits, step, rate)
        if last:
            break
    state.student_phases += 1


def _student_is_due(task: Task, state: RunState) -> bool:
    config = task.config
    since = state.round - config.warmup_rounds
    has_images = len(state.pool) > 0 or config.memory == "online"
    return since >= 0 and (since + 1) % config.student_every == 0 and has_images


def _images(task: Task, state: RunState, batch: Batch | None) -> Tensor:
    """The images of a step: from the pool, or from the generator with the round's noise or new noise each step.

    Without a round of its own, a step makes the images that a new round would begin with.
    """
    if task.config.memory == "pool":
        return state.pool.sample(task.config.student_batch, state.rng)
    with torch.no_grad():
        if task.config.z_redraw == "step" or batch is None:
            noise = state.generator.latent.draw(task.config.synthesis_batch, state.rng, task.device)
            return state.generator(task.labels, noise)  # type: ignore[no-any-return]
        return state.generator(batch.labels, batch.noise)  # type: ignore[no-any-return]


def _stages(task: Task, network: nn.Module) -> AbstractContextManager[ActivationHooks | None]:
    return ActivationHooks(network) if task.config.looks_inside else nullcontext()


@part("losses")
def _student_loss(config: Config, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    if config.student_loss == "l1":
        return logit_l1_loss(student_logits, teacher_logits)
    return distillation_loss(student_logits, teacher_logits, config.temperature)


@part("losses")
def _inner_loss(
    config: Config, student: ActivationHooks, teacher: ActivationHooks, *, narrower_copy: bool
) -> Tensor | float:
    """The loss on the inside of the teacher: attention maps and hints.

    Hints need channels that have counterparts. They come from the deepest maps and the features. Earlier layers
    cost time and add nothing.
    """
    sides = [side for side in student.sides if side in teacher.sides]

    def both(chosen: list[int]) -> list[list[Tensor]]:
        return [[stages.at(side) for side in chosen] for stages in (student, teacher)]

    loss: Tensor | float = 0.0
    if config.attention_weight and (maps := [side for side in sides if side > 1]):
        loss = loss + config.attention_weight * attention_loss(*both(maps))
    if config.hint_weight and narrower_copy and sides:
        loss = loss + config.hint_weight * hint_loss(*both(sides[:2]))
    return loss
