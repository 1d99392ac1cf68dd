"""Times the published experiment: CIFAR-10 with two pairs of networks, for a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median

from nayer import presets
from nayer.config import Config
from nayer.events import Evaluated
from nayer.networks.cards import read_card
from nayer.runs.run import open_run
from nayer.teachers.train import teach

PAIRS = (("resnet34-64", "resnet18-64"), ("wrn40-2", "wrn16-1"))  # teacher and student (Tran et al., 2024, table 1)
TEACHING = {"resnet34-64": 60, "wrn40-2": 120}  # epochs, in one cycle
# ResNet-34 → ResNet-18 at E = 100, by an independent log of the published code: in 2.2 hours on an A100.
PUBLISHED = 0.9388

Tell = Callable[[str], None]


def published_facts(
    data: str,
    out: Path,
    tell: Tell,
    *,
    recipe: str = "cifar10",
    pairs: tuple[tuple[str, str], ...] = PAIRS,
    changes: Mapping[str, object] | None = None,
) -> Iterator[dict[str, float | None]]:
    """For each pair, trains its teacher on `data` into `out` unless it exists, and runs `nayer-paper`.

    Runs are compiled, and use bfloat16 if it is faster on the device. `changes` are more settings. Seconds are the
    run's own.
    """
    for model, student in pairs:
        folder = out / model
        if not (folder / "config.json").is_file():
            tell(f"teaching {model}")
            teach(recipe, folder, folder=data, model=model, student=student, epochs=TEACHING.get(model, 0))
        values = {"teacher": str(folder), "test_data": data, "precision": "auto", "compiled": True, **(changes or {})}
        facts = run_facts(Config.parse(values, presets.get("nayer-paper").config), tell)
        facts["teacher_accuracy"] = read_card(folder).test_accuracy
        yield {f"{model}.{student}.{name}": value for name, value in facts.items()}


def run_facts(config: Config, tell: Tell) -> dict[str, float | None]:
    """Accuracy, hours, seconds of an epoch after the warm-up, and hours to the published accuracy, if it is reached.

    An epoch is the time between two phases of the student. The run is measured after each phase.
    """
    curve: list[tuple[float, float]] = []  # seconds, accuracy
    warm: list[float] = []
    for event in open_run(config).events():
        if type(event) is Evaluated and event.accuracy is not None:
            curve.append((event.seconds, event.accuracy))
            if event.round >= config.warmup_rounds:
                warm.append(event.seconds)
            tell(f"round {event.round}: {event.accuracy:.2%} after {event.seconds:.0f} s")
    reached = next((seconds for seconds, accuracy in curve if accuracy >= PUBLISHED), None)
    return {
        "accuracy": curve[-1][1] if curve else None,
        "hours": curve[-1][0] / 3600.0 if curve else None,
        "epoch_seconds": median(b - a for a, b in pairwise(warm)) if len(warm) > 1 else None,
        "hours_to_published": None if reached is None else reached / 3600.0,
    }
