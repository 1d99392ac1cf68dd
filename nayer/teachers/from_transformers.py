"""An image classifier that `transformers` reads, from a folder or from the Hub, as a teacher.

Its `config.json` names the classes (`id2label`). Its `preprocessor_config.json` has the normalization and the size of
images. Weights are read from safetensors only. No code of a repository runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nayer.common.files import read_file
from nayer.common.hub import (
    MAX_JSON_BYTES,
    check_folder,
    first_line,
    hub_problem,
    on_this_machine,
    quiet,
    safetensors_only,
)
from nayer.errors import AssetError, ConfigError, NayerError
from nayer.networks.specs import SIDES
from nayer.teachers.from_module import own_teacher
from nayer.teachers.load import Teacher
from nayer.text_rules import MAX_NAME_LENGTH

PREPROCESSOR = "preprocessor_config.json"
SIDE = 32  # px of the images for a network that needs larger images than a run can make


def pretrained_teacher(name: str) -> Teacher:
    """The teacher in a folder, in the Hub's cache or on the Hub.

    A run makes images with the side of its preprocessor if that is at most 64 px. Otherwise it makes images of 32 px,
    and they are enlarged before the network. Raises ConfigError if no teacher has that name, without long retries.
    Raises AssetError if it cannot be used.
    """
    if not on_this_machine(name):
        _reach(name)
    try:
        check_folder(name)
    except OSError as error:
        raise AssetError(f"teacher={name[:100]!r} cannot be used: {error.strerror}; restore its folder.") from None
    try:
        import transformers
    except ImportError:
        raise AssetError(
            f"teacher={name[:100]!r} needs the package transformers; run pip install transformers."
        ) from None
    safetensors_only()
    with quiet(transformers):
        try:
            network, about = _loaded(name, transformers)
        except NayerError:
            raise
        except Exception as error:  # a foreign folder can fail in any way inside transformers
            raise AssetError(
                f"teacher={name[:100]!r} is not a readable image classifier ({first_line(error)}); it needs "
                f"config.json, model.safetensors and {PREPROCESSOR}."
            ) from None
    try:
        mean, std, side = _normalization(about, int(getattr(network.config, "num_channels", 3)))
        size = side if SIDES[0] <= side <= SIDES[1] else SIDE
        return own_teacher(
            network,
            _class_names(network.config.id2label),
            size=size,
            mean=mean,
            std=std,
            resize_to=side,
            title=Path(name).name or "A teacher from the Hub",
        )
    except ConfigError as error:
        raise AssetError(f"teacher={name[:100]!r} cannot be used: {error}") from None


def _loaded(name: str, transformers: Any) -> tuple[Any, Mapping[str, Any]]:
    """The network and its preprocessor's settings. Looks on this machine first and on the Hub second."""
    try:
        return _read(name, transformers, local_files_only=True)
    except OSError:  # this machine does not have all files
        if Path(name).is_dir():
            raise
    _reach(name)
    return _read(name, transformers, local_files_only=False)


def _reach(name: str) -> None:
    """Runs before heavy imports, because a missing folder looks like a name on the Hub."""
    refused = hub_problem(name, "config.json")
    if refused:
        raise ConfigError(
            f"teacher={name[:100]!r} is neither a local folder nor in the Hub's cache, and the Hub does not provide "
            f"it ({refused}); name a folder with config.json and model.safetensors."
        )


def _read(name: str, transformers: Any, **where: bool) -> tuple[Any, Mapping[str, Any]]:
    where["trust_remote_code"] = False
    network, report = transformers.AutoModelForImageClassification.from_pretrained(
        name, dtype="float32", use_safetensors=True, output_loading_info=True, **where
    )
    wrong = sorted(report["missing_keys"]) + sorted(key for key, *_ in report.get("mismatched_keys", ()))
    if wrong:
        raise AssetError(
            f"teacher={name[:100]!r} lacks {len(wrong)} weights, such as {wrong[0]}; use a model that was trained to "
            "classify images."
        )
    path = transformers.utils.cached_file(name, PREPROCESSOR, local_files_only=where["local_files_only"])
    about = json.loads(read_file(Path(path), MAX_JSON_BYTES))
    return network, about if isinstance(about, dict) else {}


def _class_names(id2label: Mapping[int, str]) -> list[str]:
    """The names in the order of the outputs. Takes the first of a list of synonyms, as in ImageNet."""
    names = [str(id2label[place]) for place in sorted(id2label)]
    return [name if len(name) <= MAX_NAME_LENGTH else name.split(",")[0] for name in names]


def _normalization(about: Mapping[str, Any], channels: int) -> tuple[list[float], list[float], int]:
    """Mean and standard deviation of images in [0, 1], and the side in px. Raises ConfigError if they are missing."""
    wanted = about.get("crop_size") if about.get("do_center_crop") else about.get("size")
    side = wanted if isinstance(wanted, int) else next(iter(wanted.values()), 0) if isinstance(wanted, dict) else 0
    mean, std = (about.get(key, value) for key, value in (("image_mean", 0.0), ("image_std", 1.0)))
    if not about.get("do_normalize", True):
        mean, std = 0.0, 1.0
    # Pixels are multiplied by this before normalization. 1/255 gives the range [0, 1], as used here.
    scale = 255.0 * about.get("rescale_factor", 1 / 255) if about.get("do_rescale", True) else 255.0
    try:
        means, stds = ([float(x) for x in (v if isinstance(v, list) else [v] * channels)] for v in (mean, std))
        if not int(side) >= SIDES[0] or len(means) != channels or len(stds) != channels:
            raise ValueError
        return [x / scale for x in means], [x / scale for x in stds], int(side)
    except (TypeError, ValueError, ZeroDivisionError):
        raise ConfigError(
            f"{PREPROCESSOR} needs image_mean, image_std ({channels} numbers each) and size; add them."
        ) from None
