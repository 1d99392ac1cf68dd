"""A run as a list of real events with made-up numbers. It takes milliseconds, for tests of folds, routes and queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from nayer.config import Config
from nayer.distillation.redraw_preview import Redraws
from nayer.errors import ConfigError
from nayer.events import (
    Evaluated,
    Event,
    GeneratorStep,
    LayerRedrawn,
    RoundFinished,
    RoundSynthesized,
    RunFinished,
    RunStarted,
    StudentKept,
    StudentStep,
)
from nayer.runs.opinions import Examined, RealImage
from nayer.runs.remote_rounds import Rounds
from nayer.types import Images

CLASSES = ("cat", "dog", "boat", "tree")
SIDE = 8


def script(config: Config) -> Iterator[Event]:
    """`config.rounds` rounds of `generator_steps` and `student_steps`, drawn from `config.seed`."""
    rng = np.random.default_rng(config.seed)
    k = len(CLASSES)
    table = rng.standard_normal((k, 6)).astype(np.float32)
    yield RunStarted(
        round=0,
        seconds=0.0,
        teacher=config.teacher,
        student="lenet-4",
        classes=CLASSES,
        image_shape=(1, SIDE, SIDE),
        config=config.model_dump(),
        embeddings=table,
        latent=config.latent,
        rounds=config.rounds,
        measured_on="test images",
        parameters={"teacher": 10},
    )
    for round_ in range(config.rounds):
        yield from _round(config, round_, rng)
    yield RunFinished(round=config.rounds - 1, seconds=float(config.rounds), reason="rounds done")


def _round(config: Config, round_: int, rng: np.random.Generator) -> Iterator[Event]:
    k, seconds = len(CLASSES), float(round_)
    outputs = rng.standard_normal((2, k, 5)).astype(np.float32)
    yield LayerRedrawn(round=round_, seconds=seconds, what="noisy layer", outputs=outputs)
    for step in range(config.generator_steps):
        yield GeneratorStep(
            round=round_,
            seconds=seconds + 0.2,
            step=step,
            steps=config.generator_steps,
            loss=9.0 - step,
            ce=5.0 - step,
            bn=3.0,
            adversarial=-0.5,
            label_accuracy=0.5,
            preview=_images(rng, k),
        )
    yield synthesized(round_, rng, pool=8 * (round_ + 1), capacity=config.pool_capacity)
    for step in range(config.student_steps):
        yield StudentStep(
            round=round_,
            seconds=seconds + 0.7,
            step=step,
            steps=config.student_steps,
            loss=4.0 - round_,
            agreement=0.5,
            learning_rate=0.1,
        )
    yield Evaluated(
        round=round_,
        seconds=seconds + 0.9,
        accuracy=0.1 * (round_ + 1),
        teacher_accuracy=0.9,
        agreement=0.3,
        images=100,
        measured_on="test images",
    )
    yield RoundFinished(round=round_, seconds=seconds + 1.0, rounds=config.rounds)


def synthesized(round_: int, rng: np.random.Generator, *, pool: int, capacity: int) -> RoundSynthesized:
    """Two sets of all classes; the student is wrong about the first image."""
    labels = np.tile(np.arange(len(CLASSES)), 2)
    guesses = labels.copy()
    guesses[0] = 1
    return RoundSynthesized(
        round=round_,
        seconds=round_ + 0.5,
        images=_images(rng, len(labels)),
        labels=labels,
        teacher_labels=labels,
        teacher_confidence=np.full(len(labels), 0.75, np.float32),
        student_labels=guesses,
        student_confidence=np.full(len(labels), 0.5, np.float32),
        features=rng.standard_normal((len(labels), 7)).astype(np.float32),
        best_step=0,
        loss=1.0,
        label_accuracy=1.0,
        pooled=True,
        pool_size=min(pool, capacity),
        pool_capacity=capacity,
    )


def _images(rng: np.random.Generator, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return rng.integers(0, 256, (count, 1, SIDE, SIDE), dtype=np.uint8)


class Scripted:
    """A source of given events, which a session runs."""

    saved = b""  # its checkpoint

    def __init__(self, events: Callable[[], Iterator[Event]]) -> None:
        self.events = events
        self.changed: list[Mapping[str, object]] = []

    def stop(self) -> None:
        """Does nothing: there are no steps between two events."""

    def change(self, arm: int, values: Mapping[str, object]) -> Config:
        self.changed.append(values)
        return Config.parse(values)

    def redraws(self, arm: int, label: int, count: int) -> Redraws:
        raise NotImplementedError  # needs networks

    def examined(self, arm: int) -> None:
        """No networks are at hand."""

    def examine(self, arm: int) -> Examined:
        raise ConfigError("a scripted run has no networks; ask a real one.")

    def real_image(self, arm: int, label: int, pick: int) -> RealImage:
        raise ConfigError("a scripted run has no test images; ask a real one.")

    def answered_images(self, arm: int) -> Images:
        raise ConfigError("a scripted run has no test images; ask a real one.")

    def burst(self, rounds: Rounds) -> None:
        raise ConfigError("a scripted run has no networks; ask a real one.")

    def checkpoint(self) -> bytes:
        return self.saved

    def kept_students(self) -> list[StudentKept]:
        return []

    def student(self, arm: int) -> bytes:
        return f"student {arm}".encode()


SHORT = Config(rounds=3, generator_steps=2, student_steps=2, pool_capacity=16)
