"""A network's activations stage by stage, for attention transfer and hints; read by hooks that leave with the block."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

import torch.nn.functional as F
from torch import Tensor, nn

from nayer.networks.classifiers import Classifier


class ActivationHooks:
    """Inside the block, `sides` are the lengths of the maps of the last forward pass, and `at` gives the last at each.

    At 1 those are the features that the last layer is given. Empty for a network whose layers are not known to follow
    one another.
    """

    def __init__(self, network: nn.Module) -> None:
        self._layers = list(network.body) if isinstance(network, Classifier) else []
        # Our networks pool before the ReLU, which gives the same for less; what is pooled is not rectified yet.
        self._rectified_later = {
            layer
            for layer, pool, relu in zip(self._layers, self._layers[1:], self._layers[2:], strict=False)
            if isinstance(pool, nn.MaxPool2d) and isinstance(relu, nn.ReLU)
        }
        self._last: dict[int, tuple[nn.Module, Tensor]] = {}
        self._hooks = ExitStack()

    def __enter__(self) -> ActivationHooks:
        for layer in self._layers:
            self._hooks.enter_context(layer.register_forward_hook(self._read))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hooks.close()

    @property
    def sides(self) -> list[int]:
        """Ascending, and so the deepest first."""
        return sorted(self._last)

    def at(self, side: int) -> Tensor:
        """The activations (n, c, side, side), at 1 (n, f)."""
        layer, output = self._last[side]
        return F.relu(output) if layer in self._rectified_later else output

    def _read(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._last[output.shape[-1] if output.dim() == 4 else 1] = layer, output
