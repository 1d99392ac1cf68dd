"""Spoiled files at our loaders: safetensors, zip archives, pictures. What is refused is refused in a sentence."""

from __future__ import annotations

import os
import random
import resource
import time
import warnings

from tests.reliability.figure import Figure
from tests.support.hostile import outcome, readers, spoiled

TARGETS = {"safetensors": 1_000_000, "zip": 100_000, "picture": 50_000}
MEMORY = 100 << 20  # bytes of growth that are borne
SECONDS = 270.0  # for each kind: with three, within a row's limit
SEED = int(os.environ.get("SEED", "4"))


def measure() -> Figure:
    warnings.simplefilter("ignore")
    tried: dict[str, int] = {}
    holes: list[str] = []
    before = None
    for kind, (sound, read) in readers().items():
        rng = random.Random(f"{SEED} {kind}")
        until = time.monotonic() + SECONDS
        tried[kind] = 0
        while tried[kind] < TARGETS[kind] and time.monotonic() < until:
            content = spoiled(rng, rng.choice(sound))
            try:
                outcome(read, content)
            except Exception as hole:  # the thing that is looked for
                holes.append(f"{kind} {content[:2000].hex()}: {type(hole).__name__}")
            tried[kind] += 1
            if before is None and tried[kind] == 1000:  # by then everything is loaded
                before = _most_memory()
    grown = _most_memory() - (before or 0)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in tried.items())
    reached = f"{counts}, seed {SEED}: {len(holes)} uncaught, {grown >> 20} MB more" + "".join(holes[:1])
    held = not holes and grown < MEMORY and tried == TARGETS
    wanted = ", ".join(f"{count:,} {kind}" for kind, count in TARGETS.items())
    return Figure(4, "damaged files at the loaders (npz files are not read)", f"{wanted}: none uncaught", reached, held)


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
