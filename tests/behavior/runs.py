"""Runs of a second or less whose events and students are recorded bit for bit: every preset, and settings beside them.

All of them distill the shipped teacher `digits` in three rounds, the first of which is warm-up, with seed 3.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as read_tensors
from torch import Tensor, nn

from tests.behavior.entrances import (
    PRESETS,
    RETIRED,
    Config,
    Event,
    Lab,
    RoundFinished,
    Session,
    event_types,
    named_run,
    own_run,
)
from tests.behavior.fixtures import VOCABULARY, read

SHORT: dict[str, Any] = {
    "rounds": 3,
    "warmup_rounds": 1,
    "seed": 3,
    "device": "cpu",
    "precision": "float32",
    "generator_width": 4,
    "generator_steps": 2,
    "synthesis_batch": 20,
    "student_steps": 2,
    "student_batch": 16,
    "evaluate_every": 1,
    "report_every": 1,
}
PATIENCE = 300.0  # s until a run that hangs is called a failure


@dataclass(frozen=True)
class Outcome:
    """The events of a run in their order, and the weights of each arm's student by name."""

    events: Sequence[Event]
    students: Sequence[Mapping[str, Tensor]]


# --- digests ---------------------------------------------------------------------------------------------------------


def recorded(outcome: Outcome) -> dict[str, Any]:
    """What the fixture holds of a run: two digests, the kinds of events, and a few numbers for other machines."""
    events = [event for event in outcome.events if recorded_fields(event)]
    return {
        "events": digest_of_events(events),
        "students": [digest_of_weights(weights) for weights in outcome.students],
        "kinds": dict(sorted(Counter(told(event)["event"] for event in events).items())),
        "numbers": numbers(events),
    }


def digest_of_events(events: Iterable[Event]) -> str:
    """SHA-256 over each event's `to_json()` without the seconds since the run began, and over its arrays by bytes."""
    digest = hashlib.sha256()
    for event in events:
        digest.update(json.dumps(told(event), sort_keys=True).encode())
        for array in arrays(event, recorded_fields(event)):
            digest.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def digest_of_weights(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names.

    Files of weights leave out what is no float (BatchNorm's counters of batches), and so does this.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        if not tensor.is_floating_point():
            continue
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


# A note's words are in the digest of a run. These have new words since the record; the digest takes the old ones.
_WORDS_IN_THE_RECORD = {
    "A flipped image would change its class, so images are not flipped.": (
        "A mirrored image would change its class here, so images are not flipped."
    ),
    "There are no labeled test images. The curve shows the agreement of student and teacher on held-back samples.": (
        "No labelled test images are at hand: the curve shows how often the student agrees with the teacher on "
        "held-back samples."
    ),
    "The networks compute in bfloat16, with float32 weights. This is faster and a little less precise.": (
        "The networks count in bfloat16 here, with float32 weights: faster, and a little coarser."
    ),
}


# Names of events, fields and settings that are newer than the record, with the earlier ones, which the digest takes.
_NAMES_IN_THE_RECORD = {
    "RoundSynthesized": "RoundSynthesised",
    "round_synthesized": "round_synthesised",
    "label_accuracy": "label_hit",
    "label_accuracies": "label_hits",
    "elastic_share": "bent_share",
}


@cache
def vocabulary() -> dict[str, Any]:
    """The settings, and the fields of each kind of event, that existed when the runs were recorded.

    The digests leave out what is newer: a new field or kind of event, and a new setting at its default.
    """
    known: dict[str, Any] = read(VOCABULARY)
    return known


def in_the_record(name: str) -> str:
    """The name that the record has for a kind of event, a field or a setting."""
    is_older = not vocabulary()["events"].keys() & _NAMES_IN_THE_RECORD.keys()
    return _NAMES_IN_THE_RECORD.get(name, name) if is_older else name


def recorded_fields(event: Event) -> list[str]:
    """The fields of this kind of event that are in the record, in its order; none for a newer kind."""
    present = {in_the_record(field.name): field.name for field in fields(event)}
    return [present[name] for name in vocabulary()["events"].get(in_the_record(type(event).__name__), [])]


def vocabulary_now() -> dict[str, Any]:
    """The same of the code as it is."""
    return {
        "settings": list(Config.model_fields),
        "events": {kind.__name__: [field.name for field in fields(kind)] for kind in event_types()},
    }


def _as_recorded(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config with the settings of the record: without newer ones at their default, with those retired since."""
    newer = {
        name
        for name, value in config.items()
        if in_the_record(name) not in vocabulary()["settings"] and value == Config.model_fields[name].default
    }
    retired = {name: value for name, (value, _) in RETIRED.items() if name in vocabulary()["settings"]}
    return retired | {name: value for name, value in config.items() if name not in newer}


def _under_recorded_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {in_the_record(name): _under_recorded_names(one) for name, one in value.items()}
    return value


def told(event: Event) -> dict[str, Any]:
    """The event as JSON, without its wall-clock time, as it was recorded.

    A note has the words of the record, and a config has its settings.
    """
    content = {name: value for name, value in event.to_json().items() if name in ("event", *recorded_fields(event))}
    content["event"] = in_the_record(content["event"])
    content.pop("seconds", None)
    if "message" in content:
        content["message"] = _WORDS_IN_THE_RECORD.get(str(content["message"]), content["message"])
    if "config" in content:
        content["config"] = _as_recorded(content["config"])
    if content.get("teacher") == "emoji10-plain":
        content["teacher"] = content["config"]["teacher"] = "emoji10"  # its name in the record
    return _under_recorded_names(content)  # type: ignore[no-any-return]


def arrays(value: object, names: Iterable[str] | None = None) -> Iterator[np.ndarray[Any, Any]]:
    """Every array in an event, at any depth, in the order of the fields; of the event itself, in those of `names`."""
    if isinstance(value, np.ndarray):
        yield value
    elif is_dataclass(value):
        for name in [field.name for field in fields(value)] if names is None else names:
            yield from arrays(getattr(value, name))


def numbers(events: Iterable[Event]) -> dict[str, list[float]]:
    """Of every round: the generator's last loss, the student's last loss, and three shares; to four digits."""
    found: dict[str, dict[tuple[int, int, int], float]] = {}
    seeds: Counter[int] = Counter()  # of an arm: how often it began
    for event in events:
        words = told(event)
        seeds[event.arm] += words["event"] == "run_started"
        for kind, present in _NUMBERS:
            name = in_the_record(present)
            if words["event"] == kind and words[name] is not None:
                place = (event.arm, seeds[event.arm], event.round)
                found.setdefault(f"{kind}.{name}", {})[place] = float(f"{words[name]:.4g}")
    return {name: list(values.values()) for name, values in sorted(found.items())}


_NUMBERS = (
    ("generator_step", "loss"),
    ("generator_step", "label_accuracy"),
    ("student_step", "loss"),
    ("student_step", "agreement"),
    ("evaluated", "accuracy"),
)

# --- ways to run -----------------------------------------------------------------------------------------------------


def config(preset: str = "nayer", **changes: object) -> Config:
    """The settings of a preset, shrunk."""
    return Config.parse({"teacher": "digits", **SHORT, **changes}, PRESETS[preset].config)


def straight(preset: str = "nayer", **changes: object) -> Outcome:
    """A run from its first event to its last."""
    run = named_run(preset=preset, **{"teacher": "digits", **SHORT, **changes})
    return Outcome(list(run.events()), [run.student.state_dict()])


def changed_halfway() -> Outcome:
    """After the first round the generator becomes another one, and the policy another."""
    run = named_run("digits", **SHORT)
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, RoundFinished) and event.round == 0:
            run.change({"latent": "one-hot", "routing": "1-to-1", "noisy_reset_every": 0, "student_lr": 0.01})
    return Outcome(events, [run.student.state_dict()])


def stepped() -> Outcome:
    """A session that pauses after every kind of step, and then goes on to the end."""
    run = named_run("digits", **SHORT)
    heard: list[Event] = []

    session = Session(lambda: run, on_event=heard.append)
    session.start(paused=True)
    for kind in ("redraw", "generator", "student", "round"):
        session.step(kind)
        _until(lambda: session.state == "paused")
    session.set_pace(0.001)
    session.resume()
    assert session.join(PATIENCE)
    assert session.state == "finished", session.error
    return Outcome(heard, [run.student.state_dict()])


def stopped() -> Outcome:
    """A session that somebody stops after its second round, and gives a reason."""
    run = named_run("digits", **SHORT)
    heard: list[Event] = []
    session = Session(lambda: run, on_event=heard.append)
    session.start(paused=True)
    for _ in range(2):
        session.step("round")
        _until(lambda: session.state == "paused")
    session.stop("It is enough.")
    assert session.join(PATIENCE)
    assert session.state == "stopped", session.error
    return Outcome(heard, [run.student.state_dict()])


def continued() -> Outcome:
    """Two rounds, a checkpoint, and the third round from the checkpoint."""
    first = Lab([config()])
    events = list(_rounds(first, 2))
    second = Lab([config()], checkpoint=first.checkpoint())
    events += second.events()
    return Outcome(events, [_student(second)])


def going_on_from(checkpoint: bytes) -> Outcome:
    """The rest of the run that a checkpoint holds."""
    lab = Lab([config()], checkpoint=checkpoint)
    return Outcome(list(lab.events()), [_student(lab)])


def halfway(**changes: Any) -> bytes:
    """The checkpoint of a run after two of its three rounds."""
    lab = Lab([config(**changes)])
    for _ in _rounds(lab, 2):
        pass
    return lab.checkpoint()


def side_by_side() -> Outcome:
    """Two arms with two seeds. Time decides which arm goes on first, so the events are put in the arms' order."""
    lab = Lab([config(), config("dfq")], seeds=(3, 4))
    events = sorted(lab.events(), key=lambda event: event.arm)
    return Outcome(events, [_student(lab, arm) for arm in range(2)])


def of_ones_own() -> Outcome:
    """A teacher and a student that this program has not made; the teacher has three classes and no test images."""
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)]
    teacher = _seeded(nn.Sequential(*layers), 1)
    student = _seeded(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), 2)
    looks = {"size": 8, "mean": (0.5,), "std": (0.25,)}
    run = own_run(teacher, ("cat", "dog", "ship"), **looks, student=student, **SHORT)  # type: ignore[arg-type]
    return Outcome(list(run.events()), [student.state_dict()])


def _seeded(network: nn.Module, seed: int) -> nn.Module:
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=rng) * 0.3)
    return network


def _rounds(lab: Lab, rounds: int) -> Iterator[Event]:
    """The events up to the end of that many rounds."""
    for event in lab.events():
        yield event
        if isinstance(event, RoundFinished) and event.round + 1 == rounds:
            return


def _student(lab: Lab, arm: int = 0) -> dict[str, Tensor]:
    return read_tensors(lab.student(arm))


def _until(true: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if true():
            return
        waiting.wait(0.005)
    raise AssertionError("the session did not pause")


def _with(preset: str = "nayer", **changes: object) -> Callable[[], Outcome]:
    return lambda: straight(preset, **changes)


# --- which -----------------------------------------------------------------------------------------------------------

RUNS: dict[str, Callable[[], Outcome]] = {
    **{f"preset {name}": _with(name) for name in PRESETS},
    "latent one-hot": _with(latent="one-hot"),
    "latent random": _with(latent="random"),
    "latent shuffled": _with(latent="shuffled"),
    "noise beside the table": _with(z_size=16, z_redraw="step"),
    "noise added to the table": _with(z_size=384, z_combine="add", z_lr=0.01),
    "routing 1-to-1": _with(routing="1-to-1", noisy_width=40),
    "routing single": _with(routing="single", noisy_width=0),
    "redraw first layer": _with(redraw="first layer", warmup_generator_reset_every=1),
    "no redraw, frequent rebuild": _with(noisy_reset_every=0, generator_reset_every=1),
    "keep all": _with(keep="all", keep_from_step=1, generator_steps=3, pool_from_round=0),
    "keep last": _with(keep="last", pool_capacity=30, held_back=0.3),
    "memory online": _with(memory="online"),
    "meta_lr": _with(meta_lr=0.05, z_size=8, z_lr=0.01),
    "contrastive": _with(contrastive_weight=0.5, bank_capacity=30),
    "thinned with hints": _with(student_start="thinned", hint_weight=2.0, attention_weight=10.0),
    "elastic distortion": _with(elastic_share=0.5, crop_share=0.25),
    "no augmentation": _with(crop_share=0.0, flip=False),
    "sharper targets": _with(ce_temperature=3.0, ce_boundary=0.4, total_variation_weight=0.1),
    "targets of the teacher": _with(
        ce_target="teacher", entropy_weight=0.1, balance_weight=0.5, activation_weight=0.1, bn_momentum=0.0
    ),
    "adversarial l1, l1 student": _with(adversarial_form="l1", adversarial_mask="none", student_loss="l1"),
    "adam student": _with(student_optimizer="adam", student_lr=0.005, temperature=4.0),
    "kept Adam with clipped gradients": _with(generator_adam="kept", gradient_clip=1.0, generator_init_std=0.05),
    "rare events": _with(student_every=2, evaluate_every=2, report_every=2, event_every=2, test_images=100),
    "larger student": _with(student="lenet-6", weight_decay=1e-3),
    "in color, mirrored": _with(teacher="emoji10-plain"),
    "bfloat16": _with(precision="bfloat16"),
    "changed halfway": changed_halfway,
    "stepped in a session": stepped,
    "stopped in a session": stopped,
    "continued from a checkpoint": continued,
    "two arms, two seeds": side_by_side,
    "network of one's own": of_ones_own,
}
