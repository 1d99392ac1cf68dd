"""Images for the tests of layers."""

import torch


def seeded_images(n, c, h, w, *, dtype=torch.float32, innermost=True):
    """(n, c, h, w) from N(2, 3²), always the same. `innermost`: the channels of a pixel are adjacent."""
    images = torch.randn(n, c, h, w, generator=torch.Generator().manual_seed(0)) * 3.0 + 2.0
    layout = torch.channels_last if innermost else torch.contiguous_format
    return images.to(dtype).to(memory_format=layout)
