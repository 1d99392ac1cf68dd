"""The answers on test images: what a page counts is what the networks say, early and late, live and recorded."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from app.run_state.answers import FIRST_CLASS, as_text
from app.run_state.model import View
from app.run_state.reducer import fold
from app.run_state.replay import Replay
from app.run_state.serializer import answers, payload
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.recordings import SHIPPED, Recordings
from nayer.distillation.evaluation import TestImages as Measuring
from nayer.errors import StorageError
from nayer.events import Evaluated, Event, ImagesTested, StudentAnswered
from nayer.exports import recording
from nayer.exports.recording import ANSWERS
from nayer.runs.broadcast import Broadcaster, History
from nayer.runs.run import open_run
from tests.support.repository import ROOT
from tests.support.scripted import CLASSES, SHORT, Scripted, script
from tests.support.tiny import QUICK

IMAGES = 37
LABELS = np.arange(IMAGES) % len(CLASSES)


def said(round_: int) -> StudentAnswered:
    """Answers that differ from round to round."""
    classes = np.random.default_rng(round_).integers(0, len(CLASSES), IMAGES).astype(np.uint16)
    return StudentAnswered(round=max(0, round_ - 1), seconds=float(round_), learned=round_, student=classes)


def images_seen() -> ImagesTested:
    labels = LABELS.astype(np.uint16)
    return ImagesTested(round=0, seconds=0.0, labels=labels, teacher=labels[::-1].copy(), images=100)


START = next(script(SHORT))


def events(rounds: int) -> list[Event]:
    return [START, images_seen(), *(said(round_) for round_ in range(rounds))]


def counted(*runs: tuple[list[dict[str, Any]], int]) -> list[dict[str, Any]]:
    """What the page's own script counts of updates with so many classes."""
    node = shutil.which("node")
    assert node, "node is not installed; apt-get install nodejs"
    lines = "\n".join(json.dumps({"updates": updates, "count": count}) for updates, count in runs)
    command = [node, ROOT / "tests" / "js" / "counts_of_answers.js"]
    output = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def confusion(labels: NDArray[np.int64], answers: NDArray[np.int64], k: int) -> list[int]:
    counts = np.zeros((k, k), np.int64)
    np.add.at(counts, (labels, answers), 1)
    return [int(count) for count in counts.ravel()]


def classes_of(network: nn.Module, images: torch.Tensor) -> NDArray[np.int64]:
    """The network's classes, image by image."""
    modes = [module.training for module in network.modules()]
    network.eval()
    with torch.no_grad():
        found = np.array([int(network(image[None].float() / 255.0).argmax()) for image in images])
    for module, mode in zip(network.modules(), modes, strict=True):
        module.training = mode
    return found


def test_what_the_page_counts_is_what_the_networks_say_of_each_test_image() -> None:
    run = open_run(QUICK.model_copy(update={"test_images": 60}))
    measuring = run.task.evaluator
    assert isinstance(measuring, Measuring)
    images, labels, k = measuring.images, measuring.labels.numpy(), 10
    wanted, measured, heard = [], [], []
    for event in run.events():
        heard.append(event)
        if isinstance(event, StudentAnswered):
            wanted.append([event.learned, confusion(labels, classes_of(run.student, images), k)])
        elif isinstance(event, Evaluated):
            measured.append(event.accuracy)
    [told] = counted(([answers(fold(View(), heard), 0) or {}], k))
    assert told["rounds"] == wanted
    assert [learned for learned, _ in wanted] == [0, 1, 2, 3]
    assert told["teacher"] == confusion(labels, classes_of(run.task.teacher, images), k)
    assert [sum(counts[:: k + 1]) / 60 for _, counts in wanted] == pytest.approx(measured)


@settings(max_examples=12)  # each starts node
@given(st.lists(st.integers(0, 12), max_size=5))
def test_pages_that_ask_often_know_what_a_late_one_gets_at_once(cuts: list[int]) -> None:
    told, view, since = [], View(), 0
    for stop in [*sorted(cuts), 12]:
        view = fold(fold(View(), []), events(10)[:stop])
        if (news := answers(view, since)) is not None:
            told.append(news)
            since = news["seq"]
    often, late = counted((told, len(CLASSES)), ([answers(view, 0) or {}], len(CLASSES)))
    assert often == late


def test_a_viewer_who_joins_late_gets_the_true_classes_and_the_rounds() -> None:
    audience = Broadcaster()
    early = audience.join(10_000)
    for event in events(30):
        audience.publish(event)
    views = [fold(View(), inbox.drain()) for inbox in (early, audience.join(10_000))]
    assert views[0].answers is not None
    first, late = (answers(view, 0) for view in views)
    assert first == late
    assert answers(views[0], views[0].seq) is None
    assert payload(views[0], 0) == payload(views[1], 0)


def test_a_long_run_keeps_few_rounds_the_first_and_the_newest_among_them() -> None:
    history, tape = History(), recording.RecordingBuilder()
    for event in events(1000):
        history.add(event)
        tape.add(event)
    kept = fold(View(), events(1000)).answers
    assert kept is not None
    learned = [
        [event.learned for event in history.events() if isinstance(event, StudentAnswered)],
        [event.learned for event in tape.events if isinstance(event, StudentAnswered)],
        [learned for _, learned, _ in kept.rounds],
    ]
    for rounds in learned:
        assert ANSWERS / 2 < len(rounds) <= ANSWERS
        assert rounds == sorted(set(rounds))
        assert rounds[0] == 0
        assert rounds[-20:] == list(range(980, 1000))


def test_a_recorded_run_grows_by_a_bounded_number_of_bytes() -> None:
    def size(happened: list[Event]) -> int:
        tape = recording.RecordingBuilder()
        for event in happened:
            tape.add(event)
        return len(recording.written(tape.events))

    rng = np.random.default_rng(0)  # of random classes nothing can be packed well
    most = [
        StudentAnswered(round=n, seconds=n, learned=n, student=rng.integers(0, 100, 2000).astype(np.uint16))
        for n in range(500)
    ]
    assert size([START, *most]) - size([START]) < 200_000


def test_the_next_seed_begins_anew_and_a_run_that_goes_on_keeps_its_rounds() -> None:
    view = fold(View(), events(5))
    assert view.answers is not None
    again = fold(view, [images_seen()]).answers
    assert again is not None
    assert again.rounds == view.answers.rounds
    assert fold(view, [START]).answers is None
    other = dataclasses.replace(images_seen(), labels=np.zeros(IMAGES, np.uint16))
    emptied = fold(view, [other]).answers
    assert emptied is not None
    assert emptied.rounds == ()
    assert fold(View(), [START, said(1)]).answers is None  # the first event is lost: nothing is known of the images


@given(st.lists(st.integers(0, 50_000), max_size=50))
def test_a_text_has_a_character_for_each_class(classes: list[int]) -> None:
    text = as_text(np.array(classes, np.uint16))
    assert [ord(character) - FIRST_CLASS for character in json.loads(json.dumps(text))] == classes


LIES: list[tuple[int, str, Any]] = [
    (1, "labels", np.full(IMAGES, 65_000, np.uint16)),
    (1, "labels", np.zeros((2, 3), np.uint16)),
    (1, "teacher", np.zeros(3, np.uint16)),
    (1, "teacher", np.full(IMAGES, np.nan)),
    (2, "student", np.zeros(IMAGES + 1, np.uint16)),
    (2, "student", np.full(IMAGES, -1)),
    (2, "student", "words"),
    (2, "learned", [1]),
]


@pytest.mark.parametrize(("place", "field", "lie"), LIES)
def test_a_recording_whose_answers_lie_is_refused_or_shown_and_fails_nowhere(
    place: int, field: str, lie: Any, tmp_path: Path
) -> None:
    happened = events(3)
    happened[place] = dataclasses.replace(happened[place], **{field: lie})
    with pytest.raises(StorageError, match="no run that can be shown"):
        Replay(happened)
    file = tmp_path / "run.nayer"
    file.write_bytes(recording.written(happened))
    registry = RunManager(lambda _: Scripted(lambda: script(SHORT)))
    try:
        run: LiveRun = Recordings(registry, file)._registry.find(SHIPPED)
    except StorageError:
        return
    finally:
        registry.close()
    json.dumps(answers(run.refresh(), 0))


def test_an_old_recording_without_answers_opens_and_has_none() -> None:
    view = fold(View(), script(SHORT))
    assert view.answers is None
    told = answers(view, 0)
    assert told is not None
    assert "labels" not in told
