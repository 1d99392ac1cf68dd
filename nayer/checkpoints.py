"""Saving a run between two rounds and taking it up again, bit for bit (on one machine, on the CPU).

One safetensors file: tensors, and in its metadata the config and the counters as JSON. Written beside its place
and moved there whole, so that a crash or a full disk leaves the previous one as it was.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from nayer.config import Config
from nayer.errors import StorageError
from nayer.files import write_whole
from nayer.state import RunState, generator_optimizer

NAME = "checkpoint.safetensors"


def save(config: Config, state: RunState, folder: Path) -> Path:
    """Writes `folder`/checkpoint.safetensors; call it at a RoundFinished. Raises StorageError, keeping the last one."""
    counters = {"round": state.round, "student_phases": state.student_phases, "seconds": state.seconds}
    counters |= {"pool": state.pool.added, "held_back": state.held_back.added}
    metadata = {"config": config.model_dump_json(), "counters": json.dumps(counters)}
    write_whole(folder / NAME, serialise(_tensors(state), metadata))
    return folder / NAME


def load_config(folder: Path) -> Config:
    """The config of the run saved in `folder`."""
    with _opened(folder) as file:
        metadata = file.metadata() or {}
    try:
        return Config.model_validate_json(metadata["config"])
    except (KeyError, ValueError):
        raise StorageError(f"{folder.name}/{NAME} holds no config of this version; start the run anew.") from None


def load_state(folder: Path, state: RunState) -> None:
    """Overwrites `state`, freshly made from the same config, with what was saved."""
    config = load_config(folder)
    try:
        with _opened(folder) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
            counters = json.loads((file.metadata() or {})["counters"])
        _restore(state, config, tensors, counters)
    except (KeyError, ValueError, RuntimeError, SafetensorError):
        raise StorageError(f"{folder.name}/{NAME} does not fit its config; start the run anew.") from None


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
        optimizer.state[parameter][key] = value.to(parameter.device)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _opened(folder: Path) -> safe_open:
    try:
        return safe_open(folder / NAME, framework="pt")
    except FileNotFoundError:
        raise StorageError(f"{folder.name}/ holds no checkpoint; name a folder that `--out` wrote.") from None
    except (OSError, SafetensorError):
        raise StorageError(f"{folder.name}/{NAME} is damaged; start the run anew.") from None
