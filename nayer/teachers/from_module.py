"""Makes a teacher from a classifier in memory, with a card of the known facts."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence

from pydantic import ValidationError
from torch import nn

from nayer.errors import ConfigError
from nayer.networks.cards import TeacherCard
from nayer.networks.external import OwnNetwork, tried
from nayer.networks.specs import OWN, ModelSpec, parse_architecture
from nayer.teachers.load import Teacher
from nayer.text_rules import check_names

STUDENT = "lenet-8"  # small enough to learn on two cores while a person watches


def own_teacher(
    network: nn.Module,
    classes: Sequence[str],
    *,
    size: int,
    mean: Sequence[float],
    std: Sequence[float],
    student: str = STUDENT,
    mirror: bool = True,
    resize_to: int | None = None,
    title: str = "Your own teacher",
) -> Teacher:
    """`network` as a teacher. The teacher is a frozen copy, so the given network does not change.

    `network` takes normalized images (n, c, h, w) and returns logits (n, k). `mean` and `std` have one number for each
    channel (one for gray, three for RGB) and describe images in [0, 1]. `classes` are the names of the outputs in
    order. `size` is the side of the images that a run makes, in px. `resize_to` is the side that the network needs, if
    that is larger. `mirror` says whether a mirrored image keeps its class. Raises NayerError in one sentence for values
    that do not fit.

    >>> from torch import nn
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    >>> nayer.own_teacher(network, ["cat", "dog"], size=8, mean=[0.5], std=[0.25]).card.classes
    ('cat', 'dog')
    """
    names = check_names(classes)
    parse_architecture(student, field="student")
    try:
        spec = ModelSpec(
            architecture=OWN,
            channels=len(mean),
            size=size,
            classes=len(names),
            mean=tuple(map(float, mean)),
            std=tuple(map(float, std)),
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "mean"
        raise ConfigError(f"{field} does not work ({first['msg'][:120]}); `own_teacher` documents what does.") from None
    frozen = copy.deepcopy(network).cpu().float().requires_grad_(False)
    wrapped = tried(OwnNetwork(frozen, spec.mean, spec.std, resize_to), len(names), spec.channels, size)
    card = TeacherCard(
        name="own",
        title=title[:64],
        model=spec,
        student=spec.model_copy(update={"architecture": student}),
        classes=names,
        mirror=mirror,
        testset=None,
        test_accuracy=None,
        data="The owner of this teacher knows.",
        license="Its owner's.",
        seed=0,
        command="none: it was trained elsewhere",
        sha256=_digest(frozen),
    )
    return Teacher(card, wrapped)


def _digest(network: nn.Module) -> str:
    """SHA-256 over the names and values of all tensors of a network."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
