"""The files of a finished lab: one table, one JSON document, one picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from app.run_state.lab_results import counted_seeds, means, rows, sentences
from app.run_state.model import failed_arms
from app.run_state.seed_curves import MEASURES
from app.run_state.serializer import called
from app.runs.live_run import LiveRun
from app.runs.plan import budget
from nayer.common.spreadsheets import as_cell

TABLE, DOCUMENT, PICTURE = "lab.csv", "lab.json", "lab.png"
FORMAT = "nayer lab 1"
COLUMNS = ("round", "work", "seconds", *MEASURES)


def whole_lab(run: LiveRun) -> dict[str, Any]:
    """All of a lab, JSON-ready. `curves` has the rounds of every arm and seed, a row of `columns` each.

    Round 0 is before the first step. Shares are from 0 to 1, `work` in 10⁹ multiply-adds.
    """
    views, results = run.refreshed()
    plan = run.plan
    titles = [arm.title for arm in plan.arms]
    failed = failed_arms(views)
    counted = counted_seeds(results, len(titles), failed)
    started = next((view.started for view in views if view.started), None)
    return {
        "format": FORMAT,
        "title": plan.title,
        "question": plan.question,
        "teacher": called(plan.arms[0].config.teacher),
        "classes": list(started.classes) if started else [],
        "teacher_accuracy": next((v.teacher_accuracy for v in views if v.teacher_accuracy is not None), None),
        "budget": budget(plan.arms[0].config),
        "by": run.by,
        "seeds": list(plan.every_seed),
        "counted": counted,
        "arms": [{"title": arm.title, "config": arm.config.model_dump()} for arm in plan.arms],
        "results": rows(results),
        "means": means(results, len(titles), counted),
        "conclusion": sentences(results, titles, failed, plan.thinned) if results else [],
        "columns": list(COLUMNS),
        "curves": [
            {"arm": arm, "seed": seed, "rounds": [[(row[0] or 0) + 1, *row[1:]] for row in curve]}
            for (arm, seed), curve in run.every_curve().items()
        ],
    }


def lab_table(lab: dict[str, Any]) -> str:
    """The curves as CSV: a line for each arm, seed and round. A cell is empty where nothing was measured."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["arm", "title", "seed", *lab["columns"]])
    for one in lab["curves"]:
        title = lab["arms"][one["arm"]]["title"]
        writer.writerows([one["arm"] + 1, as_cell(title), one["seed"], *row] for row in one["rounds"])
    return out.getvalue()


def lab_files(run: LiveRun, chart: Callable[[dict[str, Any]], bytes]) -> dict[str, bytes]:
    """The files by name; `chart` makes the picture of what `whole_lab` gives."""
    lab = whole_lab(run)
    return {
        TABLE: lab_table(lab).encode(),
        DOCUMENT: (json.dumps(lab, ensure_ascii=False, indent=1) + "\n").encode(),
        PICTURE: chart(lab),
    }
