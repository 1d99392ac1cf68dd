"""The store, killed while it writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.reliability.figure import Figure
from tests.reliability.killing import kill_often

KILLS, SEED = 300, 20261123


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        tally = kill_often(Path(folder), KILLS, SEED)
    return Figure(
        7,
        "store SIGKILLed while it writes",
        f"seed {SEED}: {KILLS} kills: 0 corrupt, 0 acknowledged events lost, 0 torn files served",
        f"{tally.kills} kills, {tally.acknowledged:,} acknowledged events: {tally.corrupt} corrupt, {tally.lost} lost, "
        f"{tally.torn} of {tally.files} checkpoints torn, {tally.claims} runs that claim to go on",
        tally.kills == KILLS
        and tally.acknowledged > KILLS
        and not (tally.lost or tally.torn)
        and not (tally.corrupt or tally.claims),
    )
