"""Measures the real memory of a run, in its own process, with every request that a page may make.

`python -m tests.support.peak_memory` reads configs as JSON and answers with their bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nayer.config import Config
from tests.support.repository import ROOT

SHORT = {"rounds": 2, "generator_steps": 2, "student_steps": 2, "warmup_rounds": 0, "student_every": 1, "seconds": 0.0}


def shortened(config: Config) -> Config:
    """Two rounds of two steps. They use all the memory of a run, except a pool that fills for hours."""
    return config.model_copy(update=SHORT | {"keep_from_step": 0, "report_every": 1, "evaluate_every": 1})


def peak(configs: Sequence[Config], *, asked: bool = True) -> int:
    """The largest growth of a process in bytes while these runs take turns. `asked`: with strips and checkpoints."""
    given = json.dumps({"configs": [config.model_dump() for config in configs], "asked": asked})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.peak_memory"],
        cwd=ROOT,
        input=given,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    return int(done.stdout.splitlines()[-1])


def _kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def _play(configs: list[Config], *, asked: bool) -> int:
    from app.support.memory import give_back
    from nayer.distillation.redraw_preview import MAX_IMAGES
    from nayer.events import RoundFinished
    from nayer.runs.side_by_side import Lab

    tiny = {**SHORT, "rounds": 1, "generator_width": 2, "noisy_width": 16, "synthesis_batch": 200, "student_batch": 4}
    for _ in Lab([Config.parse({**tiny, "teacher": configs[0].teacher, "test_images": 20})]).events():
        pass  # loads modules at first use
    give_back()  # otherwise the memory that the allocator keeps would hide later growth
    before = _kilobytes("VmRSS")
    lab = Lab(configs)
    for event in lab.events():
        if asked and isinstance(event, RoundFinished):
            kept = lab.checkpoint()
            lab.redraws(event.arm, 0, MAX_IMAGES)
            del kept
    return 1024 * (_kilobytes("VmHWM") - before)


if __name__ == "__main__":
    told = json.load(sys.stdin)
    sys.stdout.write(f"{_play([Config(**one) for one in told['configs']], asked=told['asked'])}\n")
