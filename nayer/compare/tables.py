"""The outcomes of a comparison as tables: one row for each arm, with mean and spread over its seeds."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from statistics import fmean, median, stdev

from nayer.analysis.significance import verdict
from nayer.common.spreadsheets import as_cell
from nayer.compare.outcome import LEVELS, MEASURING, SCALES, SIDES, Outcome

NONE = "–"
CLOCK_NAMES = {"wall": "wall time", "cpu": "processor time"}


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Two tables, on the students and on the images, then the verdicts, then the meaning of the numbers."""
    arms = list(dict.fromkeys(one.arm for one in outcomes))
    groups = [[one for one in outcomes if one.arm == arm] for arm in arms]
    of_students = [
        "arm",
        "seeds",
        "at the start %",
        "accuracy %",
        "agreement %",
        *(f"s to {level:.0%}" for level in LEVELS),
    ]
    of_students += ["seconds", "rounds", "images : student"]
    lines = _table(of_students, [_student_cells(group) for group in groups])
    of_images = [
        "arm",
        "label accuracy",
        "second opinion",
        "classes seen",
        "within a round",
        "across rounds",
        "over the pool",
        "all images",
    ]
    lines += ["", *_table(of_images, [_image_cells(group) for group in groups])]
    for sentence in verdicts(outcomes):
        lines += ["", sentence]
    lines += ["", _legend(outcomes)]
    lines += [f"Failed: {one.arm}, seed {one.seed}: {one.failure}" for one in outcomes if one.failure]
    return "\n".join(lines) + "\n"


def verdicts(outcomes: Sequence[Outcome]) -> list[str]:
    """A sentence on accuracy, and one on each scale of diversity that at least two arms have."""
    percent = ((one.arm, one.seed, None if one.accuracy is None else 100 * one.accuracy) for one in outcomes)
    measured = next((one.measured_on for one in outcomes if one.measured_on), "")
    what = "agreement with the teacher" if measured == "held-back samples" else "accuracy"
    sentences = [verdict(_by_arm(percent), what=what, unit="points")]
    for scale, name, unit in (
        ("across", "diversity across rounds", "of cosine distance"),
        ("pool", "diversity over the pool", "different images per class"),
    ):
        found = _by_arm((one.arm, one.seed, _score(one, f"{scale}.samples")) for one in outcomes)
        if sum(bool(scores) for scores in found.values()) > 1:
            sentences.append(verdict(found, what=name, unit=unit, digits=2))
    return sentences


def table(outcomes: Sequence[Outcome]) -> str:
    """CSV with one row for each run: shares from 0 to 1, times in seconds. A cell is empty if nothing was measured."""
    sides = [f"{scale}.{side}" for scale in (*SCALES, "rank") for side in SIDES]
    scores = ["label_accuracy", "named", "judge_confidence", "labels_kept", "duplicates", "class_balance", *sides]
    levels = [f"seconds_to_{level:.0%}".removesuffix("%") for level in LEVELS]
    phases = list(dict.fromkeys(phase for one in outcomes for phase in one.spent))
    names = ["arm", "seed", "accuracy", "agreement", "teacher_accuracy", "measured_on", *levels, "seconds", "clock"]
    names += ["threads", "with_measuring", "gigaflops", "rounds", "generator_steps", "wants_labels"]
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [*names, *(f"seconds.{phase}" for phase in phases), *scores, "failure"], lineterminator="\n"
    )
    writer.writeheader()
    for one in outcomes:
        row = {name: getattr(one, name) for name in [*names, "failure"] if hasattr(one, name)}
        row |= {"arm": as_cell(one.arm), "failure": as_cell(one.failure), "accuracy": one.test_accuracy}
        row |= {name: one.seconds_to(level) for name, level in zip(levels, LEVELS, strict=True)}
        row |= {f"seconds.{phase}": one.spent.get(phase) for phase in phases}
        writer.writerow(row | {name: one.scores.get(name) for name in scores})
    return text.getvalue()


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown, without empty columns. There are no lines if only the names of the arms are left."""
    columns = [column for column in zip(names, *rows, strict=True) if set(column[1:]) != {NONE}]
    if len(columns) < 2:
        return []
    heading, *lines = ["| " + " | ".join(cells) + " |" for cells in zip(*columns, strict=True)]
    return [heading, "| --- |" + " ---: |" * (len(columns) - 1), *lines]


def _student_cells(outcomes: Sequence[Outcome]) -> list[str]:
    failed = sum(bool(one.failure) for one in outcomes)
    seeds = f"{len(outcomes)}" + (f" ({failed} failed)" if failed else "")
    cells = [_named(outcomes[0]), seeds, _percent([one.at_start for one in outcomes])]
    cells.append(_percent([one.test_accuracy for one in outcomes]))
    cells.append(_percent([None if one.failure else one.agreement for one in outcomes]))
    cells += [_seconds([one.seconds_to(level) for one in outcomes]) for level in LEVELS]
    cells += [f"{fmean(one.seconds for one in outcomes):.1f}", f"{fmean(one.rounds for one in outcomes):.0f}"]
    return [*cells, _split(outcomes)]


def _named(one: Outcome) -> str:
    """The arm, and whether its student begins with its teacher's weights: then its numbers are no work of the run's."""
    return f"{one.arm} (starts with the teacher's weights)" if one.thinned else one.arm


def _split(outcomes: Sequence[Outcome]) -> str:
    """The percentages of a run's seconds for making images and for teaching the student.

    With `overlap` both happen in the same seconds, and no clock can separate them.
    """
    if any(one.config.get("overlap") for one in outcomes):
        return "at once"
    images, student = (sum(one.spent.get(phase, 0.0) for one in outcomes) for phase in ("synthesis", "student"))
    if not images + student:
        return NONE
    share = round(100 * images / (images + student))
    return f"{share} : {100 - share}"


def _image_cells(outcomes: Sequence[Outcome]) -> list[str]:
    shares = [_mean(outcomes, name) for name in ("label_accuracy", "named", "class_balance")]
    cells = [outcomes[0].arm, *(NONE if share is None else f"{100 * share:.0f} %" for share in shares)]
    return cells + [_scale(outcomes, scale) for scale in (*SCALES, "rank")]


def _legend(outcomes: Sequence[Outcome]) -> str:
    one, rates = outcomes[0], [one.gigaflops for one in outcomes]
    budget = f"{one.config['rounds']} rounds"
    if one.config.get("work"):
        budget = f"{one.config['work']:g} billion multiply-adds"
    elif len({other.config["rounds"] for other in outcomes}) > 1:
        budget = "rounds that a calibration planned for equal time"
    if one.config["seconds"]:
        budget = f"the round in which {one.config['seconds']:g} s ended"
    aimless = (
        " Arms without labels have no label accuracy and no diversity per class."
        if not all(one.wants_labels for one in outcomes)
        else ""
    )
    named = (
        " Second opinion: share of the latest rounds' images that a judge, a second network without a part in the run, "
        "assigns to the wanted class."
        if any(one.second_opinion for one in outcomes)
        else ""
    )
    failed = " Failed runs are left out of the means." if any(one.failure for one in outcomes) else ""
    return (
        f"{one.config['teacher']}: accuracy and agreement with the teacher at the end of {budget}, mean ± standard "
        f"deviation.{failed} Seconds are {CLOCK_NAMES[one.clock]}, for making images and training the student, "
        f"{_measuring(outcomes)}. Seconds to a share of the teacher's accuracy: median over the seeds, where a seed "
        "that never reached it counts as longest; in brackets, how many reached it. Diversity: mean of the latest "
        "rounds, in brackets the same for noise and for real test images: Vendi score of a class within a round and "
        "over the pool, cosine distance to the nearest image "
        "of an earlier round, effective rank of all images of a round. Classes seen: entropy of the teacher's "
        f"predictions, as a share of its maximum.{named}{aimless} Machine: {median(rates):.0f} GFLOPS "
        f"({min(rates):.0f} to {max(rates):.0f}{f', threads: {one.threads}' if one.threads else ''}), so a second is "
        f"{median(rates) / 100:.2f} normalized seconds."
    )


def _measuring(outcomes: Sequence[Outcome]) -> str:
    if any(one.with_measuring for one in outcomes):
        return "and for measurements"
    shares = [100 * one.spent.get(MEASURING, 0.0) / one.seconds for one in outcomes if one.seconds]
    return f"without measurements ({min(shares):.0f} to {max(shares):.0f} % more)" if shares else "only"


def _percent(shares: Sequence[float | None]) -> str:
    known = [100 * share for share in shares if share is not None]
    spread = f" ± {stdev(known):.1f}" if len(known) > 1 else ""
    return f"{fmean(known):.1f}{spread}" if known else NONE


def _seconds(reached: Sequence[float | None]) -> str:
    """The median over the seeds; a seed that never got there counts as longer than all others."""
    known = [seconds for seconds in reached if seconds is not None]
    if not known:
        return NONE
    middle = median(math.inf if seconds is None else seconds for seconds in reached)
    if not middle:
        return "met at the start"
    counted = "" if len(known) == len(reached) else f" ({len(known)} of {len(reached)})"
    return f"{NONE if middle == math.inf else f'{middle:.0f}'}{counted}"


def _scale(outcomes: Sequence[Outcome], scale: str) -> str:
    samples, noise, real = (_mean(outcomes, f"{scale}.{side}") for side in SIDES)
    if samples is None:
        return NONE
    return f"{samples:.2f} ({', '.join(NONE if value is None else f'{value:.2f}' for value in (noise, real))})"


def _score(one: Outcome, name: str) -> float | None:
    """A score. None for a score of classes, if the run's images belong to no class."""
    needs_classes = name in ("label_accuracy", "named") or name.split(".")[0] in SCALES
    return one.scores.get(name) if one.wants_labels or not needs_classes else None


def _mean(outcomes: Sequence[Outcome], name: str) -> float | None:
    known = [value for one in outcomes if not one.failure and (value := _score(one, name)) is not None]
    return fmean(known) if known else None


def _by_arm(found: Iterable[tuple[str, int, float | None]]) -> dict[str, dict[int, float]]:
    made: dict[str, dict[int, float]] = {}
    for arm, seed, value in found:
        made.setdefault(arm, {})
        if value is not None:
            made[arm][seed] = value
    return made
