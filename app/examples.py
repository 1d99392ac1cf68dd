"""Records the finished examples of the lab and the lessons: `python -m app.examples --cache FOLDER [NAME…]`.

Every run of an example is kept in the folder, so that the command can be stopped and goes on where it was. It takes
some minutes for each example. The files lie in `assets/examples`; the page shows them before anything runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.api.example_routes import EXAMPLES
from app.api.lab_serializer import lab_payload
from app.content.lessons import LESSONS, plan_of
from app.run_state.seed_curves import thinned
from app.runs.live_run import LiveRun
from app.runs.past_run import past_run
from app.runs.plan import Plan, lab_plan
from app.support.images import jpeg
from nayer.common.files import check_writable, write_whole
from nayer.config import Config
from nayer.errors import NayerError
from nayer.events import Event
from nayer.exports import recording
from nayer.networks.cards import teacher_cards

SEEDS = 3
ROWS = 6  # rounds whose images are kept, of the last seed
POINTS = 40  # of a curve
LAB = ("reset", {"teacher": "digits", "seed": 0, "work": 100.0})


def plans() -> dict[str, Plan]:
    """Every example by its name, with three seeds."""
    experiment, shared = LAB
    found = {"lab": lab_plan(experiment, [], shared, SEEDS, teacher_cards(), local=True)}
    for number, lesson in enumerate(LESSONS, 1):
        if not lesson.names:
            found[f"lesson-{number}"] = lesson_plan(number, lesson.choice.chosen)
    return found


def lesson_plan(number: int, option: int) -> Plan:
    """What an option of a lesson starts, with three seeds."""
    made = plan_of(LESSONS[number - 1], option)
    shared = {"teacher": made["teacher"], "seed": 0, "work": made["work"]}
    return lab_plan("", made["arms"], shared, SEEDS, teacher_cards(), local=True)


def key(config: Config) -> str:
    """A name for the run of a config."""
    return hashlib.sha256(json.dumps(config.model_dump(), sort_keys=True).encode()).hexdigest()[:24]


def events_of(config: Config, cache: Path) -> list[Event]:
    """The events of a run, from the cache or made now."""
    from nayer.runs.side_by_side import Lab

    path = cache / f"{key(config)}.nayer"
    if not path.exists():
        tape = recording.RecordingBuilder()
        for event in Lab([config]).events():
            tape.add(event)
        recording.save(path, tape.events)
    return recording.load(path)


def finished(plan: Plan, cache: Path) -> LiveRun:
    """The lab of a plan after its end: each arm with each seed is the run that it would be alone."""
    events = [
        replace(event, arm=arm)
        for seed in plan.every_seed
        for arm, config in enumerate(plan.configs)
        for event in events_of(Config.parse({"seed": seed}, config), cache)
    ]
    return past_run(plan, events, "example")


def lab_json(run: LiveRun) -> dict[str, Any]:
    """What the page shows of a finished lab, with its pictures inside and no more points than a chart needs."""
    lab = lab_payload(run, [0] * len(run.plan.arms))
    assert lab is not None  # everything is new
    views, _ = run.refreshed()
    for one, view in zip(lab["news"], views, strict=True):
        one["curve"] = thinned(one["curve"], POINTS)
        pictures = {row.seq: row.images for row in view.rows}
        one["rows"] = thinned(one["rows"], ROWS)
        for row in one["rows"]:
            row["picture"] = "data:image/jpeg;base64," + b64encode(jpeg(pictures[row["frame"]])).decode()
        one["run"] = {name: one["run"][name] for name in ("teacher", "classes", "measured_on", "config")}
        one["run"] |= {"anchors": [], "config": {"student_start": one["run"]["config"]["student_start"]}}
        one["redraws"] = []
    for result in lab["results"]:
        result["seconds"] = None  # they are of the machine that recorded it, not of the one that shows it
    for arm in lab["ranges"] or []:
        for name, points in arm.items():
            arm[name] = thinned(points, POINTS)
    return lab


def main(arguments: Sequence[str] | None = None) -> None:
    """Records the named examples, or all."""
    parser = argparse.ArgumentParser(prog="python -m app.examples", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="lab, lesson-1, …; all of them if none is named")
    parser.add_argument("--cache", type=Path, required=True, help="folder of the runs that are done")
    given = parser.parse_args(arguments)
    try:
        _record(given, parser)
    except NayerError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


def _record(given: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    every = plans()
    unknown = [name for name in given.names if name not in every]
    if unknown:
        parser.error(f"names must be of {', '.join(every)}; {unknown[0]!r} was given.")
    check_writable(given.cache)
    for name in given.names or every:
        content = json.dumps(lab_json(finished(every[name], given.cache)), ensure_ascii=False, separators=(",", ":"))
        EXAMPLES.mkdir(exist_ok=True)
        write_whole(EXAMPLES / f"{name}.json", content.encode())
        sys.stdout.write(f"{name}: {len(content):,} bytes\n")


if __name__ == "__main__":
    main()
