"""A run in two halves: the task, which never changes, and the state, which a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nayer.analysis.baselines import Seen
from nayer.config import Config
from nayer.distillation.evaluation import Evaluator
from nayer.distillation.image_pool import Pool
from nayer.errors import ConfigError
from nayer.networks import channel_slicing, noisy_shape
from nayer.networks.bn_statistics import Statistics
from nayer.networks.classifiers import initialise, logits_and_features
from nayer.networks.compiling import compile_networks
from nayer.networks.contrastive_head import Contrast
from nayer.networks.generator import Generator
from nayer.networks.latents import Latent
from nayer.networks.noisy_layer import NoisyLayer
from nayer.networks.precision import arithmetic

HELD_BACK_CAPACITY = 500  # images; enough for a standard error of two points


@dataclass(frozen=True)
class Task:
    """What a run is given: the teacher is all that is known of the data."""

    config: Config
    teacher: nn.Module  # frozen, in eval mode, on `device`; images (n, c, h, w) in [0, 1] → logits (n, k)
    classes: tuple[str, ...]
    table: Tensor  # (k, d) on `device`
    image_shape: tuple[int, int, int]  # (c, h, w)
    mirror: bool  # whether a mirrored image keeps its class
    device: torch.device
    evaluator: Evaluator | None = None  # None: agreement on held-back samples
    real: Callable[[], Seen] | None = None  # what the teacher sees in labelled test images: an end-point of diversity

    def __post_init__(self) -> None:
        config, k = self.config, len(self.classes)
        if k < 2:
            raise ConfigError(f"teacher={config.teacher!r} knows {k} class; distillation needs at least 2.")
        if config.synthesis_batch < k:
            raise ConfigError(
                f"synthesis_batch={config.synthesis_batch} is smaller than the {k} classes; use at least {k}."
            )
        if len(self.table) != k:
            raise ConfigError(f"the embedding table has {len(self.table)} rows for {k} classes; it needs one a class.")
        if self.image_shape[1] != self.image_shape[2]:
            raise ConfigError(f"images of {self.image_shape[1]} × {self.image_shape[2]} pixels; only square ones work.")

    def arithmetic(self) -> AbstractContextManager[object]:
        """Inside, networks count in the config's precision; what they give may be bfloat16."""
        return arithmetic(self.config.precision, self.device)

    @property
    def labels(self) -> Tensor:
        """The wanted labels of a round's batch: 0…k−1, 0…k−1, … (n,)."""
        return torch.arange(self.config.synthesis_batch, device=self.device) % len(self.classes)

    @property
    def padding(self) -> int:
        """Pixels an image may be shifted by in front of teacher and student."""
        return round(self.config.crop_share * self.image_shape[1])

    @property
    def flip(self) -> bool:
        return self.config.flip and self.mirror


@dataclass
class RunState:
    """What changes while a run goes on. Between two rounds this is all there is to save."""

    generator: Generator
    student: nn.Module
    optimizer: torch.optim.Optimizer  # the student's
    pool: Pool
    held_back: Pool
    rng: torch.Generator  # on the CPU: every draw of the run
    meta_adam: torch.optim.Adam | None  # moves the generator's starting point, with FOMAML
    contrast: Contrast | None
    generator_adam: torch.optim.Adam | None = None  # where one is kept over rounds
    noise: Tensor | None = None  # the latest one the generator was fed, (n, z); lives within a round
    bn_average: Statistics | None = None
    round: int = 0  # the next one
    student_phases: int = 0  # done
    seconds: float = 0.0  # of work, over all sittings


def new_state(task: Task, student: nn.Module, rng: torch.Generator) -> RunState:
    """The state before the first round; `student` is on the task's device, and `rng` is the run's from here on."""
    config = task.config
    if starts_thinned(task, student):
        channel_slicing.thin(task.teacher, student)
    generator = new_generator(task).to(task.device)
    generator.head.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator.rebuild(rng)
    compile_networks(config, generator, student)
    return RunState(
        generator=generator,
        student=student,
        optimizer=_student_optimizer(config, student),
        pool=Pool(config.pool_capacity, task.image_shape, task.device),
        held_back=Pool(HELD_BACK_CAPACITY, task.image_shape, task.device),
        rng=rng,
        meta_adam=_meta_adam(config, generator),
        contrast=new_contrast(task, rng) if config.contrastive_weight else None,
    )


def starts_thinned(task: Task, student: nn.Module) -> bool:
    """Whether the student begins with weights of its teacher: asked for, and possible."""
    return task.config.student_start == "thinned" and channel_slicing.fits(task.teacher, student)


# What the generator is made of: with another of these it is another network.
_ANATOMY = (
    "latent",
    "embedding_norm",
    "z_size",
    "z_combine",
    "z_scale",
    "noisy_layer",
    "noisy_width",
    "noisy_std",
    "routing",
    "synthesis_batch",
    "generator_init_std",
)


def revise(state: RunState, before: Task, after: Task) -> None:
    """Fits `state` to a task whose config has changed between two rounds; weights that still fit are kept."""
    if any(getattr(before.config, name) != getattr(after.config, name) for name in _ANATOMY):
        kept = state.generator.state_dict()
        state.generator = new_generator(after).to(after.device)
        state.generator.head.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        state.generator.rebuild(state.rng)
        fresh = state.generator.state_dict()
        fits = {name for name in kept.keys() & fresh.keys() if kept[name].shape == fresh[name].shape}
        state.generator.load_state_dict(fresh | {name: kept[name] for name in fits - {"latent.table"}})
        state.meta_adam = _meta_adam(after.config, state.generator)
    state.generator_adam = None  # its moments and rates belong to what was before
    state.noise = None


def generator_optimizer(
    config: Config, generator: Generator, contrast: Contrast | None, noise: Tensor | None = None
) -> torch.optim.Adam:
    """A new Adam for the generator and what is trained with it: CMI's projection, and noise that takes gradients."""
    groups: list[dict[str, Any]] = [{"params": list(generator.parameters()), "lr": config.generator_lr}]
    if contrast is not None:
        groups.append({"params": list(contrast.parameters()), "lr": config.generator_lr})
    if noise is not None and noise.requires_grad:
        groups.append({"params": [noise], "lr": config.z_lr})
    return _adam(config, groups)


def _meta_adam(config: Config, generator: Generator) -> torch.optim.Adam | None:
    return _adam(config, [{"params": generator.parameters(), "lr": config.meta_lr}]) if config.meta_lr else None


def _adam(config: Config, groups: list[dict[str, Any]]) -> torch.optim.Adam:
    # Fused: the noisy layers hold most weights; stepping them operation by operation costs more than a convolution.
    return torch.optim.Adam(groups, betas=(config.generator_beta1, 0.999), fused=True)


def new_generator(task: Task) -> Generator:
    """The generator that a task asks for; its weights are still to be drawn."""
    config, (channels, size, _) = task.config, task.image_shape
    latent = Latent(
        None if config.latent == "none" else task.table,
        noise=config.z_size,
        combine=config.z_combine,
        scale=config.z_scale,
        normalise_table=config.embedding_norm == "batch",
    )
    noisy = None
    if config.noisy_layer:
        k, batch = len(task.classes), config.synthesis_batch
        noisy = NoisyLayer(
            noisy_shape.layers(config.routing, k, batch),
            latent.outputs,
            noisy_shape.outputs(config.noisy_width, k),
            noisy_shape.group_size(config.routing, k, batch),
            config.noisy_std,
        )
    return Generator(
        latent, noisy, channels=channels, size=size, width=config.generator_width, init_std=config.generator_init_std
    )


def _student_optimizer(config: Config, student: nn.Module) -> torch.optim.Optimizer:
    weights, rate, decay = student.parameters(), config.student_lr, config.weight_decay
    if config.student_optimizer == "adam":
        return torch.optim.Adam(weights, lr=rate, weight_decay=decay, fused=True)
    return torch.optim.SGD(weights, lr=rate, momentum=config.student_momentum, weight_decay=decay, fused=True)


def new_contrast(task: Task, rng: torch.Generator) -> Contrast:
    """Sized by the teacher's features, which one grey image shows."""
    with torch.no_grad():
        _, features = logits_and_features(task.teacher, torch.full((1, *task.image_shape), 0.5, device=task.device))
    contrast = Contrast(features.shape[1], task.config.bank_capacity).to(task.device)
    initialise(contrast, rng)
    return contrast
