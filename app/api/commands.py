"""The commands, as typed functions: what the page's buttons, `gradio_client` and any HTTP client call."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Concatenate, ParamSpec, get_args

import segno
from pydantic import Field

from app.api.validation import Values, Whole, Word, checked
from app.fairness.fair_executor import FairExecutor, in_turn
from app.middleware.client_address import address
from app.run_state.redraw_strip import strips
from app.run_state.serializer import payload
from app.runs.class_codes import ClassCodes
from app.runs.durations import Durations
from app.runs.limits import MEMORY, check_cost
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.my_runs import MyRuns
from app.runs.plan import Plan, lab_plan
from app.runs.requested_config import known_card, make_config
from app.runs.uploaded_teachers import Uploads
from app.runs.zero_gpu import GpuLoan, for_visitor
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks.cards import TeacherCard
from nayer.runs.session import StepKind
from nayer.teachers.upload import UploadedTeacher

P = ParamSpec("P")
SLOWEST = 30.0  # seconds an event


class Commands:
    """Each method is one public endpoint; a mistake comes back as one sentence."""

    def __init__(
        self,
        registry: RunManager,
        teachers: Sequence[TeacherCard],
        uploads: Uploads | None = None,
        classes: ClassCodes | None = None,
        *,
        local: bool,
        memory: int = MEMORY,
        gpu_loan: GpuLoan | None = None,
    ) -> None:
        """`memory`: bytes that a run may use on a shared page. `gpu_loan`: the GPU that a ZeroGPU Space lends."""
        self._registry = registry
        self._shipped = teachers
        self._uploads = uploads or Uploads()
        self._mine = MyRuns(registry, teachers)
        self._classes = classes or ClassCodes(registry, time.monotonic)
        self._local = local
        self._memory = memory
        self._gpu_loan = gpu_loan
        self._durations = Durations(registry.runs)

    def begin(self, preset: str, values: dict[str, object], token: str, *, paused: bool = False) -> dict[str, Any]:
        """What `start` and the page's Play share. Raises NayerError."""
        return self._begun(Plan.alone(self.config(preset, values, token)), token, paused=paused)

    def config(self, preset: str, values: Mapping[str, object], token: str = "") -> Config:
        """What a run with these would be. Raises NayerError where it cannot be, here and for this visitor."""
        teachers = self._teachers(token, values)
        return make_config(preset, values, teachers, local=self._local, memory=self._memory)

    def duration(self, preset: str, values: Mapping[str, object], token: str = "") -> float | None:
        """About how many seconds a run with these takes here; None for a teacher that must be loaded first. Raises
        NayerError where there can be no such run."""
        config = self.config(preset, values, token)
        shipped = {card.name: card for card in self._shipped}
        card = known_card(config.teacher, self._teachers(token, values), local=self._local)
        return None if card is None else self._durations.seconds(config, card, lambda one: shipped.get(one.teacher))

    def _teachers(self, token: str, values: Mapping[str, object]) -> list[TeacherCard]:
        """The teachers that this visitor may use. Raises ConfigError if `values` name another visitor's upload."""
        self._uploads.of(token, str(values.get("teacher", "")))
        return [*self._shipped, *self._uploads.cards(token)]

    def _begun(self, plan: Plan, token: str, *, paused: bool = False) -> dict[str, Any]:
        uploaded = self._uploads.of(token, plan.arms[0].config.teacher)
        owner = self._registry.visitor(token)
        run = self._registry.start(replace(plan, uploaded=uploaded), owner, paused=paused, lane=address())
        return {"run": run.id, "token": owner, "state": run.state}

    @checked
    def start(
        self,
        teacher: Word = "emoji10",
        preset: Word = "nayer",
        seed: int = 0,  # the config knows its bounds, as it does of rounds
        latent: Word = "lte",
        rounds: int = 0,
        settings: Values = {},  # noqa: B006 - Gradio reads the default and never changes it
        token: Word = "",
    ) -> dict[str, Any]:
        """Start a run. Returns its id and the token that controls it. 0 rounds uses the value of the preset.
        `settings` sets any other field by name. A token from an earlier start replaces that run."""
        values = dict(settings) | {"teacher": teacher, "seed": seed, "latent": latent}
        if rounds:
            values["rounds"] = rounds
        return self.begin(preset, values, token)

    @checked
    def start_lab(
        self,
        experiment: Word = "reset",
        teacher: Word = "emoji10",
        seed: int = 0,
        work: float = 500.0,
        repeats: Whole = 1,
        arms: Annotated[list[Values], Field(max_length=20)] = [],  # noqa: B006 - likewise
        token: Word = "",
    ) -> dict[str, Any]:
        """Compare arms: a ready-made experiment (reset, table, before, since, routing), or `arms` of your own with
        title, preset and settings. Each arm gets `work` billion multiply-adds for each of `repeats` seeds."""
        shared = {"teacher": teacher, "seed": seed, "work": work}
        teachers = self._teachers(token, shared)
        plan = lab_plan(experiment, arms, shared, repeats, teachers, local=self._local, memory=self._memory)
        return self._begun(plan, token) | {"arms": [arm.title for arm in plan.arms]}

    @checked
    def redraws(self, run: Word, token: Word, label: Whole, count: Whole = 16, arm: Whole = 0) -> dict[str, Any]:
        """The re-draw strip: one class through `count` fresh noisy layers, and `count` times through one layer.
        Returns two JPEG strips as data URLs, the teacher's prediction for each image, and a sentence."""
        return strips(self._registry.redraws(run, token, arm, label, count))

    @checked
    def pause(self, run: Word, token: Word) -> dict[str, Any]:
        """Pause a run."""
        return self._do(run, token, LiveRun.pause)

    @checked
    def resume(self, run: Word, token: Word) -> dict[str, Any]:
        """Resume a paused run."""
        return self._do(run, token, LiveRun.resume)

    @checked
    def step(self, run: Word, token: Word, kind: Word = "generator") -> dict[str, Any]:
        """Continue to the next re-draw, generator step, student step or end of a round, then pause."""
        kinds: tuple[StepKind, ...] = get_args(StepKind)
        wanted = next((one for one in kinds if one == kind), None)
        if wanted is None:
            raise ConfigError(f"kind must be one of {', '.join(kinds)}; {kind[:60]!r} was given.")
        return self._do(run, token, LiveRun.step, wanted)

    @checked
    def pace(self, run: Word, token: Word, seconds: float = 0.0) -> dict[str, Any]:
        """Slow motion: wait this many seconds at each event; 0 means full speed."""
        if not 0 <= seconds <= SLOWEST:
            raise ConfigError(f"seconds must be a number from 0 to {SLOWEST:g}; {seconds:g} was given.")
        return self._do(run, token, LiveRun.set_pace, seconds)

    def revise(self, run: str, token: str, values: dict[str, object]) -> str:
        """Changes the settings of an active run that differ from `values`; a sentence names them. Raises NayerError."""
        view = self._registry.owned(run, token).refresh()
        if view.started is None:
            raise ConfigError("This run has not started, so it cannot change yet; try again in a moment.")
        now = view.started.config
        changes = {name: value for name, value in values.items() if value != now[name]}
        if not changes:
            return "The run continues unchanged: the form has the same settings."
        self._registry.command(run, token, LiveRun.change, 0, changes, self._bears(run, token))
        changed = ", ".join(f"{name} {now[name]} → {value}" for name, value in changes.items())
        return f"From round {view.rounds_done + 2} on: {changed}."

    @checked
    def change(self, run: Word, token: Word, settings: Values, arm: Whole = 0) -> dict[str, Any]:
        """Use other settings from the next round on: re-draws, the table, weights of losses, numbers of steps."""
        return self._do(run, token, LiveRun.change, arm, settings, self._bears(run, token))

    @checked
    def burst(self, run: Word, token: Word) -> dict[str, Any]:
        """Compute the next rounds on a GPU that this Space lends for a moment. Then the run continues here."""
        plan = self._registry.owned(run, token).plan
        if self._gpu_loan is None:
            raise ConfigError("This page has no GPU to lend; the run continues here.")
        return self._do(run, token, LiveRun.burst, for_visitor(self._gpu_loan, plan.uploaded))

    @checked
    def revive(self, run: Word, token: Word) -> dict[str, Any]:
        """Continue an interrupted run from its last checkpoint."""
        past = self._registry.owned(run, token)
        self._check(past, past.configs(), self._registry.history.uploaded(past))
        return _state_of(self._registry.revive(run, token, lane=address()))

    @checked
    def leave(self, run: Word, token: Word) -> dict[str, Any]:
        """Leave the queue, for a page that closes. The run stays in it if someone else looks at the run."""
        return _state_of(self._registry.leave(run, token))

    @checked
    def class_code(self, run: Word, token: Word, place: Word, address: Word) -> dict[str, Any]:
        """Show a run to a class: the code under which it is found from now on, and the page's address with the code as
        a QR picture. `place`: live, lab or lesson-N. The code stays the same for every run that its owner shows."""
        if not re.fullmatch(r"https?://[^\s\"'<>]+", address):
            raise ConfigError(f"address must be that of this page, with http or https; {address[:60]!r} was given.")
        code = self._classes.show(run, token, place)
        picture = segno.make(f"{re.split('[?#]', address)[0]}?join={code}", error="m", micro=False)
        return {"code": code, "qr": picture.svg_data_uri(scale=8, border=4, light="#fff")}

    @checked
    def end_class(self, run: Word, token: Word) -> dict[str, Any]:
        """End the class: its code is no longer valid. The run continues."""
        self._classes.end(run, token)
        return {"run": run}

    @checked
    def stop(self, run: Word, token: Word) -> dict[str, Any]:
        """Stop a run. Its results stay."""
        return _state_of(self._registry.stop(run, token))

    @checked
    def runs(self, token: Word) -> list[dict[str, Any]]:
        """The runs that the visitor started and that are still kept, the newest first."""
        return self._mine.listed(token)

    @checked
    def describe(self, run: Word, token: Word, name: str, notes: str) -> dict[str, Any]:
        """Give a run a name and notes."""
        return self._mine.describe(run, token, name, notes)

    @checked
    def delete(self, run: Word, token: Word) -> dict[str, Any]:
        """Delete a run and all that is kept of it."""
        self._mine.delete(run, token)
        return {"run": run}

    @checked
    def status(self, run: Word, since: Whole = 0, arm: Whole = 0) -> dict[str, Any]:
        """News since `since` (the `seq` of an earlier answer): state, curves, marks. Keeps the run alive."""
        view = self._registry.look(run).refresh(arm)
        return payload(view, since) or {"seq": view.seq, "state": view.condition.state}

    def _bears(self, run: str, token: str) -> Callable[[Sequence[Config]], None]:
        """The check of a run that changes: a page bears no more of it than of one that begins so."""
        found = self._registry.owned(run, token)
        return lambda configs: self._check(found, configs, found.plan.uploaded)

    def _check(self, run: LiveRun, configs: Sequence[Config], uploaded: UploadedTeacher | None) -> None:
        """Raises NayerError where `run` with `configs` for its arms cannot be borne here."""
        teacher = run.config.teacher
        card = uploaded.card() if uploaded else known_card(teacher, self._shipped, local=self._local)
        if card is not None:
            check_cost(configs, card, local=self._local, memory=self._memory)

    def _do(
        self, run: str, token: str, act: Callable[Concatenate[LiveRun, P], None], *given: P.args, **named: P.kwargs
    ) -> dict[str, Any]:
        return _state_of(self._registry.command(run, token, act, *given, **named))


@dataclass(frozen=True, slots=True)
class Command:
    """A method of `Commands` that people and programs call, and where."""

    method: Callable[..., Any]
    endpoint: bool = True  # of Gradio's API
    script: bool = True  # of the page's own, by POST /command/{name}
    waits: bool = False  # for a run's answer or for the disk: it takes its address's turn
    checks: bool = False  # the settings of a run: it takes another turn, because that keeps Python busy
    needs_gpu: bool = False  # that the page can lend

    @property
    def name(self) -> str:
        """The name of the endpoint and of the route."""
        return self.method.__name__

    def of(self, commands: Commands, asking: FairExecutor, checking: FairExecutor) -> Callable[..., Any]:
        """The method of `commands`; one that waits or checks is a coroutine that takes a turn of an executor."""
        bound: Callable[..., Any] = getattr(commands, self.name)
        if self.checks:
            return in_turn(checking, bound)
        return in_turn(asking, bound) if self.waits else bound


COMMANDS = (
    Command(Commands.start, script=False, checks=True),  # the page's form starts a run through Gradio
    Command(Commands.start_lab, checks=True),
    Command(Commands.redraws, waits=True),
    Command(Commands.pause),
    Command(Commands.resume),
    Command(Commands.step),
    Command(Commands.pace),
    Command(Commands.change, waits=True),
    Command(Commands.burst, waits=True, needs_gpu=True),
    Command(Commands.leave, endpoint=False),
    Command(Commands.class_code, endpoint=False),
    Command(Commands.end_class, endpoint=False),
    Command(Commands.revive, endpoint=False, waits=True),
    Command(Commands.stop),
    Command(Commands.runs, endpoint=False, waits=True),
    Command(Commands.describe, endpoint=False, waits=True),
    Command(Commands.delete, endpoint=False, waits=True),
    Command(Commands.status, script=False),  # the page polls /live/{run}/status
)


def _state_of(run: LiveRun) -> dict[str, Any]:
    return {"run": run.id, "state": run.state}
