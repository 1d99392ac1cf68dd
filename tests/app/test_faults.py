"""Whatever goes wrong in a run ends that run with a sentence, frees its place, and leaves the run beside it alone."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from app.content import messages
from app.run_state import frames
from app.runs import live_run
from app.runs.live_run import LiveRun, Source
from app.runs.manager import RunManager
from app.runs.plan import Plan
from app.server import open_source
from nayer.config import Config
from nayer.embeddings import label_table, precomputed
from nayer.errors import ConfigError
from nayer.events import Event, RoundFinished
from nayer.networks import cards
from nayer.runs.side_by_side import Lab
from nayer.teachers.load import load_teacher
from tests.support.commanding import command
from tests.support.scripted import SHORT, Scripted, script
from tests.support.serving import wait_until
from tests.support.tiny import QUICK_ROUNDS

TINY = Config(**QUICK_ROUNDS, rounds=4)
CANARY = 77  # the seed of the run beside it


class Harmed(Lab):
    """A real run in which something happens at the end of its second round."""

    def __init__(self, config: Config, harm: Callable[[Lab], None]) -> None:
        super().__init__([config])
        self.harm = harm

    def events(self) -> Iterator[Event]:
        for event in super().events():
            if isinstance(event, RoundFinished) and event.round == 1:
                self.harm(self)
            yield event


def poisoned(part: str, value: float) -> Callable[[Lab], None]:
    def harm(lab: Lab) -> None:
        with torch.no_grad():
            for parameter in getattr(lab._run(0).state, part).parameters():
                parameter.fill_(value)

    return harm


def raising(error: BaseException) -> Callable[[Lab], None]:
    def harm(_: Lab) -> None:
        raise error

    return harm


def out_of_memory(_: Lab) -> None:
    torch.empty(2**46)  # 256 TiB


FAULTS: dict[str, tuple[Callable[[Lab], None], str]] = {
    "the generator is NaN": (poisoned("generator", float("nan")), "became nan in step 0 of round 2"),
    "the student is infinite": (poisoned("student", float("inf")), "became nan in step 0 of round 2"),
    "torch finds no memory": (out_of_memory, "more memory than the machine has"),
    "MemoryError": (raising(MemoryError()), "more memory than the machine has"),
    "ValueError": (raising(ValueError("secret")), "unexpected error"),
    "RuntimeError": (raising(RuntimeError("secret")), "unexpected error"),
    "RecursionError": (raising(RecursionError("secret")), "unexpected error"),
    "KeyboardInterrupt": (raising(KeyboardInterrupt("secret")), "unexpected error"),
    "SystemExit": (raising(SystemExit("secret")), "unexpected error"),
    "GeneratorExit": (raising(GeneratorExit("secret")), "unexpected error"),
    "a sentence of ours": (raising(ConfigError("seed=1 does not work.")), "seed=1 does not work."),
}


def begin(registry: RunManager, config: Config) -> LiveRun:
    return registry.start(Plan.alone(config), registry.visitor(""))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_its_run_with_a_sentence_and_the_one_beside_it_ends_as_planned(fault: str) -> None:
    harm, sentence = FAULTS[fault]

    def opener(plan: Plan) -> Source:
        if plan.configs[0].seed == CANARY:
            return open_source(plan)
        return Harmed(plan.configs[0], harm)

    registry = RunManager(opener, capacity=2)
    try:
        canary, run = begin(registry, TINY.model_copy(update={"seed": CANARY})), begin(registry, TINY)
        wait_until(lambda: run.ended and canary.ended)
        assert (run.state, canary.state) == ("failed", "finished")
        error = run.refresh().condition.error
        assert sentence in error
        assert "secret" not in error
        assert len(error) <= 200
        assert run.refresh().failure == error
        assert run.refresh().rounds_done >= 1
        student = run.session.ask(lambda source: source.student(0)).result(5)
        assert student
        wait_until(lambda: registry.counts()["running"] == 0)
    finally:
        registry.close()


def test_a_student_whose_generator_went_wrong_stays_finite() -> None:
    harmed = Harmed(TINY, poisoned("generator", float("nan")))
    registry = RunManager(lambda plan: harmed)
    try:
        run = begin(registry, TINY)
        wait_until(lambda: run.ended)
        assert all(torch.isfinite(value).all() for value in harmed._run(0).student.state_dict().values())
    finally:
        registry.close()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_damaged_teacher_is_named_and_the_others_go_on_being_served(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "teachers"
    for teacher in ("digits", "fashion"):
        shutil.copytree(cards.SHIPPED / teacher, shipped / teacher)
    monkeypatch.setattr(cards, "SHIPPED", shipped)
    path = shipped / "fashion" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    registry = RunManager(open_source)
    try:
        run, other = begin(registry, TINY.model_copy(update={"teacher": "fashion"})), begin(registry, TINY)
        wait_until(lambda: run.ended and other.ended)
        assert (run.state, other.state) == ("failed", "finished")
        assert "teacher='fashion' cannot be used" in run.refresh().condition.error
        assert name in run.refresh().condition.error
    finally:
        registry.close()
    assert "digits" in [card.name for card in cards.teacher_cards()]
    load_teacher("digits")


def test_a_damaged_table_of_embeddings_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "embeddings"
    shutil.copytree(precomputed.SHIPPED, folder)
    (path,) = folder.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 255
    path.write_bytes(content)
    monkeypatch.setattr(label_table, "shipped_tables", lambda encoder: precomputed.shipped_tables(encoder, folder))
    run_on(open_source, "is damaged: its content does not match its SHA-256")


def run_on(opener: Callable[[Plan], Source], sentence: str) -> None:
    registry = RunManager(opener)
    try:
        run = begin(registry, TINY)
        wait_until(lambda: run.ended)
        assert run.state == "failed"
        assert sentence in run.refresh().condition.error
    finally:
        registry.close()


def test_something_that_is_no_event_ends_its_run() -> None:
    run_on(lambda plan: Scripted(lambda: iter(["no event"])), "unexpected error")  # type: ignore[arg-type, list-item]


def test_a_source_that_cannot_be_closed_ends_all_the_same() -> None:
    def events() -> Iterator[Event]:
        try:
            while True:
                time.sleep(0.001)  # as a run's steps do, it leaves others their time
                yield next(script(SHORT))
        finally:
            raise ValueError("a mistake while it closes")

    registry = RunManager(lambda plan: Scripted(events))
    try:
        run = begin(registry, SHORT)
        wait_until(lambda: run.refresh().started is not None)
        command(registry, run.id, run.owner, "stop")
        wait_until(lambda: run.ended)
        assert run.state == "stopped"
    finally:
        registry.close()


def test_a_machine_without_threads_to_spare_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    registry = RunManager(lambda plan: Scripted(lambda: script(SHORT)))
    try:
        with monkeypatch.context() as busy:
            busy.setattr(threading.Thread, "start", no_more)
            run = begin(registry, SHORT)
            assert run.state == "failed"
            assert "too busy" in run.refresh().condition.error
        assert registry.counters.runs()["failed"] == 1
        later = begin(registry, SHORT)
        wait_until(lambda: later.ended)
        assert later.state == "finished"
    finally:
        registry.close()


@pytest.mark.parametrize(("module", "broken"), [(live_run, "fold"), (frames, "jpeg")], ids=["fold", "jpeg"])
def test_what_cannot_be_drawn_is_left_out_and_the_run_goes_on(
    module: ModuleType, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = getattr(module, broken), []

    def now_and_then(*given: object, **also: object) -> object:
        calls.append(given)
        if len(calls) % 3 == 0:
            raise ValueError("cannot be drawn")
        return whole(*given, **also)

    monkeypatch.setattr(module, broken, now_and_then)
    registry = RunManager(lambda plan: Scripted(lambda: script(SHORT)))
    try:
        run = begin(registry, SHORT)
        wait_until(lambda: run.ended)
        if broken == "fold":  # also called with the condition, outside of the events
            monkeypatch.setattr(
                module, broken, lambda view, events, **also: whole(view, _without_rounds(events), **also)
            )
        view = run.refresh()
        assert run.state == "finished"
        assert view.notes.count(messages.NOT_DRAWN) == 1
        assert view.measures.points
    finally:
        registry.close()


def _without_rounds(events: list[object]) -> list[object]:
    if any(isinstance(event, RoundFinished) for event in events):
        raise ValueError("cannot be drawn")
    return events


def test_a_change_that_does_not_work_leaves_the_run_as_it_was() -> None:
    registry = RunManager(open_source)
    try:
        run = begin(registry, TINY.model_copy(update={"rounds": 10_000}))
        wait_until(lambda: run.refresh().rounds_done >= 1)
        for values in ({"generator_lr": float("nan")}, {"seed": 3}, {"colour": 1}, {"temperature": -1.0}):
            with pytest.raises(ConfigError):
                command(registry, run.id, run.owner, "change", 0, values)
        done = run.refresh().rounds_done
        wait_until(lambda: run.refresh().rounds_done > done)
        assert not run.refresh().changes
        assert run.state == "running"
    finally:
        registry.close()
