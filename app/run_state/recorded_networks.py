"""The networks of a recording, as a page asks them: its students by round, its teacher, and some real test images."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np

from app.support.images import jpeg
from nayer.config import Config
from nayer.errors import ConfigError, NayerError
from nayer.events import Event, RunStarted
from nayer.exports import recording
from nayer.exports.reproduce import known
from nayer.networks.cards import TeacherCard, teacher_cards

IMAGES_BYTES = 100_000  # of all test images, but at least one a class
MOST_IMAGES = 3  # of a class


def recorded_networks(events: Iterable[Event]) -> dict[str, Any] | None:
    """JSON-ready; None for a recording without students. The teacher is left out unless it is a shipped one.

    Raises StorageError for students that do not fit the run.
    """
    from nayer.exports.kept_students import networks  # it imports torch, and the page must not wait for that

    events = list(events)
    started = _started(events)
    if started is None:
        return None
    return networks(started, recording.students(events), _teacher(started))


def recorded_images(events: Iterable[Event]) -> list[list[Any]]:
    """Real test images of the recording's teacher: a class and its pixels in base64, for each image; maybe none."""
    from nayer.runs.opinions import Examiner

    started = _started(events)
    card = None if started is None else _card(started)
    if started is None or card is None:
        return []
    size = int(np.prod(started.image_shape))
    each = max(1, min(MOST_IMAGES, IMAGES_BYTES // (size * len(card.classes))))
    found: list[list[Any]] = []
    try:
        examiner = Examiner(card.name, Config(teacher=card.name))
        for label in range(len(card.classes)):
            for pick in range(each):
                pixels = examiner.real_image(label, pick).pixels
                found.append([label, base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()])
    except NayerError:  # it has no shipped test images
        return []
    return found


def real_strip(events: Iterable[Event], images: list[list[Any]]) -> str:
    """The first of these images of each class side by side, a JPEG in base64; empty without images."""
    started = _started(events)
    firsts: dict[int, str] = {}
    for label, pixels in images:
        firsts.setdefault(label, pixels)
    if started is None or not firsts:
        return ""
    found = [np.frombuffer(base64.b64decode(firsts[label]), np.uint8) for label in sorted(firsts)]
    return base64.b64encode(jpeg(np.stack(found).reshape(-1, *started.image_shape))).decode()


def _started(events: Iterable[Event]) -> RunStarted | None:
    return next((event for event in events if isinstance(event, RunStarted) and event.arm == 0), None)


def _card(started: RunStarted) -> TeacherCard | None:
    """The shipped teacher of that name. A folder's path in a recording is not followed."""
    try:
        name = known(started.config).teacher
    except ConfigError:
        return None
    card = next((card for card in teacher_cards() if card.name == name), None)
    shape = None if card is None else (card.model.channels, card.model.size, card.model.size)
    fits = card is not None and card.classes == started.classes and shape == started.image_shape
    return card if fits else None


def _teacher(started: RunStarted) -> Any:
    from nayer.networks.classifiers import Classifier
    from nayer.teachers.load import load_teacher

    card = _card(started)
    try:
        network = None if card is None else load_teacher(card.name).network
    except NayerError:
        return None
    return network if isinstance(network, Classifier) else None
