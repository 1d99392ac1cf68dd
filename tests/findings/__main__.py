"""`python -m tests.findings NAME --out FOLDER`: measures what a folder still lacks, one thread, seed by seed.

`steps` and `student-steps` are experiment B, `redraws` experiment C of docs/findings.md. `tuning` chooses the learning
rates of experiment A.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import torch

from nayer.presets import PRESETS
from tests.findings.kept import Row, complete, rows
from tests.findings.redraws import frozen_pool, real_and_noise
from tests.findings.steps import INPUTS, with_student, without_student
from tests.findings.tuning import factors, tried

# Of experiment A: all small methods, and both controls.
METHODS = tuple(
    name for name in PRESETS if not name.endswith("-paper") and (name == "nayer" or not name.startswith("nayer"))
)


def main() -> None:
    """Runs one experiment from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.findings", description=__doc__)
    parser.add_argument("experiment", choices=("steps", "student-steps", "redraws", "tuning"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--teacher", default="digits")
    parser.add_argument("--seeds", type=int, default=3, help="Seeds 0, 1, … of each arm.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=60, help="Generator steps of a round, for `steps`.")
    parser.add_argument("--width", type=int, default=1000, help="Outputs of the noisy layer, for `steps`.")
    parser.add_argument("--latents", default="lte", help="Tables for `redraws`, with commas between them.")
    parser.add_argument("--seconds", type=float, default=4.0, help="Processor seconds of a run, for `tuning`.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    run(given.experiment, **{name: value for name, value in vars(given).items() if name != "experiment"})


def run(
    experiment: str,
    *,
    out: Path,
    teacher: str = "digits",
    seeds: int = 3,
    rounds: int = 15,
    steps: int = 60,
    width: int = 1000,
    latents: str = "lte",
    seconds: float = 4.0,
) -> list[Row]:
    """All rows of an experiment, those of the folder included."""
    path = out / f"{experiment}-{Path(teacher).name}.jsonl"
    if experiment == "tuning":
        for _ in range(2):  # the rates of the generator follow those of the student
            have = rows(path)
            arms = [
                {"teacher": teacher, "method": method, **one, "seconds": seconds}
                for method in METHODS
                for one in factors(have, method)
            ]
            complete(path, arms, tried)
        return rows(path)
    shared = {"teacher": teacher, "rounds": rounds}
    if experiment == "steps":
        own = {**shared, "steps": steps, "width": width}
        arms = [{"seed": seed, "source": source, **own} for seed in range(seeds) for source in INPUTS]
        return complete(path, arms, without_student)
    if experiment == "student-steps":
        chosen = product(range(seeds), ("lte", "one-hot", "noise"), (2, 5, 10, 20, 40))
        arms = [{"seed": seed, "source": source, "steps": g, **shared} for seed, source, g in chosen]
        return complete(path, arms, with_student)
    chosen = product(range(seeds), latents.split(","), (1, 10, 0))
    arms = [{"seed": seed, "latent": latent, "every": every, **shared} for seed, latent, every in chosen]
    complete(out / f"ends-{teacher}.jsonl", [{"teacher": teacher, "seed": 0}], real_and_noise)
    return complete(path, arms, frozen_pool)


if __name__ == "__main__":
    main()
