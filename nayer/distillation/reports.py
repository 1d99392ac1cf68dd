"""What a run's state looks like from outside: each function makes one event of it and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from nayer.common.stopwatch import Stopwatch
from nayer.distillation.diversity_meter import DiversityMeter, labels_kept
from nayer.distillation.evaluation import HeldBack, at_rest
from nayer.distillation.state import RunState, Task
from nayer.distillation.synthesis import Batch
from nayer.events import (
    DiversityMeasured,
    Evaluated,
    LayerRedrawn,
    Note,
    PolicyChanged,
    Redrawn,
    RoundFinished,
    RoundSynthesised,
    RunFinished,
    RunStarted,
)
from nayer.networks import channel_slicing
from nayer.networks.bn_statistics import with_statistics
from nayer.networks.classifiers import Classifier, logits_and_features
from nayer.networks.precision import lowered

SHOWN_LAYERS = 4  # noisy layers in a re-draw's event
SHOWN_IMAGES = 200  # images in a round's event


def synthesised(task: Task, state: RunState, watch: Stopwatch, batch: Batch) -> RoundSynthesised:
    """A round's batch, as teacher and student see it before the student learns from it."""
    config, n = task.config, len(batch.images)
    k = len(task.classes)
    shown = min(n, k * max(1, SHOWN_IMAGES // k))
    images = batch.images.float() / 255.0
    with torch.no_grad(), at_rest(state.student):
        teacher_logits, features = logits_and_features(task.teacher, images)
        student_logits = state.student(images[:shown])
    teacher_confidence, teacher_labels = F.softmax(teacher_logits, dim=1).max(dim=1)
    student_confidence, student_labels = F.softmax(student_logits, dim=1).max(dim=1)
    return RoundSynthesised(
        round=state.round,
        seconds=watch.seconds(),
        images=batch.images[:shown].cpu().numpy(),
        labels=batch.labels[:shown].cpu().numpy(),
        teacher_labels=teacher_labels[:shown].cpu().numpy(),
        teacher_confidence=teacher_confidence[:shown].cpu().numpy(),
        student_labels=student_labels.cpu().numpy(),
        student_confidence=student_confidence.cpu().numpy(),
        features=features[:shown].cpu().numpy(),
        best_step=batch.step,
        loss=batch.loss,
        label_hit=(teacher_labels == batch.labels).float().mean().item(),
        pooled=state.round >= config.pool_from_round and config.memory == "pool",
        pool_size=len(state.pool),
        pool_capacity=config.pool_capacity,
    )


def diversity(
    task: Task, state: RunState, watch: Stopwatch, meter: DiversityMeter, batch: RoundSynthesised, pooled: int
) -> DiversityMeasured:
    """The shown batch at three scales, once `pooled` of the round's images are in the pool."""
    samples, noise, real = meter.measure(batch, pooled)
    return DiversityMeasured(
        round=state.round,
        seconds=watch.seconds(),
        samples=samples,
        noise=noise,
        real=real,
        labels_kept=labels_kept(task, batch),
    )


def changed(before: Task, after: Task, state: RunState, watch: Stopwatch) -> PolicyChanged:
    old, new = before.config.model_dump(), after.config.model_dump()
    changes = {name: (old[name], new[name]) for name in old if old[name] != new[name]}
    return PolicyChanged(round=state.round, seconds=watch.seconds(), changes=changes)


def evaluated(task: Task, state: RunState, watch: Stopwatch) -> Evaluated:
    evaluator = task.evaluator or HeldBack(task.teacher, state.held_back)
    measured = evaluator(state.student)
    return Evaluated(
        round=state.round,
        seconds=watch.seconds(),
        accuracy=measured.accuracy,
        teacher_accuracy=measured.teacher_accuracy,
        agreement=measured.agreement,
        images=measured.images,
        measured_on=_measured_on(task),
    )


def redrawn(task: Task, state: RunState, watch: Stopwatch, what: Redrawn) -> LayerRedrawn:
    k = len(task.classes)
    rows = min(len(task.labels) // k, max(1, min(SHOWN_LAYERS, 100 // k)))
    rng = torch.Generator().manual_seed(state.round)  # its own: looking at a run must not change it
    noise = state.generator.latent.draw(rows * k, rng, task.device)
    with torch.no_grad():
        codes = state.generator.codes(task.labels[: rows * k], noise)  # (m·k, width)
    outputs = codes.unflatten(0, (rows, k)).cpu().numpy()  # (m, k, width)
    return LayerRedrawn(round=state.round, seconds=watch.seconds(), what=what, outputs=outputs)


def started(task: Task, state: RunState, watch: Stopwatch) -> RunStarted:
    networks: dict[str, nn.Module] = {
        "teacher": task.teacher,
        "student": state.student,
        "generator": state.generator,
    }
    if state.generator.noisy is not None:
        networks["noisy layer"] = state.generator.noisy
    student = state.student
    return RunStarted(
        round=state.round,
        seconds=watch.seconds(),
        teacher=task.config.teacher,
        student=student.spec.architecture if isinstance(student, Classifier) else type(student).__name__,
        classes=task.classes,
        image_shape=task.image_shape,
        config=task.config.model_dump(),
        embeddings=task.table.cpu().numpy(),
        latent=task.config.latent,
        rounds=task.config.rounds,
        measured_on=_measured_on(task),
        parameters={name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
    )


def notes(task: Task, state: RunState, watch: Stopwatch) -> Iterator[Note]:
    messages = []
    if not with_statistics(task.teacher):
        messages.append(
            "This teacher has no BatchNorm, so the BN term is absent: labels and disagreement guide the generator."
        )
    if task.evaluator is None:
        messages.append(
            "No labelled test images are at hand: the curve shows how often the student agrees with the teacher "
            "on held-back samples."
        )
    of_twins = {
        "it starts from random weights": task.config.student_start == "thinned",
        "its channels have none to follow": task.config.hint_weight > 0.0,
    }
    if any(of_twins.values()) and not channel_slicing.fits(task.teacher, state.student):
        lost = " and ".join(what for what, wanted in of_twins.items() if wanted)
        messages.append(f"The student is no thinner twin of this teacher, so {lost}.")
    if lowered(task.config.precision, task.device):
        messages.append("The networks count in bfloat16 here, with float32 weights: faster, and a little coarser.")
    if task.config.flip and not task.mirror:
        messages.append("A mirrored image would change its class here, so images are not flipped.")
    for message in messages:
        yield Note(round=state.round, seconds=watch.seconds(), message=message)


def _measured_on(task: Task) -> Literal["test images", "held-back samples"]:
    return "test images" if task.evaluator else "held-back samples"


def round_finished(task: Task, state: RunState, watch: Stopwatch) -> RoundFinished:
    """The round before the state's next one is over."""
    return RoundFinished(round=state.round - 1, seconds=watch.seconds(), rounds=task.config.rounds)


def finished(state: RunState, watch: Stopwatch, reason: Literal["rounds done", "time is up", "stopped"]) -> RunFinished:
    """The run ended with the round before the state's next one."""
    return RunFinished(round=max(0, state.round - 1), seconds=watch.seconds(), reason=reason)
