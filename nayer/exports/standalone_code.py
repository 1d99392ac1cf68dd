"""A classifier of this package as a short Python file that needs only PyTorch and safetensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nayer.networks.classifiers import Classifier, Residual
from nayer.networks.specs import ModelSpec

_INDENT = "    "
_RESIDUAL = '''
class Residual(nn.Module):
    """x + branch(x), the shortcut changing x's shape where the branch does."""

    def __init__(self, branch, shortcut, after):
        super().__init__()
        self.branch, self.shortcut, self.after = branch, shortcut, after

    def forward(self, x):
        return self.after(self.shortcut(x) + self.branch(x))

'''
_FILE = '''"""A {architecture}: images {shape}, from 0 to 1, to logits (n, {classes}). Needs torch and safetensors.

network = load()
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

CLASSES = {names}

{residual}
class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = {body}
        self.last = {last}
        self.register_buffer("mean", torch.tensor({mean}).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor({std}).view(-1, 1, 1), persistent=False)

    def forward(self, images):
        return self.last(self.body((images - self.mean) / self.std))


def load(path=Path(__file__).with_name("{weights}")):
    """The network with its weights, in evaluation mode."""
    network = Network()
    counters = {{name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}}
    network.load_state_dict({{**counters, **load_file(path)}})
    return network.eval()
'''


def plain_code(spec: ModelSpec, classes: Sequence[str], weights: str) -> str:
    """The content of the file. Its code reads the weights from the file `weights` in the same folder."""
    with torch.device("meta"):
        network = Classifier(spec)
    has_residuals = any(isinstance(module, Residual) for module in network.modules())
    return _FILE.format(
        architecture=spec.architecture,
        shape=f"(n, {spec.channels}, {spec.size}, {spec.size})",
        classes=spec.classes,
        names=ascii(list(classes)),
        residual=_RESIDUAL if has_residuals else "",
        body=_source(network.body, 2),
        last=_source(network.last, 2),
        mean=list(spec.mean),
        std=list(spec.std),
        weights=weights,
    )


def _source(module: nn.Module, depth: int) -> str:
    """The code that builds the module again. It uses only names that every version of PyTorch has."""
    if isinstance(module, Residual):
        inner = [_source(part, depth + 1) for part in (module.branch, module.shortcut, module.after)]
        return _call("Residual", inner, depth)
    if isinstance(module, nn.Sequential):
        return _call("nn.Sequential", [_source(layer, depth + 1) for layer in module], depth)
    match module:
        case nn.Conv2d(groups=1, dilation=(1, 1)):
            shape = f"{module.in_channels}, {module.out_channels}, {module.kernel_size[0]}"
            rest = f"stride={module.stride[0]}, padding={module.padding[0]}, bias={module.bias is not None}"
            return f"nn.Conv2d({shape}, {rest})"
        case nn.Linear():
            return f"nn.Linear({module.in_features}, {module.out_features})"
        case nn.BatchNorm2d():
            return f"nn.BatchNorm2d({module.num_features})"
        case nn.MaxPool2d():
            return f"nn.MaxPool2d({module.kernel_size})"
        case nn.AdaptiveAvgPool2d() | nn.AdaptiveMaxPool2d():
            return f"nn.{type(module).__name__}({module.output_size})"
        case nn.ReLU() | nn.Flatten() | nn.Identity():
            return f"nn.{type(module).__name__}()"
    raise TypeError(f"{type(module).__name__} is a layer that nayer/exports/standalone_code.py cannot write; add it.")


def _call(name: str, arguments: Sequence[str], depth: int) -> str:
    lines = "".join(f"{_INDENT * (depth + 1)}{argument},\n" for argument in arguments)
    return f"{name}(\n{lines}{_INDENT * depth})"
