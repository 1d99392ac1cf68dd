"""The state of a run: everything that changes during the run and that a checkpoint saves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from nayer.config import Config, settings
from nayer.distillation.contrast import Contrast, new_contrast
from nayer.distillation.image_pool import Pool
from nayer.distillation.optimizers import contrast_optimizer, meta_optimizer, student_optimizer
from nayer.distillation.task import Task
from nayer.networks import channel_slicing, noisy_layer
from nayer.networks.execution import compile_networks
from nayer.networks.generator import Generator, Latent
from nayer.networks.hooks import Statistics
from nayer.networks.mirrored import mirrored_nodes
from nayer.networks.pixels import Pixels

HELD_BACK_CAPACITY = 500  # images; enough for a standard error of two points


@dataclass
class RunState:
    """Everything that changes during a run. Between two rounds a checkpoint needs nothing else."""

    generator: Generator
    student: nn.Module
    optimizer: torch.optim.Optimizer  # the student's
    pool: Pool
    held_back: Pool
    rng: torch.Generator  # on the CPU: every draw of the run
    meta_adam: torch.optim.Adam | None  # moves the generator's starting point, with FOMAML
    contrast: Contrast | None
    contrast_adam: torch.optim.Adam | None = None  # of CMI's projection
    generator_adam: torch.optim.Adam | None = None  # if the rounds share one
    bn_average: Statistics | None = None
    round: int = 0  # the next one
    student_phases: int = 0  # done
    seconds: float = 0.0  # of work, over all processes that continued the run
    work: int = 0  # multiply-adds, counted like `seconds`, if the task knows the cost of a step


def new_state(task: Task, student: nn.Module, rng: torch.Generator) -> RunState:
    """The state before the first round; `student` is on the task's device, and `rng` is the run's from here on."""
    config = task.config
    if starts_thinned(config, task.teacher, student):
        channel_slicing.init_from_teacher_channels(task.teacher, student)
    generator = new_generator(task)
    generator.rebuild(rng)
    compile_networks(config, generator, student)
    contrast = new_contrast(task, student, rng) if config.contrastive_weight else None
    return RunState(
        generator=generator,
        student=student,
        optimizer=student_optimizer(config, student),
        pool=Pool(config.pool_capacity, task.image_shape, task.device),
        held_back=Pool(HELD_BACK_CAPACITY, task.image_shape, task.device),
        rng=rng,
        meta_adam=meta_optimizer(config, generator),
        contrast=contrast,
        contrast_adam=contrast_optimizer(config, contrast),
    )


def starts_thinned(config: Config, teacher: nn.Module, student: nn.Module) -> bool:
    """Whether the student begins with weights of its teacher: the config asks for it, and it is possible."""
    return config.student_start == "thinned" and channel_slicing.is_narrower_copy(teacher, student)


def revise(state: RunState, before: Task, after: Task) -> None:
    """Fits `state` to a task whose config has changed between two rounds; weights that still fit are kept."""
    rebuilding = [one.name for one in settings() if one.rebuilds_generator]
    if any(getattr(before.config, name) != getattr(after.config, name) for name in rebuilding):
        kept = state.generator.state_dict()
        state.generator = new_generator(after)
        state.generator.rebuild(state.rng)
        fresh = state.generator.state_dict()
        fits = {name for name in kept.keys() & fresh.keys() if kept[name].shape == fresh[name].shape}
        state.generator.load_state_dict(fresh | {name: kept[name] for name in fits - {"latent.table"}})
        state.meta_adam = meta_optimizer(after.config, state.generator)
    state.generator_adam = None  # its moments and rates belong to the former generator


def new_generator(task: Task) -> Generator:
    """The generator that a task asks for, on its device, its head channels last; its weights are not drawn yet."""
    generator = _made(task).to(task.device)
    generator.head.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return generator


def _made(task: Task) -> Generator:
    config, (channels, size, _) = task.config, task.image_shape
    if not config.generator_width:
        return Pixels(channels, size)
    latent = Latent(
        None if config.latent == "none" else task.table,
        noise=config.z_size,
        combine=config.z_combine,
    )
    noisy = None
    if config.noisy_layer:
        k, batch = len(task.classes), config.synthesis_batch
        noisy = noisy_layer.NoisyLayer(
            noisy_layer.layers(config.routing, k, batch),
            latent.outputs,
            noisy_layer.outputs(config.noisy_width, k),
            noisy_layer.group_size(config.routing, k, batch),
        )
    return Generator(
        latent,
        noisy,
        channels=channels,
        size=size,
        width=config.generator_width,
        init_std=config.generator_init_std,
        mirrored=mirrored_nodes(task.teacher, task.image_shape, task.device) if config.mirror_weight else (),
    )
