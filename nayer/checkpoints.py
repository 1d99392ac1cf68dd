"""Saving a run between two rounds and taking it up again, bit for bit (on one machine, on one thread of the CPU).

One safetensors file: tensors, and in its metadata the config and the counters as JSON. Written beside its place
and moved there whole, so that a crash or a full disk leaves the previous one as it was.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as deserialise
from safetensors.torch import save as serialise
from torch import Tensor

from nayer.config import Config
from nayer.errors import AssetError, StorageError
from nayer.files import write_whole
from nayer.guarded_tensors import header
from nayer.state import RunState, generator_optimizer

NAME = "checkpoint.safetensors"
MAX_TENSORS = 20_000  # two networks, and the moments of their optimisers


def save(config: Config, state: RunState, folder: Path) -> Path:
    """Writes `folder`/checkpoint.safetensors; call it at a RoundFinished. Raises StorageError, keeping the last one."""
    write_whole(folder / NAME, dump(config, state))
    return folder / NAME


def dump(config: Config, state: RunState) -> bytes:
    """What `save` writes."""
    counters = {"round": state.round, "student_phases": state.student_phases, "seconds": state.seconds}
    counters |= {"pool": state.pool.added, "held_back": state.held_back.added}
    metadata = {"config": config.model_dump_json(), "counters": json.dumps(counters)}
    return serialise(_tensors(state), metadata)


def load_config(folder: Path) -> Config:
    """The config of the run saved in `folder`."""
    return config_of(_read(folder), f"{folder.name}/{NAME}")


def config_of(content: bytes, name: str = "checkpoint") -> Config:
    """The config in what `dump` made; `name` is what a StorageError calls it."""
    try:
        return Config.model_validate_json(_metadata(content, name)["config"])
    except (KeyError, ValueError):
        raise StorageError(f"{name} holds no config of this version; start the run anew.") from None


def load_state(folder: Path, state: RunState) -> None:
    """Overwrites `state`, freshly made from the same config, with what was saved."""
    restore(_read(folder), state, f"{folder.name}/{NAME}")


def restore(content: bytes, state: RunState, name: str = "checkpoint") -> None:
    """Overwrites `state`, freshly made from the same config, with what `dump` made."""
    config = config_of(content, name)
    try:
        _restore(state, config, deserialise(content), json.loads(_metadata(content, name)["counters"]))
    except (KeyError, ValueError, RuntimeError, SafetensorError):
        raise StorageError(f"{name} does not fit its config; start the run anew.") from None


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


def _restore(state: RunState, config: Config, tensors: dict[str, Tensor], counters: dict[str, float]) -> None:
    state.generator.load_state_dict(_under("generator.", tensors))
    state.student.load_state_dict(_under("student.", tensors))
    if any(name.startswith("generator_adam.") for name in tensors):
        state.generator_adam = generator_optimizer(config, state.generator, state.contrast)
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
        pool.images, pool.labels = tensors[f"{name}.images"].to(device), tensors[f"{name}.labels"].to(device)
        pool.added = int(counters[name])
    state.rng.set_state(tensors["rng"])
    state.round, state.student_phases = int(counters["round"]), int(counters["student_phases"])
    state.seconds = counters["seconds"]


def _optimizers(state: RunState) -> dict[str, torch.optim.Optimizer]:
    named = {"optimizer": state.optimizer, "meta_adam": state.meta_adam, "generator_adam": state.generator_adam}
    return {name: optimizer for name, optimizer in named.items() if optimizer is not None}


def _optimizer_tensors(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Momenta and counters, by the place of their parameter among all groups."""
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
            # A fused step takes weights and moments as they lie in memory, and a file keeps no layout.
            value = torch.empty_like(parameter).copy_(value)
        optimizer.state[parameter][key] = value.to(parameter.device)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _read(folder: Path) -> bytes:
    try:
        return (folder / NAME).read_bytes()
    except FileNotFoundError:
        raise StorageError(f"{folder.name}/ holds no checkpoint; name a folder that `--out` wrote.") from None
    except OSError:
        raise StorageError(f"{folder.name}/{NAME} cannot be read; start the run anew.") from None


def _metadata(content: bytes, name: str) -> dict[str, str]:
    """The strings in a safetensors file's header, once the file as a whole is one."""
    try:
        header(content, name, MAX_TENSORS)
        deserialise(content)
        length = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    except (AssetError, SafetensorError, ValueError):
        raise StorageError(f"{name} is damaged; start the run anew.") from None
    return {str(key): str(value) for key, value in metadata.items()}
