"""Saves a run between two rounds and resumes it, bit for bit (on one machine, on one thread of the CPU).

A checkpoint is one safetensors file: tensors, and in its metadata the config and the counters as JSON. It is written
under another name and then moved to its place, so a crash or a full disk does not change the previous checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as deserialize
from safetensors.torch import save as serialize
from torch import Tensor

from nayer.common.files import write_whole
from nayer.common.safetensors_header import header, read_tensor_file
from nayer.config import Config
from nayer.distillation.image_pool import Pool
from nayer.distillation.optimizers import generator_optimizer
from nayer.distillation.state import RunState
from nayer.earlier_versions import RetiredSetting
from nayer.errors import AssetError, ConfigError, StorageError, excerpt

NAME = "checkpoint.safetensors"
MAX_TENSORS = 20_000  # two networks, and the moments of their optimizers
MAX_BYTES = 4 << 30
COUNTERS = ("round", "student_phases", "pool", "held_back")
MAX_COUNTER = 10**9  # the largest value of a counter
MOST_WORK = 2 * 10**18  # multiply-adds: twice the largest limit


def save(config: Config, state: RunState, folder: Path, teacher: str = "") -> Path:
    """Writes `folder`/checkpoint.safetensors. Call it at a RoundFinished. After a StorageError the last one stays.

    `teacher` is the SHA-256 of the teacher's weights. `load_state` compares it.
    """
    write_whole(folder / NAME, dump(config, state, teacher))
    return folder / NAME


def dump(config: Config, state: RunState, teacher: str = "") -> bytes:
    """The bytes that `save` writes."""
    counters = {"round": state.round, "student_phases": state.student_phases, "seconds": state.seconds}
    counters |= {"pool": state.pool.added, "held_back": state.held_back.added, "work": state.work}
    about = {"config": config.model_dump_json(), "counters": json.dumps(counters), "teacher": teacher}
    tensors = _tensors(state)
    return serialize(tensors, {**about, "sha256": _digest(about, tensors)})


def load_config(folder: Path) -> Config:
    """The config of the run saved in `folder`."""
    return config_of(_read(folder), _file_name(folder))


def config_of(content: bytes, name: str = "checkpoint") -> Config:
    """The config in the bytes that `dump` made. A StorageError contains `name`."""
    return _opened(content, name).config


def load_state(folder: Path, state: RunState, teacher: str = "") -> None:
    """Overwrites `state` with the saved state. `state` must be new and from the same config.

    Raises StorageError if the checkpoint is damaged, does not fit, or belongs to another teacher.
    """
    restore(_read(folder), state, _file_name(folder), teacher)


def restore(content: bytes, state: RunState, name: str = "checkpoint", teacher: str = "") -> None:
    """Overwrites `state` with the state from `dump`. `state` must be new and from the same config."""
    found = _opened(content, name)
    if teacher and found.teacher and teacher != found.teacher:
        raise StorageError(
            f"{name} belongs to other weights than teacher={excerpt(found.config.teacher)!r} has now; restore the old "
            "weights, or start a new run."
        )
    try:
        _restore(state, found)
    except (LookupError, ValueError, TypeError, RuntimeError):
        raise StorageError(f"{name} does not fit its config; start a new run.") from None


@dataclass(frozen=True)
class _Checkpoint:
    """The content of an undamaged file: the input of `dump`. `seconds` and the counters are finite and not negative."""

    config: Config
    counters: dict[str, int]
    seconds: float
    work: int  # multiply-adds; 0 in checkpoints of earlier versions
    teacher: str  # SHA-256 of its weights, or empty
    tensors: dict[str, Tensor]


def _opened(content: bytes, name: str) -> _Checkpoint:
    """The checkpoint. Raises StorageError if the content is no checkpoint, is damaged, or has another version."""
    try:
        about = header(content, name, MAX_TENSORS).about
        tensors = deserialize(content)
    except (AssetError, SafetensorError, ValueError):
        raise StorageError(f"{name} is damaged; start a new run.") from None
    stored_digest = about.pop("sha256", None)  # checkpoints of earlier versions have no digest
    if stored_digest is not None and stored_digest != _digest(about, tensors):
        raise StorageError(f"{name} is damaged: its content does not match its SHA-256; start a new run.")
    try:
        config = Config.parse(json.loads(about["config"]))
        stored: dict[str, Any] = json.loads(about["counters"])
        counters, seconds = {key: _counted(stored[key]) for key in COUNTERS}, float(stored["seconds"])
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError("seconds")
        work = _counted(stored.get("work", 0), MOST_WORK)
    except RetiredSetting as error:
        raise StorageError(f"{name} cannot continue in this version: {error}") from None
    except (LookupError, ValueError, TypeError, ConfigError):
        raise StorageError(f"{name} contains no config of this version; start a new run.") from None
    return _Checkpoint(config, counters, seconds, work, about.get("teacher", ""), tensors)


def _counted(value: object, most: int = MAX_COUNTER) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError("no counter")
    return value


def _digest(about: dict[str, str], tensors: dict[str, Tensor]) -> str:
    """SHA-256 over the texts, and over each tensor's name, kind, shape and bytes."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _tensors(state: RunState) -> dict[str, Tensor]:
    tensors = {f"generator.{name}": value for name, value in state.generator.state_dict().items()}
    tensors |= {f"student.{name}": value for name, value in state.student.state_dict().items()}
    for name, optimizer in _optimizers(state).items():
        tensors |= _optimizer_tensors(name, optimizer)
    if state.contrast is not None:
        tensors |= {f"contrast.{name}": value for name, value in state.contrast.state_dict().items()}
    for i, (mean, variance) in enumerate(state.bn_average or []):
        tensors[f"bn_average.{i}.mean"], tensors[f"bn_average.{i}.variance"] = mean, variance
    for name, pool in (("pool", state.pool), ("held_back", state.held_back)):
        tensors[f"{name}.images"], tensors[f"{name}.labels"] = pool.images[: len(pool)], pool.labels[: len(pool)]
    tensors["rng"] = state.rng.get_state()
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _restore(state: RunState, found: _Checkpoint) -> None:
    tensors = found.tensors
    state.generator.load_state_dict(_under("generator.", tensors))
    state.student.load_state_dict(_under("student.", tensors))
    if any(name.startswith("generator_adam.") for name in tensors):
        state.generator_adam = generator_optimizer(found.config, state.generator)
    for name, optimizer in _optimizers(state).items():
        _restore_optimizer(optimizer, _under(f"{name}.", tensors))
    if state.contrast is not None:
        state.contrast.load_state_dict(_under("contrast.", tensors))
    layers = sum(name.startswith("bn_average.") for name in tensors) // 2
    device = state.pool.images.device
    state.bn_average = [
        (tensors[f"bn_average.{i}.mean"].to(device), tensors[f"bn_average.{i}.variance"].to(device))
        for i in range(layers)
    ] or None
    for name, pool in (("pool", state.pool), ("held_back", state.held_back)):
        _refill(pool, tensors[f"{name}.images"], tensors[f"{name}.labels"], found.counters[name])
    state.rng.set_state(tensors["rng"])
    state.round, state.student_phases = found.counters["round"], found.counters["student_phases"]
    state.seconds, state.work = found.seconds, found.work


def _refill(pool: Pool, images: Tensor, labels: Tensor, added: int) -> None:
    """Fills the pool. Raises ValueError for values that this pool cannot hold."""
    like = (pool.images.dtype, pool.images.shape[1:], pool.labels.dtype, labels.shape)
    if (images.dtype, images.shape[1:], labels.dtype, (min(added, pool.capacity),)) != like or len(images) != len(
        labels
    ):
        raise ValueError("images or labels of another type")
    pool.images, pool.labels, pool.added = images.to(pool.images.device), labels.to(pool.labels.device), added


def _optimizers(state: RunState) -> dict[str, torch.optim.Optimizer]:
    named = {"optimizer": state.optimizer, "meta_adam": state.meta_adam, "generator_adam": state.generator_adam}
    named["contrast_adam"] = state.contrast_adam
    return {name: optimizer for name, optimizer in named.items() if optimizer is not None}


def _optimizer_tensors(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Momenta and counters, by the index of their parameter in all groups."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return {
        f"{name}.{i}.{key}": value
        for i, parameter in enumerate(parameters)
        for key, value in optimizer.state[parameter].items()
        if value is not None
    }


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for name, value in tensors.items():
        place, key = name.split(".", 1)
        parameter = parameters[int(place)]
        if value.shape == parameter.shape:
            # A fused step needs weights and moments with the same memory layout, and a file keeps no layout.
            value = torch.empty_like(parameter).copy_(value)
        optimizer.state[parameter][key] = value.to(parameter.device)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _file_name(folder: Path) -> str:
    return excerpt(f"{folder.name}/{NAME}", 200)


def _read(folder: Path) -> bytes:
    try:
        return read_tensor_file(folder / NAME, MAX_BYTES, MAX_TENSORS)
    except FileNotFoundError:
        raise StorageError(
            f"{excerpt(folder.name, 200)}/ contains no checkpoint; name a folder that `--out` wrote."
        ) from None
    except OSError as error:
        raise StorageError(f"{_file_name(folder)} cannot be read ({error.strerror}); start a new run.") from None
    except AssetError:
        raise StorageError(f"{_file_name(folder)} is damaged; start a new run.") from None
