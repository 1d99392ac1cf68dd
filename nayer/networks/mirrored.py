"""CPNet's generator: stages with the shapes of the teacher's in reverse, each held to what the teacher sees there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nayer.errors import ConfigError
from nayer.networks.hooks import Hooks, with_statistics


@dataclass(frozen=True, slots=True)
class Node:
    """A BatchNorm layer of the teacher, and the shape of its input: (n, channels, side, side)."""

    name: str
    channels: int
    side: int


def mirrored_nodes(teacher: nn.Module, image_shape: tuple[int, int, int], device: torch.device) -> list[Node]:
    """The teacher's last BatchNorm at each side length, the smallest side first.

    Raises ConfigError for a teacher without BatchNorm layers over square maps.
    """
    names = {layer: name for name, layer in teacher.named_modules()}
    seen: dict[int, Node] = {}
    with ExitStack() as hooks, torch.no_grad():
        for layer in with_statistics(teacher):

            def read(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
                _, channels, height, width = inputs[0].shape
                if height == width:
                    seen[height] = Node(names[layer], channels, height)

            hooks.enter_context(layer.register_forward_pre_hook(read))
        teacher(torch.full((1, *image_shape), 0.5, device=device))
    if not seen:
        raise ConfigError("mirror_weight needs a teacher with BatchNorm layers; use mirror_weight=0.")
    return [seen[side] for side in sorted(seen)]


class MirroredHead(nn.Module):
    """(n, c₀, s₀, s₀) → images: up to the side of the next node, 3×3 convolution, BatchNorm, LeakyReLU; then the image.

    `nodes`: the teacher's, the smallest side first; `stages`: the modules whose outputs have the nodes' shapes.
    """

    def __init__(self, nodes: Sequence[Node], channels: int, size: int) -> None:
        super().__init__()
        self.nodes = tuple(nodes)
        self.first = nn.BatchNorm2d(nodes[0].channels)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(size=(after.side, after.side)),
                nn.Conv2d(before.channels, after.channels, 3, padding=1),
                nn.BatchNorm2d(after.channels),
                nn.LeakyReLU(0.2),
            )
            for before, after in pairwise(nodes)
        )
        self.image = nn.Sequential(
            nn.Upsample(size=(size, size)), nn.Conv2d(nodes[-1].channels, channels, 3, padding=1), nn.Sigmoid()
        )

    @property
    def stages(self) -> list[nn.Module]:
        """The modules whose outputs have the shapes of `nodes`."""
        return [self.first, *self.blocks]

    def forward(self, x: Tensor) -> Tensor:
        """(n, c₀, s₀, s₀) → images (n, c, size, size) in [0, 1]."""
        for stage in self.stages:
            x = stage(x)
        return self.image(x)  # type: ignore[no-any-return]


class StageHooks(Hooks):
    """Inside the block, `outputs` has the generator's stages and `inputs` what the teacher's nodes get, in order.

    Both are empty for a generator without a mirrored head.
    """

    def __init__(self, head: nn.Module, teacher: nn.Module) -> None:
        super().__init__()
        mirrored = isinstance(head, MirroredHead)
        self._stages = head.stages if isinstance(head, MirroredHead) else []
        self.layers = [teacher.get_submodule(node.name) for node in head.nodes] if mirrored else []  # type: ignore[union-attr]
        self._seen: dict[nn.Module, Tensor] = {}

    def added(self) -> Iterable[RemovableHandle]:
        """A hook after each stage, and one before each node of the teacher."""
        after = [stage.register_forward_hook(self._made) for stage in self._stages]
        return after + [layer.register_forward_pre_hook(self._entered) for layer in self.layers]

    @property
    def outputs(self) -> list[Tensor]:
        """The generator's stages (n, c, s, s), the smallest side first, with gradient."""
        return [self._seen[stage] for stage in self._stages]

    @property
    def inputs(self) -> list[Tensor]:
        """The inputs of the teacher's nodes, each of the same shape as its stage."""
        return [self._seen[layer] for layer in self.layers]

    def _made(self, stage: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._seen[stage] = output

    def _entered(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._seen[layer] = inputs[0]
