"""A network's activations stage by stage, for attention transfer and hints; read by hooks that leave with the block."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from torch import Tensor, nn

from nayer.models import Classifier


class Stages:
    """Inside the block, the activations of the last forward pass: `maps` and `features`.

    Empty for a network whose layers are not known to follow one another.
    """

    def __init__(self, network: nn.Module) -> None:
        self.maps: dict[int, Tensor] = {}  # side length -> the last activations of that side, (n, c, h, w)
        self.features: Tensor | None = None  # (n, f), what the last layer is given
        self._layers = list(network.body) if isinstance(network, Classifier) else []
        self._hooks = ExitStack()

    def __enter__(self) -> Stages:
        for layer in self._layers:
            self._hooks.enter_context(layer.register_forward_hook(self._read))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hooks.close()

    def _read(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.dim() == 2:
            self.features = output
        elif output.shape[-1] > 1:
            self.maps[output.shape[-1]] = output
