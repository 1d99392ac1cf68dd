"""A network's activations stage by stage, for attention transfer and hints; read by hooks that leave with the block."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from torch import Tensor, nn

from nayer.models import Classifier


class Stages:
    """Inside the block, `seen` holds the last activations (n, c, h, w) at each side length of the last forward pass.

    At 1 those are the features (n, f) that the last layer is given. Empty for a network whose layers are not known to
    follow one another.
    """

    def __init__(self, network: nn.Module) -> None:
        self.seen: dict[int, Tensor] = {}
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
        self.seen[output.shape[-1] if output.dim() == 4 else 1] = output
