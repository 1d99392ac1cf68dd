"""Images that visitors try: the answers of a run's networks, or of a teacher alone. The server keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.content import messages
from app.fairness.fair_cache import FairCache
from app.middleware.client_address import address
from app.runs.live_run import LiveRun
from app.runs.manager import RunManager
from app.runs.recordings import SHIPPED
from app.support.images import Pixels, jpeg
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.exports.reproduce import known
from nayer.networks.cards import TeacherCard

if TYPE_CHECKING:  # the core imports torch
    from nayer.runs.opinions import Examiner, Opinions, RealImage

Shape = tuple[int, int, int]  # (c, h, w)
EXAMINERS = 8  # teachers that are kept loaded
EXAMINERS_BYTES = 48 << 20  # weights of all of them; most are less than 1 MB
SPLITS = 4  # test sets that are kept in memory; each is at most 6 MB
SHOWN = 60  # test images in one picture
SECONDS = 5.0  # s that a visitor's image waits until the run is between two events
_DIGITS = 4  # decimals of a probability


class Trials:
    """For any thread. A visitor who knows a run's id may watch it and may ask its networks."""

    def __init__(self, registry: RunManager, teachers: Sequence[TeacherCard]) -> None:
        """`teachers`: these answer when there is no run."""
        self._registry = registry
        self._cards = {card.name: card for card in teachers}
        self._examiners: FairCache[tuple[str, str, int, str], Examiner] = FairCache(EXAMINERS_BYTES, _share)
        self._splits: FairCache[tuple[str, int], Pixels] = FairCache(SPLITS)

    def of_run(self, run_id: str, arm: int, pixels: Sequence[int]) -> dict[str, Any]:
        """The answer for the page. Raises ConfigError for an image that does not fit, NoSuchRun and NoSuchArm."""
        run = self._registry.find(run_id)
        config, shape, classes = self._facts(run, arm)
        image = shaped(pixels, shape)
        why = _why_no_student(run, arm)
        if not why:
            try:
                networks = run.session.call_now(lambda source: source.examined(arm))
                networks = networks or run.ask(lambda source: source.examine(arm), SECONDS)
                return _answer_json(networks.opinions(image), classes, "")
            except ConfigError:
                if not run.ended:
                    raise
                why = messages.TRY_GONE
        return _answer_json(self._examiner(config).networks.opinions(image), classes, why)

    def of_teacher(self, name: str, pixels: Sequence[int]) -> dict[str, Any]:
        """The same answer from a teacher without a run. Raises ConfigError for a teacher that is not shipped."""
        card = self._card(name)
        opinions = self._examiner(Config(teacher=name)).networks.opinions(shaped(pixels, _shape(card)))
        return _answer_json(opinions, card.classes, messages.TRY_NO_RUN)

    def real_of_run(self, run_id: str, arm: int, label: int, pick: int) -> dict[str, Any]:
        """A real test image. Raises ConfigError where there is none of that class, NoSuchRun and NoSuchArm."""
        run = self._registry.find(run_id)
        config, _, _ = self._facts(run, arm)
        if config.teacher in self._cards and not config.test_data:
            return _image_json(self._examiner(config).real_image(label, pick))
        return _image_json(run.ask(lambda source: source.real_image(arm, label, pick), SECONDS))

    def real_of_teacher(self, name: str, label: int, pick: int) -> dict[str, Any]:
        """The same for a teacher without a run."""
        self._card(name)
        return _image_json(self._examiner(Config(teacher=name)).real_image(label, pick))

    def tested(self, run_id: str, places: Sequence[int]) -> bytes:
        """Test images of a run as one JPEG strip, by their places in its answers; empty if there are none here now.

        Raises ConfigError for places that do not exist, and NoSuchRun.
        """
        images = self._answered(self._registry.find(run_id))
        if images is None:
            return b""
        if not 1 <= len(places) <= SHOWN or max(places) >= len(images):
            raise ConfigError(f"places must be 1 to {SHOWN} numbers below {len(images)}; {len(places)} were given.")
        return jpeg(images[list(places)])

    def _answered(self, run: LiveRun) -> Pixels | None:
        """The shipped images where the run was measured on them; its owner's images while the run is in memory."""
        config, _, _ = self._facts(run, 0)
        shipped = config.teacher in self._cards and not config.test_data
        key = (config.teacher, config.test_images) if shipped else (run.id, 0)
        known = self._splits.get(key)
        if known is not None:
            return known
        try:
            if shipped:
                from nayer.runs.opinions import tested_images  # it imports torch

                images = tested_images(self._cards[config.teacher], config)
            else:
                images = run.ask(lambda source: source.answered_images(0), SECONDS)
        except ConfigError:
            return None
        self._splits.put(key, images, address())
        return images

    def _facts(self, run: LiveRun, arm: int) -> tuple[Config, Shape, tuple[str, ...]]:
        """The config of an arm, the shape of its images, and its classes."""
        view = run.refresh(arm)
        if view.started is not None:
            return known(view.started.config), view.started.image_shape, view.started.classes
        config = run.plan.arms[arm].config
        card = run.plan.uploaded.card() if run.plan.uploaded else self._card(config.teacher)
        return config, _shape(card), card.classes

    def _card(self, name: str) -> TeacherCard:
        if name not in self._cards:
            raise ConfigError(f"teacher={name[:60]!r} is loaded with a run only; press Play, then try again.")
        return self._cards[name]

    def _examiner(self, config: Config) -> Examiner:
        self._card(config.teacher)
        from nayer.runs.opinions import Examiner  # it imports torch, and the page must not wait for that

        key = config.teacher, config.student, config.seed, config.student_start
        examiner = self._examiners.get(key)
        if examiner is None:  # nobody waits for a student that somebody else asks for
            examiner = Examiner(config.teacher, config)
            self._examiners.put(key, examiner, address())
        return examiner


def shaped(pixels: Sequence[int], shape: Shape) -> Pixels:
    """The numbers, in that order, as (c, h, w) uint8. Raises ConfigError if their count is wrong."""
    if len(pixels) != np.prod(shape):
        form = " × ".join(map(str, shape))
        raise ConfigError(f"pixels must be {np.prod(shape):,} numbers ({form}); {len(pixels):,} were given.")
    return np.array(pixels, np.uint8).reshape(shape)


def _share(examiner: Examiner) -> int:
    """Of `EXAMINERS_BYTES`; at least that of one of `EXAMINERS`."""
    return max(examiner.nbytes, EXAMINERS_BYTES // EXAMINERS)


def _why_no_student(run: LiveRun, arm: int) -> str:
    """The reason why a run's student cannot answer, in one sentence; empty if it can."""
    if run.id == SHIPPED:
        return messages.TRY_RECORDED
    if run.waiting:
        return messages.TRY_QUEUED
    return messages.TRY_STARTING if run.refresh(arm).started is None and not run.ended else ""


def _shape(card: TeacherCard) -> Shape:
    return card.model.channels, card.model.size, card.model.size


def _answer_json(opinions: Opinions, classes: tuple[str, ...], sentence: str) -> dict[str, Any]:
    def row(name: str) -> list[float] | None:
        values = getattr(opinions, name)
        return None if values is None else [round(float(value), _DIGITS) for value in values]

    answer = {name: row(name) for name in ("teacher", "untrained", "student")}
    return answer | {"classes": classes, "round": opinions.round, "sentence": sentence}


def _image_json(image: RealImage) -> dict[str, Any]:
    return {"pixels": image.pixels.ravel().tolist(), "label": image.label}
