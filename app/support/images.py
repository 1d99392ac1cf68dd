"""Arrays of images to one JPEG strip: one column for each class, at the images' own size. The page enlarges it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
_WIDEST = 65_500  # pixels of a side, libjpeg's JPEG_MAX_DIMENSION


def strip(images: Pixels) -> Pixels:
    """Images (n, c, h, w) side by side: (h, n·w) for one channel, (h, n·w, 3) for three."""
    count, channels, height, width = images.shape
    row = images.transpose(2, 0, 3, 1).reshape(height, count * width, channels)
    return row[:, :, 0] if channels == 1 else row


def checked_pixels(images: Pixels) -> Pixels:
    """`images`, after a check that `jpeg` can make a strip of them; ValueError for an invalid external array."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not images.size:
        raise ValueError("no images")
    if max(images.shape[0] * images.shape[3], images.shape[2]) > _WIDEST:
        raise ValueError("too large for one picture")
    return images


def jpeg(images: Pixels) -> bytes:
    """The strip of images (n, c, h, w), encoded without color subsampling: at 8 pixels a side it would smear."""
    out = BytesIO()
    Image.fromarray(strip(images)).save(out, "JPEG", quality=88, subsampling=0)
    return out.getvalue()
