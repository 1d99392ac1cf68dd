"""Saving a run between two rounds and taking it up again, bit for bit (on one machine, on the CPU).

One safetensors file: tensors, and in its metadata the config and the counters as JSON. Written beside its place
and moved there whole, so that a crash or a full disk leaves the previous one as it was.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from nayer.config import Config
from nayer.errors import StorageError
from nayer.files import write_whole
from nayer.state import RunState

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
    try:
        with _opened(folder) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
            counters = json.loads((file.metadata() or {})["counters"])
        _restore(state, tensors, counters)
    except (KeyError, ValueError, RuntimeError, SafetensorError):
        raise StorageError(f"{folder.name}/{NAME} does not fit its config; start the run anew.") from None


def _tensors(state: RunState) -> dict[str, Tensor]:
    tensors = {f"generator.{name}": value for name, value in state.generator.state_dict().items()}
    tensors |= {f"student.{name}": value for name, value in state.student.state_dict().items()}
    for i, parameter in enumerate(state.student.parameters()):
        if (momentum := state.optimizer.state[parameter].get("momentum_buffer")) is not None:
            tensors[f"momentum.{i}"] = momentum
    for i, (mean, variance) in enumerate(state.bn_average or []):
        tensors[f"bn_average.{i}.mean"], tensors[f"bn_average.{i}.variance"] = mean, variance
    for name, pool in (("pool", state.pool), ("held_back", state.held_back)):
        tensors[f"{name}.images"], tensors[f"{name}.labels"] = pool.images[: len(pool)], pool.labels[: len(pool)]
    tensors["rng"] = state.rng.get_state()
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _restore(state: RunState, tensors: dict[str, Tensor], counters: dict[str, float]) -> None:
    state.generator.load_state_dict(_under("generator.", tensors))
    state.student.load_state_dict(_under("student.", tensors))
    for i, parameter in enumerate(state.student.parameters()):
        if f"momentum.{i}" in tensors:
            state.optimizer.state[parameter]["momentum_buffer"] = tensors[f"momentum.{i}"].to(parameter.device)
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


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _opened(folder: Path) -> safe_open:
    try:
        return safe_open(folder / NAME, framework="pt")
    except FileNotFoundError:
        raise StorageError(f"{folder.name}/ holds no checkpoint; name a folder that `--out` wrote.") from None
    except (OSError, SafetensorError):
        raise StorageError(f"{folder.name}/{NAME} is damaged; start the run anew.") from None
