"""Makes the events of a run: each method reads the task and the state, and changes neither.

It stops a run only if the run's numbers are no longer finite.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nayer.common.parts import part
from nayer.common.stopwatch import Stopwatch
from nayer.distillation.batch import Batch, Objective
from nayer.distillation.diversity_meter import DiversityMeter, labels_kept
from nayer.distillation.evaluation import HeldBack, Judge, Measurement, TestImages, frozen_eval, spread
from nayer.distillation.image_pool import to_bytes
from nayer.distillation.losses import has_diverged
from nayer.distillation.state import RunState, starts_thinned
from nayer.distillation.task import Task
from nayer.errors import DivergedError
from nayer.events import (
    DiversityMeasured,
    Evaluated,
    EvaluatedAtStart,
    Event,
    GeneratorStep,
    ImagesTested,
    LayerRedrawn,
    Note,
    PolicyChanged,
    Redrawn,
    RoundFinished,
    RoundSynthesized,
    RunFinished,
    RunStarted,
    SecondOpinion,
    StudentAnswered,
    StudentStep,
)
from nayer.networks import channel_slicing
from nayer.networks.classifiers import Classifier, logits_and_features
from nayer.networks.execution import uses_bf16
from nayer.networks.hooks import with_statistics
from nayer.types import Doubles

SHOWN_LAYERS = 4  # noisy layers in a re-draw's event
SHOWN_IMAGES = 200  # images in a round's event
PREVIEW_CLASSES = 20  # images in a step's event
ANSWERED = 2000  # test images whose classes are in an event


class Report:
    """The events of one run: `task` and `state` are read, `watch` gives the seconds."""

    def __init__(self, task: Task, state: RunState, watch: Stopwatch) -> None:
        self.watch = watch
        self._task = task
        self._state = state
        self._meter = DiversityMeter(task)

    def started(self) -> Iterator[Event]:
        """Everything is loaded. Then one note follows for each fact that a person should know about this run."""
        task, state = self._task, self._state
        networks: dict[str, nn.Module] = {
            "teacher": task.teacher,
            "student": state.student,
            "generator": state.generator,
        }
        if state.generator.noisy is not None:
            networks["noisy layer"] = state.generator.noisy
        student = state.student
        yield RunStarted(
            round=state.round,
            seconds=self.watch.seconds(),
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
        for message in _notes(task, student):
            yield Note(round=state.round, seconds=self.watch.seconds(), message=message)
        yield from self._images_tested()
        if state.round == 0:
            measured = self._measured()
            if measured.accuracy is None and measured.agreement is None:
                return  # without test images there is nothing to measure on yet
            first = self._evaluated(measured)
            values = {one.name: getattr(first, one.name) for one in dataclasses.fields(first)}
            thinned = starts_thinned(task.config, task.teacher, student)
            yield EvaluatedAtStart(**{**values, "seconds": 0.0}, thinned=thinned)
            yield from self._answered(measured, learned=0)

    def changed(self, after: Task) -> PolicyChanged:
        """The run continues as `after` from this round on."""
        old, new = self._task.config.model_dump(), after.config.model_dump()
        self._task = after
        changes = {name: (old[name], new[name]) for name in old if old[name] != new[name]}
        return PolicyChanged(round=self._state.round, seconds=self.watch.seconds(), changes=changes)

    @part("events")
    def redrawn(self, what: Redrawn) -> LayerRedrawn:
        """Weights were re-drawn; with the outputs of the first noisy layers for every class."""
        task, state = self._task, self._state
        if what == "generator":
            self._meter.new_generator()
        k = len(task.classes)
        rows = min(len(task.labels) // k, max(1, min(SHOWN_LAYERS, 100 // k)))
        rng = torch.Generator().manual_seed(state.round)  # its own: looking at a run must not change it
        noise = state.generator.latent.draw(rows * k, rng, task.device)
        with torch.no_grad():
            codes = state.generator.codes(task.labels[: rows * k], noise)  # (m·k, width)
        outputs = codes.unflatten(0, (rows, k)).cpu().numpy()  # (m, k, width)
        return LayerRedrawn(round=state.round, seconds=self.watch.seconds(), what=what, outputs=outputs)

    @part("events")
    def generator_step(self, objective: Objective, step: int) -> GeneratorStep:
        """Raises DivergedError if the loss is no longer finite."""
        loss, ce, bn, adversarial, hit = torch.stack(
            [objective.loss.detach(), objective.ce, objective.bn, objective.adversarial, objective.label_accuracy]
        ).tolist()  # one copy off the device
        if has_diverged(loss):
            answers_grew = has_diverged(adversarial) and not has_diverged(ce)  # the student's, on ordinary images
            cause = "student_lr" if answers_grew else "generator_lr"
            raise DivergedError(
                f"the generator's loss became {loss:g} in step {step} of round {self._state.round}; use a smaller "
                f"{cause}."
            )
        return GeneratorStep(
            round=self._state.round,
            seconds=self.watch.seconds(),
            step=step,
            steps=self._task.config.generator_steps,
            loss=loss,
            ce=ce,
            bn=bn,
            adversarial=adversarial,
            label_accuracy=hit,
            preview=to_bytes(objective.images[: min(len(self._task.classes), PREVIEW_CLASSES)]).cpu().numpy(),
        )

    def synthesized(self, batch: Batch, pooled: int) -> Iterator[Event]:
        """A round's batch, its diversity and a judge's opinion of it, if the round is shown.

        `pooled` of its images are in the pool.
        """
        if self._state.round % self._task.config.report_every:
            return
        synthesized = self._round_synthesized(batch)
        yield synthesized
        yield self._diversity(synthesized, pooled)
        if self._task.judge is not None:
            yield self._second_opinion(self._task.judge, batch)

    def student_step(
        self, loss: Tensor, student_logits: Tensor, teacher_logits: Tensor, step: int, rate: float
    ) -> StudentStep:
        """Logits (n, k) of the step's images, before the step."""
        agree = (student_logits.argmax(dim=1) == teacher_logits.argmax(dim=1)).float().mean()
        return StudentStep(
            round=self._state.round,
            seconds=self.watch.seconds(),
            step=step,
            steps=self._task.config.student_steps,
            loss=loss.item(),
            agreement=agree.item(),
            learning_rate=rate,
        )

    def evaluated(self) -> Evaluated:
        """The student, on test images or, if there are none, on held-back samples."""
        return self._evaluated(self._measured())

    def evaluation(self) -> Iterator[Event]:
        """The same, and its answers on test images."""
        measured = self._measured()
        yield self._evaluated(measured)
        yield from self._answered(measured, learned=self._state.round + 1)

    @part("evaluation")
    def _measured(self) -> Measurement:
        evaluator = self._task.evaluator or HeldBack(self._task.teacher, self._state.held_back)
        return evaluator(self._state.student)

    def _evaluated(self, measured: Measurement) -> Evaluated:
        return Evaluated(
            round=self._state.round,
            seconds=self.watch.seconds(),
            accuracy=measured.accuracy,
            teacher_accuracy=measured.teacher_accuracy,
            agreement=measured.agreement,
            images=measured.images,
            measured_on=_measured_on(self._task),
        )

    def _images_tested(self) -> Iterator[Event]:
        tested = self._task.evaluator
        if isinstance(tested, TestImages):
            places = spread(len(tested.labels), ANSWERED)
            labels, teacher = (one.cpu()[places].numpy() for one in (tested.labels, tested.teacher_labels))
            yield ImagesTested(
                round=self._state.round,
                seconds=self.watch.seconds(),
                labels=labels.astype(np.uint16),
                teacher=teacher.astype(np.uint16),
                images=len(tested.labels),
            )

    def _answered(self, measured: Measurement, *, learned: int) -> Iterator[Event]:
        if measured.answers is not None:
            places = spread(len(measured.answers), ANSWERED).numpy()
            student = measured.answers[places].astype(np.uint16)
            yield StudentAnswered(
                round=self._state.round, seconds=self.watch.seconds(), learned=learned, student=student
            )

    def round_finished(self) -> RoundFinished:
        """The round before the state's next one is over."""
        return RoundFinished(
            round=self._state.round - 1,
            seconds=self.watch.seconds(),
            rounds=self._task.config.rounds,
            work=self._state.work / 1e9,
        )

    def finished(self, reason: Literal["rounds done", "work is done", "time is up"]) -> Iterator[Event]:
        """The run ended with the round before the state's next one. A note reports if the time limit ended it."""
        last, seconds = max(0, self._state.round - 1), self.watch.seconds()
        if reason == "time is up":
            yield Note(
                round=last,
                seconds=seconds,
                message=(
                    f"The time limit ended this run in round {last + 1} of {self._task.config.rounds}, so it cannot be "
                    "repeated exactly. A limit of rounds or of work can."
                ),
            )
        yield RunFinished(round=last, seconds=seconds, reason=reason)

    @part("events")
    def _diversity(self, synthesized: RoundSynthesized, pooled: int) -> DiversityMeasured:
        """The shown batch at three scales, once `pooled` of the round's images are in the pool."""
        samples, noise, real = self._meter.measure(synthesized, pooled)
        return DiversityMeasured(
            round=self._state.round,
            seconds=self.watch.seconds(),
            samples=samples,
            noise=noise,
            real=real,
            labels_kept=labels_kept(self._task, synthesized),
        )

    @part("events")
    def _second_opinion(self, judge: Judge, batch: Batch) -> SecondOpinion:
        """The classes that the judge assigns to the whole batch."""
        seen, confidence = judge(batch.images)
        wanted, k = batch.labels.cpu().numpy(), len(self._task.classes)
        counts = np.bincount(wanted, minlength=k)
        right = (seen == wanted).astype(np.float64)

        def by_class(values: Doubles) -> Doubles:
            means: Doubles = np.asarray(np.bincount(wanted, values, minlength=k) / np.maximum(counts, 1), np.float64)
            return means

        return SecondOpinion(
            round=self._state.round,
            seconds=self.watch.seconds(),
            named=by_class(right),
            confidence=by_class(confidence),
            counts=counts,
            named_share=float(right.mean()),
            confidence_mean=float(confidence.mean()),
            images=len(wanted),
        )

    @part("events")
    def _round_synthesized(self, batch: Batch) -> RoundSynthesized:
        """A round's batch, as teacher and student classify it before the student learns from it."""
        task, state, n = self._task, self._state, len(batch.images)
        config, k = task.config, len(task.classes)
        count = min(n, k * max(1, SHOWN_IMAGES // k))
        images = batch.images.float() / 255.0
        with torch.no_grad(), frozen_eval(state.student):
            teacher_logits, features = logits_and_features(task.teacher, images)
            student_logits = state.student(images[:count])
        teacher_confidence, teacher_labels = F.softmax(teacher_logits, dim=1).max(dim=1)
        student_confidence, student_labels = F.softmax(student_logits, dim=1).max(dim=1)
        return RoundSynthesized(
            round=state.round,
            seconds=self.watch.seconds(),
            images=batch.images[:count].cpu().numpy(),
            labels=batch.labels[:count].cpu().numpy(),
            teacher_labels=teacher_labels[:count].cpu().numpy(),
            teacher_confidence=teacher_confidence[:count].cpu().numpy(),
            student_labels=student_labels.cpu().numpy(),
            student_confidence=student_confidence.cpu().numpy(),
            features=features[:count].cpu().numpy(),
            best_step=batch.step,
            loss=batch.loss,
            label_accuracy=(teacher_labels == batch.labels).float().mean().item(),
            pooled=state.round >= config.pool_from_round and config.memory == "pool",
            pool_size=len(state.pool),
            pool_capacity=config.pool_capacity,
        )


def check_student(loss: Tensor, state: RunState, step: int) -> None:
    """Raises DivergedError if the loss or its gradient is no longer finite, before the step that would use it."""
    gradients = [p.grad for p in state.student.parameters() if p.grad is not None]
    sizes = {"loss": loss.item(), "gradient": torch.nn.utils.get_total_norm(gradients).item()}
    for what, size in sizes.items():
        if has_diverged(size):
            raise DivergedError(
                f"the student's {what} became {size:g} in step {step} of round {state.round}; use a smaller student_lr."
            )


def _notes(task: Task, student: nn.Module) -> Iterator[str]:
    config = task.config
    if not with_statistics(task.teacher):
        yield (
            "This teacher has no BatchNorm, so there is no BN term. Cross-entropy and the adversarial term guide "
            "the generator."
        )
    if task.judge_fault:
        yield f"There is no second opinion: {task.judge_fault}"
    if task.evaluator is None:
        yield (
            "There are no labeled test images. The curve shows the agreement of student and teacher on held-back "
            "samples."
        )
    of_copies = {
        "it starts from random weights": config.student_start == "thinned",
        "it has no channels of the teacher to follow": config.hint_weight > 0.0,
    }
    if any(of_copies.values()) and not channel_slicing.is_narrower_copy(task.teacher, student):
        lost = " and ".join(what for what, wanted in of_copies.items() if wanted)
        yield f"The student is not a narrower copy of this teacher, so {lost}."
    if starts_thinned(config, task.teacher, student):
        yield (
            "The student starts with a share of the teacher's channels, not with random weights. Part of its accuracy "
            "is there before it learns."
        )
    if uses_bf16(config.precision, task.device):
        yield "The networks compute in bfloat16, with float32 weights. This is faster and a little less precise."
    if config.flip and not task.mirror:
        yield "A flipped image would change its class, so images are not flipped."


def _measured_on(task: Task) -> Literal["test images", "held-back samples"]:
    return "test images" if task.evaluator else "held-back samples"
