"""A lenet-2: images (n, 1, 8, 8), from 0 to 1, to logits (n, 10). Needs torch and safetensors.

network = load()
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

CLASSES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 2, 5, stride=1, padding=2, bias=False),
            nn.BatchNorm2d(2),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(2, 4, 5, stride=1, padding=2, bias=False),
            nn.BatchNorm2d(4),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16, 16),
            nn.ReLU(),
        )
        self.last = nn.Linear(16, 10)
        self.register_buffer("mean", torch.tensor([0.306]).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.3761]).view(-1, 1, 1), persistent=False)

    def forward(self, images):
        return self.last(self.body((images - self.mean) / self.std))


def load(path=Path(__file__).with_name("student.safetensors")):
    """The network with its weights, ready to be asked."""
    network = Network()
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    network.load_state_dict({**counters, **load_file(path)})
    return network.eval()
