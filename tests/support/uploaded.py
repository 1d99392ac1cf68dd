"""A small teacher as files, like a visitor's upload."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from PIL import Image

from nayer.networks.classifiers import build
from nayer.networks.specs import ModelSpec
from nayer.teachers.load import weights_of
from nayer.teachers.upload import UploadedTeacher

CLASSES = ("circle", "square", "star")
SPEC = ModelSpec(architecture="lenet-1", channels=1, size=8, classes=3, mean=(0.5,), std=(0.25,))
CARD = {"model": json.loads(SPEC.model_dump_json()), "classes": list(CLASSES)}


def config(**changes: Any) -> bytes:
    """Its config.json with `changes`. A change of None removes the field."""
    return json.dumps({key: value for key, value in {**CARD, **changes}.items() if value is not None}).encode()


def weights(**changes: Any) -> bytes:
    return weights_of(build(SPEC.model_copy(update=changes)))


def uploaded(**parts: Any) -> UploadedTeacher:
    return UploadedTeacher(**{"config": config(), "weights": weights(), **parts})


def drawn(names: Sequence[str] = CLASSES, each: int = 2) -> bytes:
    """Test images in a zip, with one shade for each class."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for place, name in enumerate(names):
            for number in range(each):
                picture = io.BytesIO()
                Image.new("L", (8, 8), 40 * place + number).save(picture, "PNG")
                archive.writestr(f"{name}/{number}.png", picture.getvalue())
    return stream.getvalue()
