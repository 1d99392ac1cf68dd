"""The plan of a run: one config, or several arms side by side with the same teacher, seed and budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.runs.limits import MEMORY, check_cost
from app.runs.limits import SECONDS as SHARED_SECONDS
from app.runs.limits import WORK as SHARED_WORK
from app.runs.requested_config import known_card, make_config
from nayer.compare import experiments as ready_made
from nayer.compare.experiments import EXPERIMENTS, WITHOUT_END, Arm, Variation
from nayer.config import Config
from nayer.errors import ConfigError, excerpt
from nayer.exports.reproduce import nearest_preset
from nayer.networks.cards import TeacherCard
from nayer.teachers.upload import UploadedTeacher
from nayer.text_rules import is_invisible, without_forbidden

ARMS = (2, 6)
WORK = (1.0, 10_000.0)  # for each arm, in 10⁹ multiply-adds
REPEATS = (1, 5)  # seeds
LONGEST_TITLE = 40
_PARTS = ("title", "preset", "settings")  # of an arm that a visitor makes
_SHARED = ("work", "rounds", "seconds")  # an arm of a lab has them from the form, not of its own


@dataclass(frozen=True, slots=True)
class Plan:
    """The arms of a run; with `seeds`, all of them for each seed in turn."""

    arms: tuple[Arm, ...]
    seeds: tuple[int, ...] = ()
    title: str = ""
    question: str = ""
    checkpoint: bytes = field(default=b"", compare=False, repr=False)  # an interrupted run continues from it
    uploaded: UploadedTeacher | None = field(
        default=None, compare=False, repr=False
    )  # the teacher, if a visitor uploaded it

    def to_json(self) -> str:
        """The plan as JSON, without the checkpoint and the uploaded teacher."""
        arms = [{"title": arm.title, "config": arm.config.model_dump()} for arm in self.arms]
        return json.dumps({"arms": arms, "seeds": self.seeds, "title": self.title, "question": self.question})

    @classmethod
    def from_json(cls, content: str) -> Plan:
        """The plan that `to_json` wrote, with texts safe to show. ConfigError if this version has other settings."""
        try:
            stored = without_forbidden(json.loads(content))
            arms = tuple(Arm(str(arm["title"]), Config.parse(arm["config"])) for arm in stored["arms"])
            return cls(arms, tuple(map(int, stored["seeds"])), str(stored["title"]), str(stored["question"]))
        except (ValueError, LookupError, TypeError):
            raise ConfigError("plan is of another version; start a new run.") from None

    @classmethod
    def stored(cls, content: str) -> Plan | None:
        """The same for a plan of the history; None if this version has other settings."""
        try:
            return cls.from_json(content)
        except ConfigError:
            return None

    @classmethod
    def alone(cls, config: Config) -> Plan:
        """A run by itself."""
        return cls((Arm(config.teacher, config),))

    @property
    def every_seed(self) -> tuple[int, ...]:
        """The seeds that each arm runs with, one at least."""
        return self.seeds or (self.arms[0].config.seed,)

    @property
    def thinned(self) -> list[str]:
        """The titles of the arms whose student starts with weights of its teacher."""
        return [arm.title for arm in self.arms if arm.config.student_start == "thinned"]

    def form(self) -> dict[str, Any]:
        """The values of the lab's form that make this plan again: a ready-made experiment, or arms of presets."""
        config = self.arms[0].config
        found = next((name for name, one in EXPERIMENTS.items() if one.title == self.title), "")
        return {
            "experiment": found,
            "teacher": config.teacher,
            "seed": self.every_seed[0],
            "work": config.work,
            "repeats": len(self.every_seed),
            "arms": [] if found else [_own(arm) for arm in self.arms],
        }

    @property
    def configs(self) -> tuple[Config, ...]:
        """The config of each arm."""
        return tuple(arm.config for arm in self.arms)


def _own(arm: Arm) -> dict[str, Any]:
    preset, changes = nearest_preset(arm.config)
    return {"title": arm.title, "preset": preset, "settings": {n: v for n, v in changes.items() if n not in _SHARED}}


def budget(config: Config) -> str:
    """The budget of an arm, in words. Labs of earlier versions have a limit in seconds."""
    return f"{config.work:,g} billion multiply-adds" if config.work else f"{config.seconds:g} s"


def lab_plan(
    experiment: str,
    own: Sequence[Mapping[str, Any]],
    shared: Mapping[str, object],
    repeats: int,
    teachers: Sequence[TeacherCard],
    *,
    local: bool,
    memory: int = MEMORY,
) -> Plan:
    """A ready-made experiment, or `own` arms of title, preset and settings. Raises ConfigError for invalid values.

    `shared`: teacher, seed and work. `repeats` seeds run, from the shared seed on. `memory`: bytes that a run may
    take on a shared page, all its arms together.
    """
    work = shared["work"]
    if not isinstance(work, int | float) or not WORK[0] <= work <= WORK[1]:
        given = f"{work:g}" if isinstance(work, float) else repr(work)
        raise ConfigError(f"work must be a number from {WORK[0]:g} to {WORK[1]:,g}; {given} was given.")
    if repeats not in range(REPEATS[0], REPEATS[1] + 1):
        raise ConfigError(f"repeats must be a whole number from {REPEATS[0]} to {REPEATS[1]}; {repeats!r} was given.")
    if own:
        title, question, variations = "Own arms", "", [_variation(number, one) for number, one in enumerate(own)]
        _check_titles(variations)
    else:
        chosen = ready_made.experiment(experiment)
        title, question, variations = chosen.title, chosen.question, list(chosen.variations)
    if not ARMS[0] <= len(variations) <= ARMS[1]:
        raise ConfigError(f"arms must be {ARMS[0]} to {ARMS[1]} for a lab; {len(variations)} were given.")
    runs = len(variations) * repeats
    everywhere = {**WITHOUT_END, **shared, "work": float(work)}
    if not local:  # a guard for slow machines; it only ends runs that hold a place too long, and the run says so
        everywhere["seconds"] = SHARED_SECONDS / runs
    made = tuple(
        Arm(one.title, make_config(one.preset, {**everywhere, **one.changes}, teachers, local=local, memory=memory))
        for one in variations
    )
    total = repeats * sum(arm.config.work for arm in made)
    if not local and total > SHARED_WORK:
        raise ConfigError(
            f"work={work:g} for {len(variations)} arms and {repeats} seeds are {total:,g} billion multiply-adds; a "
            f"shared page allows {SHARED_WORK:,g} billion, so use fewer."
        )
    if (card := known_card(made[0].config.teacher, teachers, local=local)) is not None:
        check_cost([arm.config for arm in made], card, local=local, memory=memory)  # they take turns, side by side
    first = made[0].config.seed
    return Plan(made, tuple(range(first, first + repeats)), title, question)


def _check_titles(variations: Sequence[Variation]) -> None:
    first: dict[str, int] = {}
    for number, one in enumerate(variations):
        if (twin := first.setdefault(one.title, number)) != number:
            raise ConfigError(
                f"title of arm {number + 1}, {one.title!r}, is the title of arm {twin + 1} too; give every arm its own."
            )


def _variation(number: int, given: Mapping[str, Any]) -> Variation:
    place = f"arm {number + 1}"
    if unknown := next((key for key in given if key not in _PARTS), None):
        raise ConfigError(f"{excerpt(unknown, 40)!r} is no part of {place}; an arm has {', '.join(_PARTS)}.")
    title, preset, settings = (given.get(part) for part in _PARTS)
    for part, value in (("title", title), ("preset", preset)):
        if not isinstance(value, str | None):
            raise ConfigError(f"{part} of {place} must be a text; {excerpt(value)!r} was given.")
    if not isinstance(settings, Mapping | None):
        raise ConfigError(f"settings of {place} must be names and values; {excerpt(settings)!r} was given.")
    preset = preset or "nayer"
    title = " ".join((title or "").split())[:LONGEST_TITLE]
    if title and is_invisible(title):
        raise ConfigError(f"title of {place}, {title!r}, is invisible; use a title that can be seen.")
    return Variation(title or f"{preset} {number + 1}", preset, dict(settings or {}))
