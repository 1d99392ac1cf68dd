"""`python -m tests.reliability [--soak] [number …]`: tries what the numbered rows ask for, writes docs/reliability.md.

Every module `row_NN_….py` beside this one has a function `measure()` that returns its `Figure`; `soak_NN_….py` are
those of load, which take a machine of their own. Each runs in a process of its own, so that none finds what another
left behind, and says so where it fails or takes too long. Rows without a clock in them go two at a time, then the
others one by one.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.bystander import MEANS
from tests.reliability.figure import Figure

HERE = Path(__file__).parent
TABLE = HERE.parent.parent / "docs" / "reliability.md"
LONGEST = 900.0  # seconds a row may take
TIMED = {8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 25}  # rows whose target is a time, or memory under load
FIRST = {2}  # longest
SECTION = "\n## "  # begins what another command writes
_MARK = "figure: "


def modules(kind: str, numbers: list[int]) -> dict[int, str]:
    """Number -> module, in order; all of that kind where no number is named."""
    found = {int(path.stem.split("_")[1]): path.stem for path in sorted(HERE.glob(f"{kind}_*.py"))}
    return {number: found[number] for number in sorted(numbers or found)}


def tried(number: int, module: str) -> tuple[Figure, float]:
    """The row's figure and the seconds it took."""
    began = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-m", "tests.reliability", "--one", module]
    try:
        done = subprocess.run(
            command, cwd=HERE.parent.parent, capture_output=True, text=True, timeout=LONGEST, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
        if done.returncode == 0 and lines:
            return Figure(**json.loads(lines[-1].removeprefix(_MARK))), time.monotonic() - began
        why = (done.stderr.strip().splitlines() or ["no figure"])[-1][:200]
    except subprocess.TimeoutExpired:
        why = f"took more than {LONGEST:.0f} s"
    return Figure(number, module, "", f"failed: {why}", False), time.monotonic() - began


def row(figure: Figure, seconds: float) -> str:
    held = "yes" if figure.held else "**no**"
    return f"| {figure.number} | {figure.what} | {figure.target} | {figure.reached} | {held} | {seconds:.0f} |"


def write(rows: dict[int, str]) -> None:
    """The table with these rows; those of an earlier time stay, and so does what follows it."""
    former, mark, after = TABLE.read_text("utf-8").partition(SECTION)
    kept = {int(found[1]): found[0] for found in re.finditer(r"^\| (\d+) \|.*$", former, re.MULTILINE)}
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    cores, load = os.cpu_count(), os.getloadavg()[1]
    lines = [
        "# Reliability",
        "",
        "`make reliability` tries each row. `make soak` tries rows 11, 14 and 15. Both write this table. The last time",
        f"was {when}, on {platform.machine()}, Python {platform.python_version()}, {cores} cores, load {load:.0f}.",
        "If the load is higher than the number of cores, other programs ran too, and rows that measure time suffer. A",
        "row that could not be tried is not held. A row that was not tried that day keeps its earlier result.",
        "[cases.md](cases.md) describes the cases behind the rows.",
        "",
        textwrap.fill(MEANS, 120),
        "",
        "| # | what is tried | target | reached | held | s |",
        "| --- | --- | --- | --- | --- | --- |",
        *(line for _, line in sorted((kept | rows).items())),
    ]
    TABLE.write_text("\n".join(lines) + f"\n{mark}{after}", "utf-8")


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--one"]:
        figure = importlib.import_module(f"tests.reliability.{arguments[1]}").measure()
        sys.stdout.write(_MARK + json.dumps(dataclasses.asdict(figure)) + "\n")
        return 0
    # A shell starts background jobs with Ctrl-C ignored, and children inherit that. Row 24 sends Ctrl-C to children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows, held = {}, True
    kind = "soak" if "--soak" in arguments else "row"
    numbers = [int(number) for number in arguments if number != "--soak"]
    began = time.monotonic()
    wanted = modules(kind, numbers)
    together = sorted(wanted.keys() - TIMED, key=lambda number: (number not in FIRST, number))
    for workers, mine in ((2, together), (1, sorted(wanted.keys() & TIMED))):
        with ThreadPoolExecutor(workers) as lanes:
            asked = {lanes.submit(tried, number, wanted[number]): number for number in mine}
            for done in as_completed(asked):
                figure, seconds = done.result()
                rows[asked[done]] = row(figure, seconds)
                held &= figure.held
                sys.stdout.write(rows[asked[done]] + "\n")
                sys.stdout.flush()
    write(rows)
    sys.stdout.write(f"{time.monotonic() - began:.0f} s in all\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
