"""Experiment B: how many generator steps each input of the generator needs until the teacher sees the wanted classes.

Every input gets the same loss, the same labels, the same image head and the same Adam. There is no student.
"""

from __future__ import annotations

import time
from collections import defaultdict
from statistics import fmean
from typing import Any

import numpy as np

from nayer.config import Config
from nayer.events import Evaluated, GeneratorStep, RoundFinished
from nayer.presets import get
from nayer.runs.run import open_run

LOSSES = (1.0, 0.5, 0.1)  # cross-entropy in nats: the goals
HITS = (0.8, 0.9)  # share of the batch that the teacher assigns to the wanted class: more goals
NOISE = {  # Gaussian noise for each image, drawn anew each round, with the same label loss
    "latent": "none",
    "noisy_layer": False,
    "noisy_reset_every": 0,
    "z_size": 256,
    "z_redraw": "round",
}
INPUTS: dict[str, dict[str, object]] = {
    **{latent: {"latent": latent} for latent in ("lte", "one-hot", "shuffled", "random")},
    "noise": NOISE,
    "trained noise": {**NOISE, "z_lr": 0.01},  # each image's noise learns too, as in CMI and Fast
}
KEPT = {"generator_reset_every": 0, "warmup_generator_reset_every": 0}  # a rebuild would begin the count anew


def without_student(teacher: str, source: str, seed: int, rounds: int, steps: int, width: int) -> dict[str, Any]:
    """Goals by step, after the first round: the generator's head has then seen the teacher once.

    `to`: for each goal, the steps that each round took, or None where the round ended before. `ce`, `hit`: means over
    these rounds, by step.
    """
    values = {
        "teacher": teacher,
        "seed": seed,
        "device": "cpu",
        "rounds": rounds,
        "warmup_rounds": rounds,
        "generator_steps": steps,
        "noisy_width": width,
        "evaluate_every": 10_000,
        "report_every": 10_000,
        **KEPT,
        **INPUTS[source],
    }
    told: dict[int, list[GeneratorStep]] = defaultdict(list)
    began = time.process_time()
    for event in open_run(Config.parse(values, get("nayer").config)).events():
        if isinstance(event, GeneratorStep):
            told[event.round].append(event)
    later = [told[number] for number in range(1, rounds)]
    ce = np.array([[step.ce for step in one] for one in later])
    hit = np.array([[step.label_accuracy for step in one] for one in later])
    to = {f"ce {goal:g}": [_first(one <= goal) for one in ce] for goal in LOSSES}
    to |= {f"hit {goal:.0%}": [_first(one >= goal) for one in hit] for goal in HITS}
    return {
        "to": to,
        "ce": ce.mean(axis=0).round(4).tolist(),
        "hit": hit.mean(axis=0).round(4).tolist(),
        "seconds": round(time.process_time() - began, 1),
    }


def with_student(teacher: str, source: str, steps: int, seed: int, rounds: int) -> dict[str, Any]:
    """The student's accuracy after `rounds` rounds with `steps` generator steps each; its own steps are the same."""
    values = {
        "teacher": teacher,
        "seed": seed,
        "device": "cpu",
        "rounds": rounds,
        "generator_steps": steps,
        "evaluate_every": 10_000,
        "report_every": 10_000,
        **KEPT,
        **INPUTS[source],
    }
    hits: list[float] = []
    began, last, accuracy = time.process_time(), None, None
    for event in open_run(Config.parse(values, get("nayer").config)).events():
        if isinstance(event, GeneratorStep):
            last = event
        elif isinstance(event, RoundFinished) and last is not None:
            hits.append(last.label_accuracy)
        elif isinstance(event, Evaluated):
            accuracy = event.accuracy
    return {"accuracy": accuracy, "hit": round(fmean(hits), 4), "seconds": round(time.process_time() - began, 1)}


def _first(reached: np.ndarray) -> int | None:
    """Steps until the first True, the first step being 1: its loss is that of the weights that the re-draw gave."""
    found = np.flatnonzero(reached)
    return int(found[0]) + 1 if len(found) else None
