"""A visitor's own runs: they are listed, get names and notes, and are deleted."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from app.content import messages
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.storage.run_store import Stored
from nayer import presets
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.events import Evaluated
from nayer.exports.reproduce import nearest_preset
from nayer.networks.cards import TeacherCard
from nayer.teachers.upload import PREFIX
from nayer.text_rules import text_error

LISTED = 100  # the newest runs
LONGEST_NAME = 80  # characters
LONGEST_NOTES = 2000
_LINE_BREAKS = "\t\n\r\u2028\u2029"


class MyRuns:
    """For any thread. The runs of a visitor are those that their token started."""

    def __init__(self, registry: RunManager, teachers: Sequence[TeacherCard]) -> None:
        self._registry = registry
        self._titles = {card.name: card.title for card in teachers}

    def listed(self, token: str) -> list[dict[str, Any]]:
        """JSON-ready, the newest first: those in memory only, then those in the history, in the order of their starts.

        Not by their times, because somebody may set the clock.
        """
        present = {run.id: run for run in self._registry.of_visitor(token)}
        kept = self._registry.history.mine(token, LISTED)
        stored = [self._stored(one, present.pop(one.id, None)) for one in kept]
        unkept = [run for run in reversed(present.values()) if self._registry.history.state(run.id) is None]
        return [*map(self._live, unkept), *(one for one in stored if one is not None)][:LISTED]

    def describe(self, run_id: str, token: str, name: str, notes: str) -> dict[str, Any]:
        """Gives a run a name and notes. Raises ConfigError for a text that is too long or cannot be shown."""
        name, notes = _text("name", name, LONGEST_NAME), _text("notes", notes, LONGEST_NOTES)
        if any(character in name for character in _LINE_BREAKS):
            raise ConfigError("name must be one line; put the rest into the notes.")
        run = self._registry.describe(run_id, token, name, notes)
        return self._live(run)

    def delete(self, run_id: str, token: str) -> None:
        """Removes a run and all its data; an active run ends."""
        self._registry.delete(run_id, token)

    def _stored(self, found: Stored, run: LiveRun | None) -> dict[str, Any] | None:
        if run is not None:
            return self._live(run) | {"name": found.name, "notes": found.notes, "began": found.began}
        plan = Plan.stored(found.plan)
        if plan is None:
            return None
        last = self._registry.history.last_evaluation(found.id)
        return self._row(found.id, plan, found.end, last.round + 1 if last else 0, last) | {
            "name": found.name,
            "notes": found.notes,
            "began": found.began,
        }

    def _live(self, run: LiveRun) -> dict[str, Any]:
        view = run.refresh()
        row = self._row(run.id, run.plan, view.condition.state, view.rounds_done, None)
        if view.measures.points:
            accuracy, agreement, *_ = view.measures.points[-1].values
            row |= {"accuracy": accuracy, "agreement": agreement, "teacher_accuracy": view.teacher_accuracy}
        return row | {"name": run.name, "notes": run.notes, "began": run.began}

    def _row(self, run: str, plan: Plan, state: str, rounds: int, last: Evaluated | None) -> dict[str, Any]:
        config = plan.configs[0]
        name = config.teacher
        return {
            "run": run,
            "state": state,
            "teacher": messages.BROUGHT if name.startswith(PREFIX) else self._titles.get(name, name),
            "preset": _preset(config),
            "seed": config.seed,
            "rounds_done": rounds,
            "rounds": config.rounds,
            "arms": [arm.title for arm in plan.arms] if len(plan.arms) > 1 else [],
            "title": plan.title,
            "accuracy": last.accuracy if last else None,
            "agreement": last.agreement if last else None,
            "teacher_accuracy": last.teacher_accuracy if last else None,
        }


def _text(field: str, given: str, longest: int) -> str:
    text = unicodedata.normalize("NFC", given).strip()
    if len(text) > longest:
        raise ConfigError(f"{field} must have at most {longest:,} characters; {len(text):,} were given.")
    if mistake := text_error(text, field):
        raise ConfigError(mistake)
    return text


@lru_cache(2 * LISTED)
def _preset(config: Config) -> str:
    """The title of the preset that is nearest to a config."""
    preset, _ = nearest_preset(config)
    return presets.PRESETS[preset].title
