"""One phase of distillation: the student learns from the pool what the teacher says of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from nayer.common.stopwatch import Stopwatch
from nayer.config import Config
from nayer.distillation.augmentation import bend, crop_and_flip
from nayer.distillation.losses import attention_loss, distillation_loss, hint_loss, imitation_loss, runs_away
from nayer.distillation.state import RunState, Task
from nayer.errors import DivergedError
from nayer.events import StudentStep
from nayer.networks import channel_slicing
from nayer.networks.stages import Stages


def cosine(start: float, end: float, share: float) -> float:
    """From `start` at share 0 to `end` at share 1, along half a cosine (Loshchilov & Hutter, 2017, eq. 5)."""
    return end + (start - end) * (1.0 + math.cos(math.pi * min(1.0, share))) / 2.0


def distil(task: Task, state: RunState, watch: Stopwatch) -> Iterator[StudentStep]:
    """`student_steps` of SGD on augmented pool images, labelled by the teacher on the fly; yields the steps.

    They end early, after one at least, once `config.seconds` are over.
    Raises DivergedError before a step that would leave the student without finite weights.
    """
    config = task.config
    state.student.train()
    twins = channel_slicing.fits(task.teacher, state.student)
    for step in range(config.student_steps):
        rate = cosine(config.student_lr, config.student_lr_end, _share_done(task, state, step, watch))
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        images = crop_and_flip(_images(task, state), task.padding, task.flip, state.rng)
        images = bend(images, config.bent_share, state.rng)
        with torch.no_grad(), task.arithmetic(), _stages(task, task.teacher) as teacher_stages:
            teacher_logits = task.teacher(images).float()  # (n, k)
        with task.arithmetic(), _stages(task, state.student) as student_stages:
            student_logits = state.student(images).float()  # (n, k)
        loss = _student_loss(config, student_logits, teacher_logits)
        if student_stages and teacher_stages:
            loss = loss + _inner_loss(config, student_stages, teacher_stages, twins=twins)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        last = step == config.student_steps - 1 or watch.reached(config.seconds)
        due = last or step % config.event_every == 0
        if due:
            _check(loss, state, step)
        state.optimizer.step()
        if due:
            agree = (student_logits.argmax(dim=1) == teacher_logits.argmax(dim=1)).float().mean()
            yield StudentStep(
                round=state.round,
                seconds=watch.seconds(),
                step=step,
                steps=config.student_steps,
                loss=loss.item(),
                agreement=agree.item(),
                learning_rate=rate,
            )
        if last:
            break
    state.student_phases += 1


def _images(task: Task, state: RunState) -> Tensor:
    """What a step learns from: pool images, or the generator's, from the round's noise or from new one each step."""
    if task.config.memory == "pool":
        return state.pool.sample(task.config.student_batch, state.rng)
    with torch.no_grad():
        noise = state.noise
        if task.config.z_redraw == "step":
            noise = state.generator.latent.draw(task.config.synthesis_batch, state.rng, task.device)
        return state.generator(task.labels, noise)  # type: ignore[no-any-return]


def _stages(task: Task, network: nn.Module) -> AbstractContextManager[Stages | None]:
    return Stages(network) if task.config.looks_inside else nullcontext()


def _inner_loss(config: Config, student: Stages, teacher: Stages, *, twins: bool) -> Tensor | float:
    """What the student is to take over from inside its teacher.

    Hints need channels that have counterparts. They come from the deepest maps and the features: what is before them
    costs time and adds nothing.
    """
    sides = [side for side in student.sides if side in teacher.sides]

    def both(chosen: list[int]) -> list[list[Tensor]]:
        return [[stages.at(side) for side in chosen] for stages in (student, teacher)]

    loss: Tensor | float = 0.0
    if config.attention_weight and (maps := [side for side in sides if side > 1]):
        loss = loss + config.attention_weight * attention_loss(*both(maps))
    if config.hint_weight and twins and sides:
        loss = loss + config.hint_weight * hint_loss(*both(sides[:2]))
    return loss


def _student_loss(config: Config, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    if config.student_loss == "l1":
        return imitation_loss(student_logits, teacher_logits)
    return distillation_loss(student_logits, teacher_logits, config.temperature)


def _share_done(task: Task, state: RunState, step: int, watch: Stopwatch) -> float:
    """How much of the run is over, by the student's steps or by the time limit, whichever is further."""
    config = task.config
    planned = max(1, config.student_phases * config.student_steps)
    by_steps = (state.student_phases * config.student_steps + step) / planned
    by_time = watch.seconds() / config.seconds if config.seconds else 0.0
    return max(by_steps, by_time)


def _check(loss: Tensor, state: RunState, step: int) -> None:
    gradients = [p.grad for p in state.student.parameters() if p.grad is not None]
    sizes = {"loss": loss.item(), "gradient": torch.nn.utils.get_total_norm(gradients).item()}
    for what, size in sizes.items():
        if runs_away(size):
            raise DivergedError(
                f"the student's {what} became {size:g} in step {step} of round {state.round}; try a smaller student_lr."
            )
