"""Wraps any classifier: normalizes and resizes its inputs, reads its features, and tests it before a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nayer.errors import AssetError, ConfigError, excerpt

MAX_WORDS = 120  # characters of a foreign error message in ours


class OwnNetwork(nn.Module):
    """Images (n, c, h, w) in [0, 1] → logits (n, k), by a network from another program.

    `mean` and `std` have one number per channel, of images in [0, 1]. `side` is the side in pixels that the network
    needs if the run makes images of another side. A hook reads the features: the input of the last layer.
    """

    mean: Tensor  # (c, 1, 1)
    std: Tensor  # (c, 1, 1)

    def __init__(
        self, network: nn.Module, mean: Sequence[float], std: Sequence[float], side: int | None = None
    ) -> None:
        super().__init__()
        self.network, self.side = network, side
        self.register_buffer("mean", torch.tensor(list(mean)).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(list(std)).view(-1, 1, 1), persistent=False)
        self.last = ""  # the name of the layer whose output is the logits; `tried` finds it

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, c, h, w) in [0, 1] → logits (n, k)."""
        if self.side is not None and self.side != images.shape[-1]:
            images = F.interpolate(images, (self.side, self.side), mode="bilinear", antialias=True)
        # Contiguous: a foreign `view` expects the usual memory layout, but generators give channels innermost.
        return logits_of(self.network(((images - self.mean) / self.std).contiguous()))

    def logits_and_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, k) and the input of the last layer (n, f); the logits twice if no layer gives them."""
        if not self.last:
            logits = self(images)
            return logits, logits
        entered: list[Tensor] = []
        layer = self.network.get_submodule(self.last)
        with layer.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0])):
            logits = self(images)
        return logits, entered[-1].flatten(1)


def logits_of(output: Any) -> Tensor:
    """The tensor in a network's output: the output itself, or the field `logits` that transformers' networks have."""
    logits = getattr(output, "logits", output)
    if not isinstance(logits, Tensor):
        raise ConfigError(f"the teacher's forward returns a {type(output).__name__}; it must return the logits (n, k).")
    return logits


def tried(network: OwnNetwork, classes: int, channels: int, size: int) -> OwnNetwork:
    """`network`, in eval mode and with its last layer known, after a test with two images.

    Raises ConfigError if the images or classes do not fit it, and AssetError if its outputs are not finite.
    """
    network.eval()
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    images[0] = 0.5
    outputs: list[tuple[str, Tensor]] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, output, name=name: outputs.append((name, output)))
        for name, layer in network.network.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    try:
        with torch.no_grad():
            logits = network(images)
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError) as error:
        words = excerpt(" ".join(str(error).split()), MAX_WORDS)
        raise ConfigError(
            f"size={size} does not work: the teacher fails on images of {(channels, size, size)} "
            f"({type(error).__name__}: {words}); give the channels and the size of its training images."
        ) from None
    finally:
        for hook in hooks:
            hook.remove()
    if logits.dim() != 2 or len(logits) != 2:
        raise ConfigError(
            f"the teacher returns a tensor of {tuple(logits.shape)} for two images; it must return the logits (n, k)."
        )
    if logits.shape[1] != classes:
        raise ConfigError(
            f"classes has {classes} names, but the teacher has {logits.shape[1]} outputs; name every output, in order."
        )
    if not torch.isfinite(logits).all():
        raise AssetError("the teacher's logits for a gray and a random image are not finite; check its weights.")
    if not logits.is_floating_point():
        raise ConfigError(f"the teacher returns {logits.dtype}; it must return logits, not labels.")
    giving = [name for name, output in outputs if output.numel() == logits.numel()]
    network.last = giving[-1] if giving else ""
    return network
